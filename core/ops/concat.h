/* What ops share that put any number of inputs one behind the other along an axis, their first attribute. */
#ifndef CORE_OPS_CONCAT_H
#define CORE_OPS_CONCAT_H

#include "core/ops/op.h"

/* `order` is said behind shapes in errors. */
int concat_plan(const struct op_shape *shape, size_t axis, const char *order, struct op_plan *plan,
                struct error *error);
int concat_forward(const struct op_call *call);
int concat_backward(const struct op_call *call);

#endif
