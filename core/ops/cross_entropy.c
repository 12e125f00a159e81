#include "core/ops/mistake.h"
#include "core/ops/rows.h"

static const char *const sources[] = {"logits", "probabilities", NULL};

static bool on_probabilities(const double *attributes)
{
    return attributes[0] > 0;
}

static int forward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    struct rows rows = rows_of(call);
    double sum = 0;
    int code = on_probabilities(call->attributes)
                   ? b->loss(LOSS_cross_entropy, b->smallest, rows.count * rows.width, call->x, call->target, &sum)
                   : b->softmax_cross_entropy(rows.count, rows.width, call->x, call->target, &sum);
    *call->loss = call->scale * sum;
    return code;
}

static int backward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    struct rows rows = rows_of(call);
    if (on_probabilities(call->attributes))
        return b->loss_gradient(LOSS_cross_entropy, b->smallest, call->scale, rows.count * rows.width, call->x,
                                call->target, call->dx);
    return b->softmax_cross_entropy_gradient(call->scale, rows.count, rows.width, call->x, call->target, call->dx);
}

/* After a softmax a probability may have underflowed to 0; its logits still say by how much. */
static int forward_joined(const struct op_call *call, const struct op_call *softmax)
{
    struct rows rows = rows_of(call);
    double sum = 0;
    int code = call->backend->softmax_cross_entropy(rows.count, rows.width, softmax->x, call->target, &sum);
    *call->loss = call->scale * sum;
    return code;
}

static int backward_joined(const struct op_call *call, const struct op_call *softmax)
{
    if (softmax->dx == NULL) return CODE_OK;
    struct rows rows = rows_of(call);
    return call->backend->softmax_cross_entropy_gradient(call->scale, rows.count, rows.width, softmax->x, call->target,
                                                         softmax->dx);
}

const struct op op_cross_entropy = {
    .name = "cross_entropy",
    .summary = "-sum(y * log(softmax(y_hat))) on logits, or -sum(y * log(y_hat)) on probabilities",
    .kind = OP_LOSS,
    .attributes = {{.name = "from", .kind = ATTRIBUTE_CHOICE, .choices = sources}},
    .plan = elementwise_plan,
    .forward = forward,
    .backward = backward,
    .plain = PLAIN_SOFTMAX_CROSS_ENTROPY,
    .target = TARGET_CLASSES_OR_SOFT,
    .mean_over_batch = true,
    .on_probabilities = on_probabilities,
    .joins = "softmax",
    .joins_when = on_probabilities,
    .forward_joined = forward_joined,
    .backward_joined = backward_joined,
    .test_low = 0.05, /* within [0,1], so that they serve as probabilities too */
    .test_high = 0.95,
    .goes_with = "softmax",
    .mistakes = (const struct mistake *const[]){&mistake_mse_shortcut, NULL},
};
