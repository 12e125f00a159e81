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

#endif
