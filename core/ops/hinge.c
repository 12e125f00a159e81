#include "core/ops/mistake.h"
#include "core/ops/rows.h"

static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call->in[LOSS_PREDICTION]);
    double sum = 0;
    int code = call->backend->hinge(rows.count, rows.width, call->x[LOSS_PREDICTION], call->x[LOSS_TARGET], &sum);
    return code == CODE_OK ? loss_put(call, sum) : code;
}

static int backward(const struct op_call *call)
{
    if (call->dx[LOSS_PREDICTION] == NULL) return CODE_OK;
    struct rows rows = rows_of(call->in[LOSS_PREDICTION]);
    double scale;
    int code = loss_scale(call, &scale);
    if (code != CODE_OK) return code;
    return call->backend->hinge_gradient(scale, rows.count, rows.width, call->x[LOSS_PREDICTION], call->x[LOSS_TARGET],
                                         call->dx[LOSS_PREDICTION]);
}

/* The score of the right class: its margin, 1, counted as one more; or nothing. */
enum { COUNTED, FORGOTTEN, OWN_CLASSES };

static bool own_class(const struct loss_call *call, struct loss_direction *d)
{
    struct rows rows = rows_of(call->call->in[LOSS_PREDICTION]);
    direction_right(call, d);
    for (size_t i = 0; i < rows.count; i++)
        for (size_t j = 0; j < rows.width; j++) {
            double *value = &d->value[i * rows.width + j];
            const double *target = call->call->x[LOSS_TARGET];
            if (target[i * rows.width + j] == 1) *value = d->variant == COUNTED ? *value - 1 : 0;
        }
    direction_add_scale(d, call->factor);
    return true;
}

static const char *own_class_words(size_t variant)
{
    return variant == COUNTED ? "counted among those that are too near" : "left out";
}

const struct mistake mistake_hinge_own_class = {
    .id = "hinge_own_class",
    .step = STEP_LOSS,
    .rank = 8,
    .summary = "hinge: the right class is counted among the wrong ones, or gets no gradient",
    .message = "In the gradient of {loss} the right class was {used}. Its score has the gradient minus the number of "
               "other classes within the margin.",
    .hint = "The sum runs over the wrong classes; each of them pushes the right one's score up once.",
    .wrong = "mask[rows, y] = -mask.sum(axis=1)  # mask still has the right class",
    .right = "mask[rows, y] = 0; mask[rows, y] = -mask.sum(axis=1)",
    .source = "bruceoutdoors/CS231n#5",
    .direction = own_class,
    .variants = OWN_CLASSES,
    .variant_words = own_class_words,
};

static const struct mistake *const own_mistakes[] = {&mistake_hinge_own_class, NULL};

const struct op op_hinge = {
    .name = "hinge",
    .summary = "sum over the wrong classes of max(0, y_hat[j] - y_hat[class] + 1)",
    .kind = OP_LOSS,
    .slots = loss_slots,
    .plan = class_loss_plan,
    .forward = forward,
    .backward = backward,
    .target = TARGET_CLASSES,
    .mean_over_batch = true,
    .kink = KINK_MARGIN,
    .mistakes = own_mistakes,
    .cases = class_loss_cases,
};
