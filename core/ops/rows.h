/* What ops share that work over the last axis: a batch of samples as a matrix of rows. */
#ifndef CORE_OPS_ROWS_H
#define CORE_OPS_ROWS_H

#include "core/ops/elementwise.h"

struct rows {
    size_t count, width; /* width is the length of the last axis */
};

/* [batch, ..., width] -> [count, width]. A sample of no axes counts as one of width 1. */
static inline struct rows rows_of(const struct op_call *call)
{
    const struct shape *in = call->in;
    size_t width = in->rank > 0 ? in->dim[in->rank - 1] : 1;
    return (struct rows){.count = call->batch * (op_elements(in) / width), .width = width};
}

#endif
