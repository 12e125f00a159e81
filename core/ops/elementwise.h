/* What ops share that work element by element: their file then only says which formula (core/formulas.h) they
 * are. */
#ifndef CORE_OPS_ELEMENTWISE_H
#define CORE_OPS_ELEMENTWISE_H

#include "core/op.h"

/* The output has the input's shape. */
int elementwise_plan(const double *attributes, const struct shape *in, struct op_plan *plan, struct error *error);

/* y = f(x; a), dx = dy * f'(x; a), f being op->map and a the op's first attribute (0 where it has none). */
int elementwise_forward(const struct op_call *call);
int elementwise_backward(const struct op_call *call);

/* loss = scale * sum l(p, t; a) and its gradient, l being op->loss. */
int elementwise_loss_forward(const struct op_call *call);
int elementwise_loss_backward(const struct op_call *call);

#endif
