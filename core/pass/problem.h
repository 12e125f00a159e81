/* What everybody works on who works on a network with numbers: the check, the verification, the diagnosis, training. */
#ifndef CORE_PASS_PROBLEM_H
#define CORE_PASS_PROBLEM_H

#include "core/graph/names.h"
#include "core/pass/pass.h"

/* Everything belongs to the caller. */
struct problem {
    const struct network *network;
    enum convention convention;
    bool loose; /* tensors may have axes of length 1 too few or too many */
    const struct backend *backend;
    double **given; /* host, by value of the network's graph, layout inside, finite: data and parameters; NULL else */
    const struct shape *shapes;   /* by graded: as the request gave it, or the convention's own; reports speak of it */
    const char *const *names;     /* by graded */
    const atomic_bool *cancelled; /* may be NULL */
};

/* The numbers of a value that is given. */
static inline double *problem_given(const struct problem *problem, const struct value *value)
{
    return problem->given[value->index];
}

/* A pass of the problem on that backend, with its numbers in place. pass_free it, also after an error. */
int problem_pass(struct arena *arena, const struct problem *problem, const struct backend *backend, struct pass *pass,
                 struct error *error);

/* The same, run forward and backward. Errors are the pass's. */
int problem_run(struct arena *arena, const struct problem *problem, const struct backend *backend, struct pass *pass,
                struct error *error);

#endif
