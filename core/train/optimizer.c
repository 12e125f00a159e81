#include "core/train/optimizer.h"

#include <math.h>

/* Attributes that several have. */
#define LR(value)                                                                                                      \
    {                                                                                                                  \
        .name = "lr", .kind = ATTRIBUTE_REAL, .fallback = value                                                        \
    }
#define WEIGHT_DECAY(value)                                                                                            \
    {                                                                                                                  \
        .name = "weight_decay", .kind = ATTRIBUTE_REAL, .fallback = value                                              \
    }
#define EPS(value)                                                                                                     \
    {                                                                                                                  \
        .name = "eps", .kind = ATTRIBUTE_REAL, .fallback = value                                                       \
    }
#define MOMENTUM                                                                                                       \
    {                                                                                                                  \
        .name = "momentum", .kind = ATTRIBUTE_REAL                                                                     \
    }
#define BETAS                                                                                                          \
    {.name = "betas", .kind = ATTRIBUTE_PAIR, .fallback = 0.9, .below = 1},                                            \
    {                                                                                                                  \
        .kind = ATTRIBUTE_PAIR, .fallback = 0.999, .below = 1                                                          \
    }

static const char *const velocity_names[] = {"momentum_buffer", "velocity", "v", NULL};

/* ---- sgd ---- */

enum { SGD_LR, SGD_MOMENTUM, SGD_DAMPENING, SGD_NESTEROV, SGD_WEIGHT_DECAY };

static int sgd_check(const double *a, struct error *error)
{
    if (a[SGD_NESTEROV] == 0 || (a[SGD_MOMENTUM] > 0 && a[SGD_DAMPENING] == 0)) return CODE_OK;
    error_set(error, CODE_OUT_OF_RANGE, "nesterov needs a momentum greater than 0 and a dampening of 0");
    return error_at(error, "nesterov");
}

static void sgd_step(const double *a, size_t step, struct update *u)
{
    *u = (struct update){.rule = a[SGD_MOMENTUM] != 0 ? UPDATE_sgd_momentum : UPDATE_sgd,
                         .uses_first = a[SGD_MOMENTUM] != 0,
                         .rate = a[SGD_LR],
                         .weight_decay = a[SGD_WEIGHT_DECAY],
                         .keep = a[SGD_MOMENTUM],
                         .add = step == 1 ? 1 : 1 - a[SGD_DAMPENING], /* the first gradient is not dampened */
                         .nesterov = a[SGD_NESTEROV] != 0};
}

static const struct optimizer_type sgd = {
    .name = "sgd",
    .summary = "w -= lr * g, with momentum v = momentum * v + (1 - dampening) * g in place of g",
    .attributes = {LR(0.001),
                   MOMENTUM,
                   {.name = "dampening", .kind = ATTRIBUTE_REAL, .least = -HUGE_VAL},
                   {.name = "nesterov", .kind = ATTRIBUTE_FLAG},
                   WEIGHT_DECAY(0)},
    .check = sgd_check,
    .step = sgd_step,
    .first_names = velocity_names,
};

/* ---- adam, adamw ---- */

enum { ADAM_LR, ADAM_BETA1, ADAM_BETA2, ADAM_EPS, ADAM_WEIGHT_DECAY };

static void adam_step(const double *a, size_t step, struct update *u)
{
    double beta1 = a[ADAM_BETA1], beta2 = a[ADAM_BETA2], t = (double)step;
    *u = (struct update){.rule = UPDATE_adam,
                         .uses_first = true,
                         .uses_second = true,
                         .rate = a[ADAM_LR] / (1 - pow(beta1, t)),
                         .weight_decay = a[ADAM_WEIGHT_DECAY],
                         .shrink = 1,
                         .keep = beta1,
                         .add = 1 - beta1,
                         .keep_square = beta2,
                         .add_square = 1 - beta2,
                         .correction = sqrt(1 - pow(beta2, t)),
                         .epsilon = a[ADAM_EPS]};
}

static void adamw_step(const double *a, size_t step, struct update *u)
{
    adam_step(a, step, u);
    u->shrink = 1 - a[ADAM_LR] * a[ADAM_WEIGHT_DECAY];
    u->weight_decay = 0;
}

