#include "core/ops/broadcast.h"

/* y = a + b + ... */
static int forward(const struct op_call *call)
{
    size_t n = op_elements(call->out);
    const void *x;
    int code = CODE_OK;
    for (size_t k = 0; code == CODE_OK && k < call->count; k++) {
        code = broadcast_input(call, k, &x);
        if (code == CODE_OK) code = call->backend->axpby(n, 1, x, k > 0, call->y);
    }
    return code;
}

/* da = db = dy, summed over the axes along which an input was repeated */
static int backward(const struct op_call *call)
{
    size_t n = op_elements(call->out);
    int code = CODE_OK;
    for (size_t k = 0; code == CODE_OK && k < call->count; k++) {
        if (call->dx[k] == NULL) continue;
        code = call->backend->axpby(n, 1, call->dy, 0, broadcast_place(call, k));
        if (code == CODE_OK) code = broadcast_home(call, k);
    }
    return code;
}

static const struct op_case cases[] = {{.count = 2, .in = {{2, {3, 4}}, {2, {3, 4}}}},
                                       {.count = 2, .in = {{2, {3, 1}}, {2, {3, 4}}}},
                                       {.count = 3, .in = {{3, {3, 2, 3}}, {3, {3, 1, 3}}, {3, {1, 2, 1}}}},
                                       {.count = 4, .in = {{2, {1, 5}}, {2, {1, 5}}, {2, {1, 5}}, {2, {1, 5}}}},
                                       {.count = 0}};

const struct op op_add = {
    .name = "add",
    .summary = "a + b + ...; axes of length 1 are repeated",
    .kind = OP_LAYER,
    .slots = broadcast_slots,
    .plan = broadcast_plan,
    .forward = forward,
    .backward = backward,
    .term_unit = op_unit_of_sums,
    .mistakes = (const struct mistake *const[]){&mistake_broadcast_averaged, NULL},
    .cases = cases,
};
