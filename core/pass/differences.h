/* Central differences: the reference checked against the definition of a derivative. */
#ifndef CORE_PASS_DIFFERENCES_H
#define CORE_PASS_DIFFERENCES_H

#include "core/pass/problem.h"

/* How well gradients agree with (L(w+h) - L(w-h)) / 2h, h = cbrt(epsilon) * max(1, |w|), in float64. */
struct verification {
    size_t checked;       /* elements compared */
    size_t at_kinks;      /* elements left out: within h of them a derivative jumps */
    double max_abs_diff;  /* over the elements compared */
    double max_rel_diff;  /* the largest difference over the largest magnitude in its tensor's gradient (at
                             least 1e-8) */
    size_t graded, worst; /* where max_rel_diff is: which of what is graded, and the offset in it (layout inside) */
};

/* The floating-point operations that it takes. */
double differences_work(const struct network *network);

/* Checks gradients[p] (host, layout inside) of all that is graded, on the CPU in float64. Memory from the arena. Errors
 * as pass_forward's. */
int differences_verify(struct arena *arena, const struct problem *problem, double *const *gradients,
                       struct verification *verification, struct error *error);

/* The same, by the problem's backend where that can evaluate many variants of a network at once
 * (backend->losses_of_many) and the network is one that it takes; else, and where it has too little memory left, by the
 * CPU. Unless `to` is NULL, the differences themselves go to to[p] (host, layout inside) for all that is graded and
 * given; NaN for elements that are left out. */
int differences_verify_on_device(struct arena *arena, const struct problem *problem, double *const *gradients,
                                 double *const *to, struct verification *verification, struct error *error);

#endif
