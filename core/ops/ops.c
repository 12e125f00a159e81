#include "core/ops/ops.h"

#include <stdint.h>
#include <string.h>

#include "core/ops/mistakes.h"

/* Layers, activations, losses, in the order in which capabilities list them. */
/* clang-format off */
#define ALL_OPS(X)                                                                                                       \
    X(linear) X(flatten) X(layer_norm) X(add) X(mul) X(concat)                                                         \
    X(conv1d) X(conv2d) X(conv_transpose1d) X(conv_transpose2d) X(max_pool1d) X(max_pool2d) X(avg_pool1d) X(avg_pool2d)   \
    X(relu) X(leaky_relu) X(elu) X(sigmoid) X(tanh) X(softplus) X(silu) X(gelu) X(softmax) X(log_softmax)                \
    X(mse) X(l1) X(smooth_l1) X(huber) X(bce) X(bce_with_logits) X(cross_entropy) X(nll) X(hinge) X(upstream)
/* clang-format on */

/* Of programs alone. */
/* clang-format off */
#define ALL_ELEMENTARY_OPS(X)                                                                                          \
    X(exp) X(expm1) X(log) X(log1p) X(sqrt) X(square) X(abs) X(sin) X(cos) X(erf) X(arctan) X(reciprocal) X(negative) X(power) X(clip)  \
    X(sign) X(floor) X(ceil) X(round) X(trunc) X(logical_not)                                                          \
    X(plus) X(sub) X(times) X(div) X(pow) X(maximum) X(minimum) X(where)                                               \
    X(less) X(less_equal) X(greater) X(greater_equal) X(equal) X(not_equal) X(logical_and) X(logical_or)               \
    X(floor_divide) X(mod) X(matmul) X(detach)                                                                               \
    X(view) X(reshape) X(concatenate) X(pad) X(write) X(index) X(index_put) X(take_along_axis)                        \
    X(sum) X(mean) X(max) X(min) X(prod) X(logsumexp) X(var) X(norm) X(argmax) X(argmin) X(cumsum)
/* clang-format on */

#define DECLARE(name) extern const struct op op_##name;
ALL_OPS(DECLARE)
ALL_ELEMENTARY_OPS(DECLARE)

extern const struct op op_l2_penalty, op_l1_penalty;
const struct op *const ops_l2_penalty = &op_l2_penalty, *const ops_l1_penalty = &op_l1_penalty;

#define ENTRY(name) &op_##name,
const struct op *const ops[] = {ALL_OPS(ENTRY) NULL};
const struct op *const elementary_ops[] = {ALL_ELEMENTARY_OPS(ENTRY) NULL};

#define MISTAKE(name) &mistake_##name,
const struct mistake *const mistakes[] = {ALL_MISTAKES(MISTAKE) NULL};

const struct op *ops_find(const char *name, bool loss)
{
    for (size_t i = 0; ops[i] != NULL; i++)
        if ((ops[i]->kind == OP_LOSS) == loss && strcmp(ops[i]->name, name) == 0) return ops[i];
    return NULL;
}

const struct op *ops_find_elementary(const char *name)
{
    for (size_t i = 0; elementary_ops[i] != NULL; i++)
        if (elementary_ops[i]->name[0] == name[0] && elementary_ops[i]->name[1] == name[1] &&
            strcmp(elementary_ops[i]->name, name) == 0)
            return elementary_ops[i];
    return NULL;
}

int op_unit_of_sums(size_t count, const int *units)
{
    int least = units[0];
    for (size_t k = 1; k < count; k++)
        least = units[k] < least ? units[k] : least;
    return least;
}

int op_unit_of_products(size_t count, const int *units)
{
    int sum = 0;
    for (size_t k = 0; k < count; k++)
        sum += units[k];
    return sum;
}

void op_no_plan(struct op_plan *plan)
{
    memset(plan->has, 0, sizeof plan->has);
    memset(plan->fan_in, 0, sizeof plan->fan_in);
    memset(plan->fan_out, 0, sizeof plan->fan_out);
    memset(plan->saved, 0, sizeof plan->saved);
    plan->work = 0;
}

enum kink op_kink(const struct op *op, const double *attributes)
{
    return op->kinks == NULL || op->kinks(attributes) ? op->kink : KINK_NONE;
}

/* ---- slots ---- */

const struct slot unary_slots[] = {{.symbol = "x", .role = SLOT_INPUT}, {.symbol = NULL}};

const struct slot *op_slot(const struct op *op, size_t input)
{
    const struct slot *slot = op->slots;
    for (size_t i = 0; i < input && !slot->repeated; i++)
        slot++;
    return slot;
}

bool op_differentiates(const struct op *op, size_t input)
{
    enum slot_role role = op_slot(op, input)->role;
    return role != SLOT_TARGET && role != SLOT_CONSTANT;
}

void op_inputs(const struct op *op, size_t *least, size_t *most)
{
    *least = *most = 0;
    for (const struct slot *slot = op->slots; slot->symbol != NULL; slot++) {
        *least += slot->role == SLOT_INPUT;
        *most = slot->repeated ? SIZE_MAX : *least;
    }
}

size_t op_parameters(const struct op *op)
{
    size_t count = 0;
    for (const struct slot *slot = op->slots; slot->symbol != NULL; slot++)
        count += slot->role == SLOT_PARAMETER;
    return count;
}

/* ---- losses ---- */

const struct slot loss_slots[] = {
    {.symbol = "y_hat", .role = SLOT_INPUT}, {.symbol = "y", .role = SLOT_TARGET}, {.symbol = NULL}};

const char *const reduction_names[] = {"mean", "sum", "batchmean", NULL};

static const char *const target_names[] = {
    [TARGET_LIKE_OUTPUT] = "y", [TARGET_CLASSES] = "y", [TARGET_CLASSES_OR_SOFT] = "y", [TARGET_UPSTREAM] = "upstream"};

const char *loss_target(const struct op *loss)
{
    return target_names[loss->target];
}

bool loss_is_target(const char *name)
{
    for (size_t i = 0; i < sizeof target_names / sizeof *target_names; i++)
        if (strcmp(name, target_names[i]) == 0) return true;
    return false;
}

double loss_factor(const struct op *loss, const double *attributes, const struct shape *prediction)
{
    double scale = attributes[LOSS_SCALE], samples = prediction->rank > 0 ? (double)prediction->dim[0] : 1;
    switch ((enum reduction)attributes[LOSS_REDUCTION]) {
    case REDUCTION_SUM:
        return scale;
    case REDUCTION_BATCHMEAN:
        return scale / samples;
    case REDUCTION_MEAN:
        break;
    }
    return scale / (loss->mean_over_batch ? samples : (double)op_elements(prediction));
}

bool loss_takes_logits(const struct op *loss, const double *attributes)
{
    return loss->goes_with != NULL && (loss->on_probabilities == NULL || !loss->on_probabilities(attributes));
}
