/* Where a student's code is wrong: the code is run again with what is wrong put right on the way, and with small edits,
 * and the fewest statements are wrong that account for all that comes out wrong. */
#ifndef CORE_BACKWARD_BLAME_H
#define CORE_BACKWARD_BLAME_H

#include "core/backward/edits.h"

enum { BLAMED_MAX = 32 };

/* What is wrong with a statement, as far as it is found out. */
struct blamed {
    size_t statement;
    const struct edit *edit;      /* what would be right; NULL where that is not known */
    const struct run *of;         /* the run whose code the edit is of: as it is, or with its faults mended */
    size_t aim;                   /* the gradient that it should make; GRADIENT_NONE of a helper */
    double ratio;                 /* it is so many times that; 0: no multiple */
    const struct spoiled *spoils; /* the value that it changes before what reads it; NULL: that is not it */
    size_t within; /* it hands to a function what makes this statement of that wrong; STATEMENT_NONE: that is not it */
    size_t group;  /* statements that build one name are wrong together: the first of them; else its own */
};

struct blame {
    struct plan plan; /* how the code is run so that only these come out wrong */
    const char *text; /* the code then, */
    size_t length;
    struct run run; /* and that run */
    struct blamed list[BLAMED_MAX];
    size_t count;
    bool stopped; /* time ran out */
};

/* Finds it, for at most so many seconds of computing. `plain` is the code as it ran, settled, and `claimed` the events
 * that it hands in. CODE_OK or CODE_OUT_OF_MEMORY. */
int blame_find(struct arena *arena, const struct run *plain, const size_t *claimed, double seconds,
               struct blame *blame);

#endif
