/* Central differences: the reference checked against the definition of a derivative. */
#ifndef CORE_PASS_DIFFERENCES_H
#define CORE_PASS_DIFFERENCES_H

#include "core/pass/pass.h"

/* How well gradients agree with (L(w+h) - L(w-h)) / 2h, h = cbrt(epsilon) * max(1, |w|), in float64. */
struct verification {
    size_t checked;          /* elements compared */
    size_t at_kinks;         /* elements left out: within h of them a derivative jumps */
    double max_abs_diff;     /* over the elements compared */
    double max_rel_diff;     /* the largest difference over the largest magnitude in its parameter's gradient (at
                                least 1e-8) */
    size_t parameter, worst; /* where max_rel_diff is: the parameter, and the offset in it (layout inside) */
};

/* The floating-point operations that it takes. */
double differences_work(const struct network *network, size_t batch);

/* Checks gradients[p] (host, layout inside) of all parameters at parameters[p], on data x and targets as
 * pass_set_data takes them. The parameters are left as they were. Memory from the arena. Errors as
 * pass_forward's. */
int differences_verify(struct arena *arena, const struct network *network, size_t batch, double *const *parameters,
                       const double *x, const double *target, double *const *gradients, const atomic_bool *cancelled,
                       struct verification *verification, struct error *error);

/* The same, by a backend that can evaluate many variants of a network at once (backend->losses_of_many), where it can
 * and the network is one that it takes; else, and where that backend has too little memory left, by the CPU. */
int differences_verify_on(const struct backend *backend, struct arena *arena, const struct network *network,
                          size_t batch, double *const *parameters, const double *x, const double *target,
                          double *const *gradients, const atomic_bool *cancelled, struct verification *verification,
                          struct error *error);

#endif