static const char *const mean_names[] = {"exp_avg", "m", NULL};
static const char *const square_names[] = {"exp_avg_sq", "v", "s", NULL};

static const struct optimizer_type adam = {
    .name = "adam",
    .summary = "w -= lr * m / (sqrt(v) + eps), m and v being bias-corrected running means of g and g**2",
    .attributes = {LR(0.001), BETAS, EPS(1e-8), WEIGHT_DECAY(0)},
    .step = adam_step,
    .first_names = mean_names,
    .second_names = square_names,
};

static const struct optimizer_type adamw = {
    .name = "adamw",
    .summary = "Adam with w *= 1 - lr * weight_decay before the step",
    .attributes = {LR(0.001), BETAS, EPS(1e-8), WEIGHT_DECAY(0.01)},
    .step = adamw_step,
    .first_names = mean_names,
    .second_names = square_names,
};

/* ---- rmsprop ---- */

enum { RMSPROP_LR, RMSPROP_ALPHA, RMSPROP_EPS, RMSPROP_WEIGHT_DECAY, RMSPROP_MOMENTUM };

static void rmsprop_step(const double *a, size_t step, struct update *u)
{
    (void)step;
    *u = (struct update){.rule = a[RMSPROP_MOMENTUM] > 0 ? UPDATE_rmsprop_momentum : UPDATE_rmsprop,
                         .uses_first = a[RMSPROP_MOMENTUM] > 0,
                         .uses_second = true,
                         .rate = a[RMSPROP_LR],
                         .weight_decay = a[RMSPROP_WEIGHT_DECAY],
                         .keep = a[RMSPROP_MOMENTUM],
                         .keep_square = a[RMSPROP_ALPHA],
                         .add_square = 1 - a[RMSPROP_ALPHA],
                         .epsilon = a[RMSPROP_EPS]};
}

static const char *const average_names[] = {"square_avg", "cache", "v", "s", NULL};
static const char *const rmsprop_velocity_names[] = {"momentum_buffer", "velocity", NULL};

static const struct optimizer_type rmsprop = {
    .name = "rmsprop",
    .summary = "w -= lr * g / (sqrt(v) + eps), v = alpha * v + (1 - alpha) * g**2",
    .attributes =
        {LR(0.01), {.name = "alpha", .kind = ATTRIBUTE_REAL, .fallback = 0.99}, EPS(1e-8), WEIGHT_DECAY(0), MOMENTUM},
    .step = rmsprop_step,
    .first_names = rmsprop_velocity_names,
    .second_names = average_names,
};

/* ---- adagrad ---- */

enum { ADAGRAD_LR, ADAGRAD_LR_DECAY, ADAGRAD_WEIGHT_DECAY, ADAGRAD_INITIAL, ADAGRAD_EPS };

static void adagrad_step(const double *a, size_t step, struct update *u)
{
    *u = (struct update){.rule = UPDATE_adagrad,
                         .uses_second = true,
                         .rate = a[ADAGRAD_LR] / (1 + (double)(step - 1) * a[ADAGRAD_LR_DECAY]),
                         .weight_decay = a[ADAGRAD_WEIGHT_DECAY],
                         .epsilon = a[ADAGRAD_EPS]};
}

static double adagrad_begins(const double *a)
{
    return a[ADAGRAD_INITIAL];
}

static const char *const sum_names[] = {"sum", "cache", "v", NULL};

static const struct optimizer_type adagrad = {
    .name = "adagrad",
    .summary = "w -= lr * g / (sqrt(v) + eps), v being the sum of all g**2 so far",
    .attributes = {LR(0.01),
                   {.name = "lr_decay", .kind = ATTRIBUTE_REAL},
                   WEIGHT_DECAY(0),
                   {.name = "initial_accumulator_value", .kind = ATTRIBUTE_REAL},
                   EPS(1e-10)},
    .step = adagrad_step,
    .second_begins = adagrad_begins,
    .second_names = sum_names,
};

/* ---- the table ---- */

const struct optimizer_type *const optimizers[] = {&sgd, &adam, &adamw, &rmsprop, &adagrad, NULL};

double optimizer_second_begins(const struct optimizer *optimizer)
{
    return optimizer->type->second_begins != NULL ? optimizer->type->second_begins(optimizer->attributes) : 0;
}
