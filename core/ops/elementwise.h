/* What ops share that work element by element: their file then only says which formula (core/backend/formulas.h) they
 * are. */
#ifndef CORE_OPS_ELEMENTWISE_H
#define CORE_OPS_ELEMENTWISE_H

#include "core/ops/op.h"

/* Cases for the tests of an op that takes one input of any shape; of a loss; of a loss on scores of classes. The lists
 * are those of ops that have nothing else to try. */
#define UNARY_CASES                                                                                                    \
    {.count = 1, .in = {{2, {3, 4}}}}, {.count = 1, .in = {{2, {3, 1}}}}, {.count = 1, .in = {{3, {3, 2, 3}}}},        \
    {                                                                                                                  \
        .count = 1, .in = { {2, {3, 7}} }                                                                              \
    }
#define LOSS_CASES                                                                                                     \
    {.count = 2, .in = {{2, {3, 4}}}}, {.count = 2, .in = {{2, {3, 1}}}}, {.count = 2, .in = {{3, {3, 2, 3}}}},        \
    {                                                                                                                  \
        .count = 2, .in = { {2, {3, 7}} }                                                                              \
    }
extern const struct op_case unary_cases[], loss_cases[], class_loss_cases[];

/* The output has the input's shape. */
int elementwise_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error);

/* A prediction and a target; the output is a scalar. */
int loss_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error);

/* The same for one score a class, [batch, classes]. */
int class_loss_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error);

/* The map of an op that works element by element, and its attribute; false for every other op. */
bool elementwise_map(const struct op *op, const double *attributes, enum map *map, double *attribute);

/* y = f(x; a), dx = dy * f'(x; a), f and a being elementwise_map's. */
int elementwise_forward(const struct op_call *call);
int elementwise_backward(const struct op_call *call);

/* The backward of an op through which no gradient goes. */
int elementwise_nothing_back(const struct op_call *call);

/* loss = factor * sum l(p, t; a) and its gradient, l being op->loss and a the first attribute. */
int elementwise_loss_forward(const struct op_call *call);
int elementwise_loss_backward(const struct op_call *call);

/* For losses of other kinds: puts factor * sum where the call wants it; and what the gradient of the sum is to be
 * multiplied by, the gradient that arrives at the loss included. */
int loss_put(const struct op_call *call, double sum);
int loss_scale(const struct op_call *call, double *scale);

#endif
