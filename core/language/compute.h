/* Computing while a program is read: an op at once, what that costs, and which values' numbers are there. */
#ifndef CORE_LANGUAGE_COMPUTE_H
#define CORE_LANGUAGE_COMPUTE_H

#include "core/language/state.h"
#include "core/ops/op.h"

/* Says what the numbers of a value are; they must outlive the evaluation. */
int compute_remember(struct evaluation *e, const struct value *value, const double *numbers);

/* Takes so many operations from what may be done. */
int compute_charge(struct evaluation *e, double work);

/* Runs an op's forward at once, on the CPU in float64: y of inputs x, all of them of known shapes. `work` is
 * taken from what may be done. */
struct compute_call {
    const struct op *op;
    const double *attributes;
    const struct shape *const *in;
    const void *const *x;
    size_t count;
    const struct shape *out;
    const size_t *saved; /* as op_plan has them */
    double work;
};
int compute_run(struct evaluation *e, const struct compute_call *call, double *y);

#endif
