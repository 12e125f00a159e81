#include "core/ops/ops.h"

#include <string.h>

/* Layers, activations, losses, in the order in which capabilities list them. */
/* clang-format off */
#define ALL_OPS(X)                                                                                                       \
    X(linear) X(flatten)                                                                                                 \
    X(relu) X(leaky_relu) X(elu) X(sigmoid) X(tanh) X(softplus) X(silu) X(gelu) X(softmax) X(log_softmax)                \
    X(mse) X(l1) X(smooth_l1) X(huber) X(bce) X(bce_with_logits) X(cross_entropy) X(nll) X(hinge)
/* clang-format on */

#define DECLARE(name) extern const struct op op_##name;
ALL_OPS(DECLARE)

#define ENTRY(name) &op_##name,
const struct op *const ops[] = {ALL_OPS(ENTRY) NULL};

const struct op *ops_find(const char *name, bool loss)
{
    for (size_t i = 0; ops[i] != NULL; i++)
        if ((ops[i]->kind == OP_LOSS) == loss && strcmp(ops[i]->name, name) == 0) return ops[i];
    return NULL;
}

size_t op_elements(const struct shape *shape)
{
    size_t size = 1;
    for (size_t i = 0; i < shape->rank; i++)
        size *= shape->dim[i];
    return size;
}
