#include "core/diagnosis/forward_slips.h"

#include <stdio.h>
#include <string.h>

#include "core/ops/ops.h"
#include "core/ops/rows.h"

bool slip_next(struct slip *slip)
{
    if (slip->kind == SLIP_OTHER) {
        const struct op *const *at = ops;
        while (slip->other != NULL && *at != slip->other)
            at++;
        at += slip->other != NULL;
        while (*at != NULL && (*at)->kind != OP_ACTIVATION)
            at++;
        slip->other = *at;
        if (*at != NULL) return true;
    }
    slip->kind++;
    slip->other = NULL;
    return slip->kind == SLIP_OTHER ? slip_next(slip) : slip->kind < SLIP_KINDS;
}

bool slip_shows_in_gradients(const struct slip *slip)
{
    return slip->kind <= SLIP_LEFT_OUT || slip->kind == SLIP_TRANSPOSED;
}

/* ---- the calls ---- */

static bool over_rows(const struct op *op, const double *attributes)
{
    enum map map;
    double attribute;
    return op->kind == OP_ACTIVATION && !elementwise_map(op, attributes, &map, &attribute);
}

/* Nothing but zeros: the logarithm of a softmax of one. */
static bool is_constant(const struct op *op, const struct shape *in)
{
    static const double none[OP_ATTRIBUTES_MAX];
    return over_rows(op, none) && !op->probabilities && in->rank > 0 && in->dim[in->rank - 1] == 1;
}

static void turn(size_t rows, size_t width, const double *from, double *to)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < width; j++)
            to[j * rows + i] = from[i * width + j];
}

/* A call of the op on other shapes and other tensors. */
struct changed {
    struct op_call call;
    const struct shape *in[1];
    const void *x[1];
    void *dx[1];
    struct shape shape;
    double add[1], attributes[OP_ATTRIBUTES_MAX];
};

static void change(struct changed *changed, const struct op_call *call, const struct op *op, const double *x, void *y)
{
    *changed = (struct changed){.call = *call, .in = {call->in[0]}, .x = {x}};
    changed->call.op = op;
    changed->call.count = 1;
    changed->call.in = changed->in;
    changed->call.x = changed->x;
    changed->call.dx = changed->dx;
    changed->call.add = changed->add;
    changed->call.y = y;
    for (size_t a = 0; op != call->op && attribute_stands(&op->attributes[a]); a++)
        changed->attributes[a] = op->attributes[a].fallback;
    if (op != call->op) changed->call.attributes = changed->attributes;
}

static void reshape(struct changed *changed, size_t rows, size_t width)
{
    changed->shape = shape_of(2, (size_t[]){rows, width});
    changed->in[0] = changed->call.out = &changed->shape;
}

bool slip_applies(const struct slip *slip, const struct op_call *call)
{
    const struct op *op = call->op;
    bool activation = op->kind == OP_ACTIVATION, by_rows = over_rows(op, call->attributes);
    const struct shape *in = call->in[0];
    switch (slip->kind) {
    case SLIP_OVER_BATCH:
        return by_rows && in->rank == 2 && in->dim[0] > 1;
    case SLIP_OVER_ALL:
        return by_rows && op_elements(in) > in->dim[in->rank - 1];
    case SLIP_OTHER:
        return activation && slip->other != op && (in->rank >= 2 || !by_rows) && !is_constant(slip->other, in);
    case SLIP_LEFT_OUT:
    case SLIP_TWICE:
        return activation;
    case SLIP_NEGATED:
    case SLIP_DOUBLED:
        return activation && !by_rows;
    case SLIP_NO_BIAS:
    case SLIP_BIAS_BEFORE:
    case SLIP_TRANSPOSED:
    case SLIP_KINDS:
        break;
    }
    return op->kind == OP_LAYER && call->count == 3 && op_slot(op, 1)->product && op_slot(op, 2)->summed;
}

/* ---- forward ---- */

static bool forward_activation(const struct slip *slip, const struct op_call *call, const struct slip_room *room,
                               double *y)
{
    const double *x = call->x[0];
    struct rows rows = rows_of(call->in[0]);
    size_t n = rows.count * rows.width;
    struct changed changed;
    change(&changed, call, slip->kind == SLIP_OTHER ? slip->other : call->op, x, y);
    if (slip->kind == SLIP_LEFT_OUT) {
        memcpy(y, x, n * sizeof *y);
        return true;
    }
    if (slip->kind == SLIP_OVER_BATCH) {
        turn(rows.count, rows.width, x, room->x);
        reshape(&changed, rows.width, rows.count);
        changed.x[0] = room->x;
        changed.call.y = room->y;
    }
    if (slip->kind == SLIP_OVER_ALL) reshape(&changed, 1, n);
    for (size_t i = 0; (slip->kind == SLIP_NEGATED || slip->kind == SLIP_DOUBLED) && i < n; i++)
        room->x[i] = slip->kind == SLIP_NEGATED ? -x[i] : 2 * x[i];
    if (slip->kind == SLIP_NEGATED || slip->kind == SLIP_DOUBLED) changed.x[0] = room->x;
    changed.call.op->forward(&changed.call);
    if (slip->kind == SLIP_OVER_BATCH) turn(rows.width, rows.count, room->y, y);
    if (slip->kind != SLIP_TWICE) return true;
    memcpy(room->x, y, n * sizeof *y);
    changed.x[0] = room->x;
    changed.call.op->forward(&changed.call);
    return true;
}

