#include <string.h>

#include "core/ops/broadcast.h"

/* What goes back to each input is a product of all the others. */
static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    int code = broadcast_plan(shape, plan, error);
    plan->work *= (double)shape->count;
    return code;
}

/* y = a * b * ... */
static int forward(const struct op_call *call)
{
    size_t n = op_elements(call->out);
    const void *x;
    int code = broadcast_input(call, 0, &x);
    if (code == CODE_OK) code = call->backend->axpby(n, 1, x, 0, call->y);
    for (size_t k = 1; code == CODE_OK && k < call->count; k++) {
        code = broadcast_input(call, k, &x);
        if (code == CODE_OK) code = call->backend->multiply(n, call->y, x, call->y);
    }
    return code;
}

/* da = dy * b * ...: all factors but a itself; a division by it would not do where it is 0 */
static int send(const struct op_call *call, size_t k)
{
    size_t n = op_elements(call->out);
    void *dx = broadcast_place(call, k);
    int code = call->backend->axpby(n, 1, call->dy, 0, dx);
    for (size_t other = 0; code == CODE_OK && other < call->count; other++) {
        const void *x;
        if (other == k) continue;
        code = broadcast_input(call, other, &x);
        if (code == CODE_OK) code = call->backend->multiply(n, dx, x, dx);
    }
    return code == CODE_OK ? broadcast_home(call, k) : code;
}

static int backward(const struct op_call *call)
{
    int code = CODE_OK;
    for (size_t k = 0; code == CODE_OK && k < call->count; k++)
        if (call->dx[k] != NULL) code = send(call, k);
    return code;
}

/* ---- wrong ways ---- */

/* dy times all factors but the input's own and another one: made->variant counts on from the input. */
static void without_another(const struct step_call *step, const struct alternative *made, double *dx)
{
    const struct op_call *call = step->call;
    size_t n = op_elements(call->out), left_out = (step->input + 1 + made->variant) % call->count;
    for (size_t i = 0; i < n; i++)
        dx[i] = step->dy[i];
    for (size_t other = 0; other < call->count; other++) {
        const void *x;
        if (other == step->input || other == left_out) continue;
        if (broadcast_input(call, other, &x) == CODE_OK) call->backend->multiply(n, dx, x, dx);
    }
}

enum { FACTORS_MAX = 4 };

static bool other_factor_missing(const struct step_call *step, struct alternative *made)
{
    return made->variant + 1 < step->call->count && broadcast_make(step, made, without_another);
}

const struct mistake mistake_other_factor_missing = {
    .id = "other_factor_missing",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 2,
    .summary = "da = dc for c = a * b: the other factor is left out",
    .message = "What layer {layer} sends back to one of its factors lacks another: for c = a * b it is da = dc * b, not"
               " dc.",
    .hint = "The derivative of a product with respect to one factor is the product of the others.",
    .wrong = "da = dc",
    .right = "da = dc * b",
    .alternative = other_factor_missing,
    .variants = FACTORS_MAX,
};

/* dy times all factors but another one, the input itself in its place: made->variant counts on from the input. */
static void with_itself(const struct step_call *step, const struct alternative *made, double *dx)
{
    const struct op_call *call = step->call;
    size_t n = op_elements(call->out), left_out = (step->input + 1 + made->variant) % call->count;
    memcpy(dx, step->dy, n * sizeof *dx);
    for (size_t factor = 0; factor < call->count; factor++) {
        const void *x;
        if (factor != left_out && broadcast_input(call, factor, &x) == CODE_OK) call->backend->multiply(n, dx, x, dx);
    }
}

static bool factors_exchanged(const struct step_call *step, struct alternative *made)
{
    return made->variant + 1 < step->call->count && broadcast_make(step, made, with_itself);
}

const struct mistake mistake_factors_exchanged = {
    .id = "factors_exchanged",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 3,
    .summary = "da = dc * a for c = a * b: the factors are exchanged",
    .message = "What layer {layer} sends back to a factor was multiplied by that factor itself in place of another: "
               "for c = a * b"
               " it is da = dc * b and db = dc * a.",
    .hint = "Each factor's gradient holds the other one.",
    .wrong = "da = dc * a",
    .right = "da = dc * b",
    .alternative = factors_exchanged,
    .variants = FACTORS_MAX,
};

static const struct op_case cases[] = {{.count = 2, .in = {{2, {3, 4}}, {2, {3, 4}}}},
                                       {.count = 2, .in = {{2, {3, 1}}, {2, {3, 4}}}},
                                       {.count = 3, .in = {{3, {3, 2, 3}}, {3, {3, 1, 3}}, {3, {1, 2, 1}}}},
                                       {.count = 4, .in = {{2, {1, 5}}, {2, {1, 5}}, {2, {1, 5}}, {2, {1, 5}}}},
                                       {.count = 0}};

const struct op op_mul = {
    .name = "mul",
    .summary = "a * b * ..., element by element; axes of length 1 are repeated",
    .kind = OP_LAYER,
    .slots = broadcast_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .term_unit = op_unit_of_products,
    .mistakes = (const struct mistake *const[]){&mistake_other_factor_missing, &mistake_factors_exchanged,
                                                &mistake_broadcast_averaged, NULL},
    .cases = cases,
};
