/* What ops share that work element by element: their file then only says which formula (core/backend/formulas.h) they
 * are. */
#ifndef CORE_OPS_ELEMENTWISE_H
#define CORE_OPS_ELEMENTWISE_H

#include "core/ops/op.h"

/* The output has the input's shape. */
int elementwise_plan(const double *attributes, const struct shape *in, struct op_plan *plan, struct error *error);

/* The map of an op that works element by element, and its attribute; false for every other op. */
bool elementwise_map(const struct op *op, const double *attributes, enum map *map, double *attribute);

/* y = f(x; a), dx = dy * f'(x; a), f and a being elementwise_map's. */
int elementwise_forward(const struct op_call *call);
int elementwise_backward(const struct op_call *call);

/* loss = scale * sum l(p, t; a) and its gradient, l being op->loss. */
int elementwise_loss_forward(const struct op_call *call);
int elementwise_loss_backward(const struct op_call *call);

#endif