/* A layer x @ W + b, by its own forward on something else. */
static bool forward_layer(const struct slip *slip, const struct op_call *call, const struct slip_room *room, double *y)
{
    struct rows in = rows_of(call->in[0]), out = rows_of(call->out);
    const void *x[3] = {call->x[0], call->x[1], call->x[2]};
    const double *bias = call->x[2], *from = slip->kind == SLIP_TRANSPOSED ? call->x[1] : call->x[0];
    bool square = in.width == out.width;
    if (slip->kind != SLIP_TRANSPOSED && bias == NULL) return false;
    if (slip->kind != SLIP_NO_BIAS && !square) return false;
    struct op_call changed = *call;
    changed.x = x;
    changed.y = y;
    if (slip->kind == SLIP_TRANSPOSED) {
        turn(in.width, in.width, from, room->x);
        x[1] = room->x;
    } else {
        memset(room->y, 0, out.width * sizeof *room->y);
        x[2] = room->y;
    }
    for (size_t i = 0; slip->kind == SLIP_BIAS_BEFORE && i < in.count * in.width; i++)
        room->x[i] = from[i] + bias[i % in.width];
    if (slip->kind == SLIP_BIAS_BEFORE) x[0] = room->x;
    changed.op->forward(&changed);
    return true;
}

bool slip_forward(const struct slip *slip, const struct op_call *call, const struct slip_room *room, double *y)
{
    if (!slip_applies(slip, call)) return false;
    return call->op->kind == OP_ACTIVATION ? forward_activation(slip, call, room, y)
                                           : forward_layer(slip, call, room, y);
}

/* ---- backward ---- */

/* Over the batch: all of it turned, and what comes out turned back. */
static void backward_turned(struct changed *changed, const struct op_call *call, const struct slip_room *room,
                            double *dx)
{
    struct rows rows = rows_of(call->in[0]);
    turn(rows.count, rows.width, call->x[0], room->x);
    turn(rows.count, rows.width, call->y, room->y);
    turn(rows.count, rows.width, call->dy, room->dy);
    reshape(changed, rows.width, rows.count);
    changed->x[0] = room->x;
    changed->call.y = room->y;
    changed->call.dy = room->dy;
    changed->dx[0] = room->dx;
    changed->call.op->backward(&changed->call);
    turn(rows.width, rows.count, room->dx, dx);
}

/* The derivative of what was done, where that is another function. */
static bool backward_own(const struct slip *slip, const struct op_call *call, const struct slip_room *room, double *dx)
{
    size_t n = op_elements(call->in[0]);
    struct changed changed;
    change(&changed, call, slip->kind == SLIP_OTHER ? slip->other : call->op, call->x[0], call->y);
    changed.dx[0] = dx;
    if (slip->kind == SLIP_LEFT_OUT)
        memcpy(dx, call->dy, n * sizeof *dx);
    else if (slip->kind == SLIP_OVER_BATCH)
        backward_turned(&changed, call, room, dx);
    else if (slip->kind != SLIP_OVER_ALL && slip->kind != SLIP_OTHER)
        return false;
    if (slip->kind == SLIP_OVER_ALL) reshape(&changed, 1, n);
    if (slip->kind == SLIP_OVER_ALL || slip->kind == SLIP_OTHER) changed.call.op->backward(&changed.call);
    return true;
}

bool slip_backward_layer(const struct slip *slip, size_t input, const struct op_call *call,
                         const struct slip_room *room, double *dx)
{
    struct op_call changed = *call;
    const void *x[] = {call->x[0], room->x, call->x[2]};
    void *made[] = {NULL, NULL, NULL};
    size_t width = call->in[0]->dim[call->in[0]->rank - 1];
    if (slip->kind != SLIP_TRANSPOSED) return false;
    turn(width, width, call->x[1], room->x);
    made[input] = input == 1 ? room->dx : dx;
    changed.x = x;
    changed.dx = made;
    if (changed.op->backward(&changed) != CODE_OK) return false;
    if (input == 1) turn(width, width, room->dx, dx);
    return true;
}

bool slip_backward(const struct slip *slip, enum slip_derivative how, const struct op_call *call,
                   const struct slip_room *room, double *dx)
{
    if (call->op->kind != OP_ACTIVATION) return false;
    if (how == SLIP_ITS_OWN) return backward_own(slip, call, room, dx);
    struct changed changed;
    change(&changed, call, call->op, call->x[0], how == SLIP_RIGHT ? room->y : call->y);
    changed.dx[0] = dx;
    if (how == SLIP_RIGHT) call->op->forward(&changed.call);
    call->op->backward(&changed.call);
    return true;
}

/* ---- words ---- */

void slip_text(const struct slip *slip, const struct op *op, char text[SLIP_TEXT_MAX])
{
    static const char *const texts[] = {
        [SLIP_OVER_BATCH] = "%s over the batch",
        [SLIP_OVER_ALL] = "%s over everything",
        [SLIP_OTHER] = "%s instead of %s",
        [SLIP_LEFT_OUT] = "%s left out",
        [SLIP_TWICE] = "%s applied twice",
        [SLIP_NEGATED] = "%s of -z",
        [SLIP_DOUBLED] = "%s of 2 * z",
        [SLIP_NO_BIAS] = "the bias left out",
        [SLIP_BIAS_BEFORE] = "the bias added before the product",
        [SLIP_TRANSPOSED] = "the weight transposed",
    };
    if (slip->kind == SLIP_OTHER)
        snprintf(text, SLIP_TEXT_MAX, "%s instead of %s", slip->other->name, op->name);
    else if (slip->kind >= SLIP_NO_BIAS)
        snprintf(text, SLIP_TEXT_MAX, "%s", texts[slip->kind]);
    else
        snprintf(text, SLIP_TEXT_MAX, texts[slip->kind], op->name);
}
