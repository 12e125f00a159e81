/* A choice between two arrays by a mask, all three repeated to one shape. The gradient goes to the side that is taken
 * and to no other: whatever is infinite or not a number on the other side stays there. */
#include "core/ops/broadcast.h"
#include "core/ops/elementary_mistakes.h"

#define WORK 8.0

enum { MASK, TAKEN, ELSE };

static const struct slot slots[] = {{.symbol = "c", .role = SLOT_CONSTANT},
                                    {.symbol = "a", .role = SLOT_INPUT},
                                    {.symbol = "b", .role = SLOT_INPUT},
                                    {.symbol = NULL}};

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    return broadcast_aligned_plan(shape, WORK, plan, error);
}

static int forward(const struct op_call *call)
{
    struct broadcast s;
    broadcast_of(call, 3, (const size_t[]){MASK, TAKEN, ELSE}, &s);
    return call->backend->choose(&s, call->x[MASK], call->x[TAKEN], call->x[ELSE], call->y);
}

static int backward(const struct op_call *call)
{
    int code = CODE_OK;
    for (size_t k = TAKEN; code == CODE_OK && k <= ELSE; k++) {
        struct broadcast s;
        if (call->dx[k] == NULL) continue;
        broadcast_of(call, 2, (const size_t[]){MASK, k}, &s);
        code = call->backend->binary_gradient(k == TAKEN ? BINARY_kept_where : BINARY_kept_unless, true, &s,
                                              call->x[MASK], call->x[k], call->y, call->dy, call->dx[k]);
    }
    return code;
}

static const struct op_case cases[] = {{.count = 3, .in = {{2, {3, 4}}, {2, {3, 4}}, {2, {3, 4}}}},
                                       {.count = 3, .in = {{2, {3, 4}}, {0}, {2, {3, 4}}}},
                                       {.count = 3, .in = {{2, {3, 1}}, {2, {3, 4}}, {1, {4}}}},
                                       {.count = 3, .in = {{1, {4}}, {2, {3, 1}}, {2, {3, 4}}}},
                                       {.count = 3, .in = {{3, {2, 1, 4}}, {2, {3, 1}}, {1, {1}}}},
                                       {.count = 3, .in = {{2, {2, 4}}, {1, {4}}, {3, {3, 2, 1}}}},
                                       {.count = 3, .in = {{0}, {1, {5}}, {1, {5}}}},
                                       {.count = 0}};

const struct op op_where = {
    .name = "where",
    .summary = "a where c is not 0, else b",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .mistakes = mistakes_of_where,
    .written = "np.where({c}, {a}, {b})",
    .sent = {[TAKEN] = "np.where({c}, {dy}, 0)", [ELSE] = "np.where({c}, 0, {dy})"},
    .cases = cases,
};
