/* The numbers of a program's values while it is still being read. What is given to it is known, parameters and data, so
 * that all that is computed from them can be known, too, where a program asks: `if y[0] == 1`, x[mask], a bound of a
 * loop. What is built then is what the program does with these numbers, as with a library that records what it runs. */
#ifndef CORE_LANGUAGE_KNOWN_H
#define CORE_LANGUAGE_KNOWN_H

#include "core/language/state.h"
#include "core/ops/op.h"

/* Says what the numbers of a value are; they must outlive the evaluation. */
int known_give(struct evaluation *e, const struct value *value, const double *numbers);

/* The numbers of an array into *numbers; they are the evaluation's. What they cost is taken from what may be done, and
 * that somebody goes through them; each value is computed once. */
int known_numbers(struct evaluation *e, struct array *array, const double **numbers);

/* The same of an array's one element; CODE_PROGRAM_ERROR where it has others. */
int known_number(struct evaluation *e, struct array *array, double *number);

/* Takes so many operations from what may be done. */
int known_work(struct evaluation *e, double work);

/* Runs an op's forward at once, on the CPU in float64: y of inputs x, all of them of known shapes. `work` and y's
 * elements are taken from what may be done. */
struct known_call {
    const struct op *op;
    const double *attributes;
    const struct shape *const *in;
    const void *const *x;
    size_t count;
    const struct shape *out;
    const size_t *saved; /* as op_plan has them */
    double work;
};
int known_run(struct evaluation *e, const struct known_call *call, double *y);

#endif
