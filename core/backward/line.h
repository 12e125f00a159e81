/* What is said of each line of a student's code, and what that comes from. */
#ifndef CORE_BACKWARD_LINE_H
#define CORE_BACKWARD_LINE_H

#include "core/backward/blame.h"

enum mark { MARK_RIGHT, MARK_WRONG, MARK_INHERITED, MARK_FAULT, MARK_UNUSED };

extern const char *const mark_names[]; /* by mark */

/* A line of the code that makes something. */
struct backward_line {
    unsigned line, column;
    const char *text; /* of its statement */
    const char *name; /* what it makes; NULL where that has no name */
    enum mark mark;
    const char *message;   /* NULL: there is nothing to say */
    const char *mistake;   /* the id of what is wrong; NULL */
    const char *should_be; /* what would be right in place of the statement; NULL where that is not known */
    const char *gradient;  /* the name of the value whose gradient it makes; NULL */
    double scale;          /* so many times that gradient, by the code's own convention; 1 */
    unsigned *together;    /* the lines that build the name together with it, where they are judged as one */
    size_t together_count;
};

struct backward {
    struct surroundings surroundings;
    struct run plain; /* the code as it is */
    struct blame blame;
    size_t *claimed; /* by graded: the event of the plain run whose numbers are handed in */
    struct submissions gradients;
    struct backward_line *lines;
    size_t line_count;
    bool stopped; /* time ran out: more might have been said about what is wrong */
};

#endif
