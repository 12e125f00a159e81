/* What ops share that work over the last axis: a tensor as a matrix of rows. */
#ifndef CORE_OPS_ROWS_H
#define CORE_OPS_ROWS_H

#include "core/ops/elementwise.h"

struct rows {
    size_t count, width; /* width is the length of the last axis */
};

/* [..., width] -> [count, width]. A tensor of no axes counts as one of width 1. */
static inline struct rows rows_of(const struct shape *shape)
{
    size_t width = shape->rank > 0 ? shape->dim[shape->rank - 1] : 1;
    return (struct rows){.count = op_elements(shape) / width, .width = width};
}

/* An activation over the last axis: batch axis and another one at least, since no sample may depend on the others. */
static inline int rows_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    if (shape->in[0]->rank < 2)
        return error_set(error, CODE_SHAPE_MISMATCH, "%s needs an input of at least one axis", shape->op->name);
    return elementwise_plan(shape, plan, error);
}

/* op->made_of of a softmax, or of its logarithm: what comes back is a difference, of which hardly anything is left
 * where one p is nearly 1. */
void softmax_made_of(const struct op_call *call, bool logarithm, double *terms);

#endif
