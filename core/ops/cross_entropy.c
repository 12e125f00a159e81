#include "core/ops/mistake.h"
#include "core/ops/rows.h"
#include "core/ops/writing.h"

extern const struct op op_softmax, op_cross_entropy;

static const char *const sources[] = {"logits", "probabilities", NULL};

static bool on_probabilities(const double *attributes)
{
    return attributes[0] > 0;
}

static int forward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    struct rows rows = rows_of(call->in[LOSS_PREDICTION]);
    const void *prediction = call->x[LOSS_PREDICTION], *target = call->x[LOSS_TARGET];
    double sum = 0;
    int code = on_probabilities(call->attributes)
                   ? b->loss(LOSS_cross_entropy, b->smallest, rows.count * rows.width, prediction, target, &sum)
                   : b->softmax_cross_entropy(rows.count, rows.width, prediction, target, &sum);
    return code == CODE_OK ? loss_put(call, sum) : code;
}

static int backward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    struct rows rows = rows_of(call->in[LOSS_PREDICTION]);
    const void *prediction = call->x[LOSS_PREDICTION], *target = call->x[LOSS_TARGET];
    void *dx = call->dx[LOSS_PREDICTION];
    double scale;
    int code = dx != NULL ? loss_scale(call, &scale) : CODE_OK;
    if (dx == NULL || code != CODE_OK) return code;
    if (on_probabilities(call->attributes))
        return b->loss_gradient(LOSS_cross_entropy, b->smallest, scale, rows.count * rows.width, prediction, target,
                                dx);
    return b->softmax_cross_entropy_gradient(scale, rows.count, rows.width, prediction, target, dx);
}

/* After a softmax a probability may have underflowed to 0; its logits still say by how much. */
static const struct op_join *join(const double *attributes)
{
    static const struct op_join with_softmax = {.before = &op_softmax, .instead = &op_cross_entropy};
    return on_probabilities(attributes) ? &with_softmax : NULL;
}

/* Behind a softmax of logits; the targets of a row are taken to add up to 1. */
static bool write(struct op_writing *w)
{
    if (w->input != LOSS_PREDICTION) return false;
    return writing_put(w,
                       on_probabilities(w->attributes) ? "-{dy} * {y} / {y_hat}" : "{dy} * (softmax({y_hat}) - {y})");
}

static const struct op_case cases[] = {
    {.count = 2, .in = {{2, {3, 4}}}},
    {.count = 2, .in = {{2, {3, 2}}}},
    {.count = 2, .in = {{2, {1, 7}}}},
    {.count = 2, .in = {{2, {3, 4}}}, .set = {{"from", 1}}, .low = 0.05, .high = 0.95},
    {.count = 2, .in = {{2, {2, 7}}}, .set = {{"from", 1}}, .low = 0.05, .high = 0.95},
    {.count = 0}};

const struct op op_cross_entropy = {
    .name = "cross_entropy",
    .summary = "-sum(y * log(softmax(y_hat))) on logits, or -sum(y * log(y_hat)) on probabilities",
    .kind = OP_LOSS,
    .attributes = {{.name = "from", .kind = ATTRIBUTE_CHOICE, .choices = sources}},
    .slots = loss_slots,
    .plan = class_loss_plan,
    .forward = forward,
    .backward = backward,
    .write = write,
    .plain = PLAIN_SOFTMAX_CROSS_ENTROPY,
    .target = TARGET_CLASSES_OR_SOFT,
    .mean_over_batch = true,
    .on_probabilities = on_probabilities,
    .join = join,
    .goes_with = &op_softmax,
    .mistakes = (const struct mistake *const[]){&mistake_mse_shortcut, NULL},
    .cases = cases,
};
