/* The way back through a program with a wrong step in it: what comes out of that, beside what was handed in.
 *
 * Whoever writes a pass by hand goes on with their own numbers. Where somebody handed in what comes back to a value on
 * the way, and that is wrong, all that lies before it is judged by what follows from it. So each line is right, wrong
 * here, or right, given what came in; and two mistakes with such a value between them are found one by one. */
#ifndef CORE_DIAGNOSIS_LINE_FLOW_H
#define CORE_DIAGNOSIS_LINE_FLOW_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/search.h"

/* What is done to what some edges send. */
enum guess_way {
    GUESS_RULE,      /* it is made by a wrong rule of the op */
    GUESS_TIMES,     /* the right one, multiplied by a number: 0 where it is missing */
    GUESS_ELSEWHERE, /* it is made as if by another node of the kind: put where that took its elements from */
    GUESS_FROM,      /* it is made of what comes back to another node's output */
    GUESS_PASSED,    /* it is what comes back to another node's output */
};

/* A mistake that somebody may have made, wherever a line is run: in all iterations, at all calls. */
struct guess {
    const struct mistake *mistake;
    size_t variant;
    enum guess_way way;
    double times;
    bool fitted; /* the number was found in what was handed in, */
    bool odd;    /* and nobody would have written it */
    struct edge *const *edges;
    size_t count;
    const struct node *const *elsewhere; /* by edge: the other node; NULL: it is lost */
    const struct value *value;           /* that it is about: one of those that the edges lead to */
    size_t line;
    size_t left;    /* of gradient_overwritten: the line whose share is left */
    enum turn turn; /* of one line that is run several times: whose share is left, or missing */
};

enum { GUESSES_AT_ONCE = 2 };

struct line_flow {
    struct search *s;
    const double **base; /* by graded: what comes there without any guess; NULL where it was not handed in */
    bool *instead;       /* by graded: what was handed in for it goes on from there */
    bool *wrong;         /* by graded: it is not what follows from what was handed in above */
    bool *right;         /* by graded: it is */
    const struct guess *guesses[GUESSES_AT_ONCE];
    unsigned char *at; /* by edge: a guess, counted from 1; */
    size_t *which;     /* and which of its edges */
    double *scratch;   /* of the largest value */
};

/* What came of a run. */
struct outcome {
    bool broken;                  /* something that was right would be wrong, or a guess cannot be made */
    bool *touched;                /* by graded: its numbers are others than without the guesses; */
    bool *explained;              /* and are what was handed in */
    size_t explained_count, open; /* open: touched and wrong, but not explained */
    double digits;                /* of evidence, of all that is explained */
    enum fit fit;
    double residual;
    /* With `fit_times`: the run ends at the first wrong tensor that is touched, where `times` becomes the factor that
     * fits it best; NaN where there is none. */
    bool fit_times;
    double times;
};

/* Runs without any guess: which of what was handed in follows from the rest. The search is prepared. False when memory
 * is short. */
bool line_flow_new(struct search *s, struct line_flow *flow);

/* Room for an outcome; false when memory is short. */
bool line_flow_outcome(const struct line_flow *flow, struct outcome *outcome);

/* Runs with flow->guesses (NULL where there are fewer) into *outcome. */
void line_flow_run(struct line_flow *flow, struct outcome *outcome);

/* Whether guesses can be made together: no edge is in both. */
bool line_flow_apart(struct line_flow *flow, const struct guess *a, const struct guess *b);

#endif
