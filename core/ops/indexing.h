/* What ops share whose last inputs are lists of indices, one for each of some axes that follow each other, all of one
 * shape: the axes give their place to those of the lists. As in NumPy, an index below 0 counts from the end. */
#ifndef CORE_OPS_INDEXING_H
#define CORE_OPS_INDEXING_H

#include "core/ops/numbers.h"

/* Their first two numbers. */
enum { INDEXING_FIRST, INDEXING_AXES, INDEXING_NUMBERS };

/* The shape of what the lists, inputs from `lists` on, name of the first input: into *named. */
int indexing_plan(const struct op_shape *shape, size_t lists, struct shape *named, struct error *error);

struct indexed indexing_of(const struct op_call *call, size_t lists);

/* CODE_OUT_OF_RANGE where an index is none; and that in words. */
int indexing_check(const struct op_call *call, size_t lists, const struct indexed *indexed);
int indexing_explain(const struct op_call *call, size_t lists, const struct indexed *indexed, size_t first_axis,
                     struct error *error);

#endif
