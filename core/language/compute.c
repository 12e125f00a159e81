#include "core/language/compute.h"

#include <string.h>

static bool make_room(struct evaluation *e, size_t index)
{
    if (index < e->known_room) return true;
    size_t room = e->known_room > 0 ? e->known_room : 64;
    while (room <= index)
        room *= 2;
    const double **larger = arena_zeroed(e->arena, room, sizeof *larger);
    if (larger == NULL) return false;
    if (e->known_room > 0) memcpy(larger, e->known, e->known_room * sizeof *larger);
    e->known = larger;
    e->known_room = room;
    return true;
}

int compute_remember(struct evaluation *e, const struct value *value, const double *numbers)
{
    if (!make_room(e, value->index)) return evaluation_no_memory(e);
    e->known[value->index] = numbers;
    return CODE_OK;
}

int compute_charge(struct evaluation *e, double work)
{
    e->spent = e->spent || work > e->left.work;
    if (e->spent) return evaluation_fault(e, "computing the program's constants takes too long");
    e->left.work -= work;
    return CODE_OK;
}

int compute_run(struct evaluation *e, const struct compute_call *call, double *y)
{
    void **dx = arena_zeroed(e->arena, call->count, sizeof *dx), *saved[OP_SAVED_MAX] = {0};
    if (dx == NULL) return evaluation_no_memory(e);
    if (compute_charge(e, call->work) != CODE_OK) return evaluation_failed(e);
    for (size_t s = 0; s < OP_SAVED_MAX; s++)
        if (call->saved[s] > 0 && (saved[s] = arena_doubles(e->arena, call->saved[s])) == NULL)
            return evaluation_no_memory(e);
    const struct op_call run = {.op = call->op,
                                .backend = backend_cpu(DTYPE_FLOAT64),
                                .attributes = call->attributes,
                                .count = call->count,
                                .in = call->in,
                                .out = call->out,
                                .x = call->x,
                                .y = y,
                                .dx = dx,
                                .saved = saved};
    int code = call->op->forward(&run);
    if (code == CODE_OUT_OF_MEMORY) return evaluation_no_memory(e);
    if (code != CODE_OK) return evaluation_fault(e, "%s cannot take these numbers", call->op->name);
    return CODE_OK;
}
