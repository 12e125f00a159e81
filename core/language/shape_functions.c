/* Functions that give an array another shape, repeat it, or pick from it. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/language/functions.h"

/* Whether the elements are read and put column by column: order="F"; else row by row. */
static int read_order(struct evaluation *e, const struct arguments *a, const struct thing *order, bool *columns)
{
    *columns = false;
    if (order->kind == THING_NONE) return CODE_OK;
    if (order->kind != THING_TEXT || order->text[0] == '\0' || order->text[1] != '\0' ||
        strchr("CFAK", order->text[0]) == NULL)
        return function_fault(e, a, "has the orders \"C\" and \"F\"");
    *columns = order->text[0] == 'F';
    return CODE_OK;
}

/* In another shape, row by row or column by column. */
static int reshape(struct evaluation *e, struct array *x, const struct shape *shape, bool columns, struct array **y)
{
    if (!columns) return array_reshape(e, x, shape, y);
    struct shape turned = {.rank = shape->rank};
    for (size_t i = 0; i < shape->rank; i++)
        turned.dim[i] = shape->dim[shape->rank - 1 - i];
    int code = array_turn(e, x, &x);
    if (code == CODE_OK) code = array_reshape(e, x, &turned, &x);
    return code == CODE_OK ? array_turn(e, x, y) : code;
}

/* One dimension may be -1: what is left. */
static int fill_in(struct evaluation *e, const struct arguments *a, const struct array *x, struct shape *shape)
{
    char from[SHAPE_TEXT_MAX], to[SHAPE_TEXT_MAX];
    size_t known = 1, open = TENSOR_RANK_MAX;
    for (size_t i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == (size_t)-1 && open < TENSOR_RANK_MAX)
            return function_fault(e, a, "takes one dimension of -1 at most");
        if (shape->dim[i] == (size_t)-1)
            open = i;
        else if (__builtin_mul_overflow(known, shape->dim[i], &known))
            return function_fault(e, a, "is asked for too large a shape");
    }
    if (open < TENSOR_RANK_MAX) {
        shape->dim[open] = known > 0 && x->size % known == 0 ? x->size / known : 0;
        known *= shape->dim[open];
    }
    if (known == x->size) return CODE_OK;
    return evaluation_fault(e, "an array of shape %s cannot be reshaped to %s", shape_text(&x->shape, from),
                            shape_text(shape, to));
}

/* x, shape, *, order=: the order may stand behind the shape. */
static int call_reshape(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    struct shape shape;
    struct sequence rest = a->rest;
    const struct thing *order = &a->things[3];
    bool columns = false;
    if (rest.count > 0 && rest.items[rest.count - 1].kind == THING_TEXT) order = &rest.items[--rest.count];
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = read_order(e, a, order, &columns);
    if (code == CODE_OK) code = argument_shape(e, &a->things[1], &rest, &shape);
    if (code == CODE_OK) code = fill_in(e, a, x, &shape);
    if (code == CODE_OK) code = reshape(e, x, &shape, columns, &x);
    return function_give(result, code, x);
}

/* x, start_dim=, end_dim=, order=; ravel has the order alone. */
static int call_flatten(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    size_t first = 0, last;
    bool columns = false, text = a->things[1].kind == THING_TEXT;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = read_order(e, a, &a->things[text ? 1 : 3], &columns);
    if (code != CODE_OK) return code;
    last = x->shape.rank > 0 ? x->shape.rank - 1 : 0;
    if (a->given[1] && !text && x->shape.rank > 0) code = function_axis(e, &a->things[1], x->shape.rank, &first);
    if (code == CODE_OK && a->given[2] && x->shape.rank > 0)
        code = function_axis(e, &a->things[2], x->shape.rank, &last);
    if (code == CODE_OK && last < first) return function_fault(e, a, "takes a first axis and one behind it");
    if (code != CODE_OK) return code;
    struct shape flat = {0};
    for (size_t i = 0; i < first; i++)
        flat.dim[flat.rank++] = x->shape.dim[i];
    size_t rest = 1;
    for (size_t i = first; x->shape.rank > 0 && i <= last; i++)
        rest *= x->shape.dim[i];
    flat.dim[flat.rank++] = rest;
    for (size_t i = last + 1; i < x->shape.rank; i++)
        flat.dim[flat.rank++] = x->shape.dim[i];
    code = reshape(e, x, &flat, columns, &x);
    return function_give(result, code, x);
}

/* What stands at i, be it one thing or a list of them, and the arguments behind it, one behind the other. */
static int gather_list(struct evaluation *e, const struct arguments *a, size_t i, struct sequence *list)
{
    *list = (struct sequence){0};
    const struct thing *thing = &a->things[i];
    const bool several = thing->kind == THING_TUPLE || thing->kind == THING_LIST;
    if (!several && a->given[i] && !sequence_add(e->arena, list, *thing)) return evaluation_no_memory(e);
    if (several && evaluation_step(e, thing->sequence->count) != CODE_OK) return evaluation_failed(e);
    for (size_t k = 0; several && k < thing->sequence->count; k++)
        if (!sequence_add(e->arena, list, thing->sequence->items[k])) return evaluation_no_memory(e);
    for (size_t k = 0; k < a->rest.count; k++)
        if (!sequence_add(e->arena, list, a->rest.items[k])) return evaluation_no_memory(e);
    return evaluation_step(e, list->count);
}

/* Without axes the other way round; PyTorch's with two: these exchanged. */
static int call_transpose(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    struct sequence list;
    size_t axes[LANGUAGE_RANK_MAX];
    bool seen[TENSOR_RANK_MAX] = {false};
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = gather_list(e, a, 1, &list);
    if (code != CODE_OK) return code;
    if (list.count > LANGUAGE_RANK_MAX) return function_fault(e, a, "takes every axis once");
    for (size_t i = 0; i < list.count; i++)
        if (function_axis(e, &list.items[i], x->shape.rank, &axes[i]) != CODE_OK) return evaluation_failed(e);
    bool swaps = list.count == 2 && x->shape.rank != 2; /* x.transpose(1, 2) */
    for (size_t i = 0; !swaps && i < list.count; i++) {
        if (list.count != x->shape.rank || seen[axes[i]]) return function_fault(e, a, "takes every axis once");
        seen[axes[i]] = true;
    }
    if (list.count == 0)
        code = array_turn(e, x, &x);
    else if (swaps)
        code = array_swap_axes(e, x, axes[0], axes[1], &x);
    else
        code = array_permute(e, x, axes, &x);
    return function_give(result, code, x);
}

/* swapaxes(x, axis1, axis2); moveaxis(x, source, destination) */
static int call_two_axes(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    size_t one, other;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = function_axis(e, &a->things[1], x->shape.rank, &one);
    if (code == CODE_OK) code = function_axis(e, &a->things[2], x->shape.rank, &other);
    if (code == CODE_OK && strcmp(a->builtin->op, "move") == 0)
        code = array_move_axis(e, x, one, other, &x);
    else if (code == CODE_OK)
        code = array_swap_axes(e, x, one, other, &x);
    return function_give(result, code, x);
}

static int call_expand_dims(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    size_t axis;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = function_axis(e, &a->things[1], x->shape.rank + 1, &axis);
    if (code != CODE_OK) return code;
    struct shape shape = {.rank = x->shape.rank + 1};
    if (shape.rank > LANGUAGE_RANK_MAX) return function_fault(e, a, "makes too many axes");
    for (size_t i = 0; i < shape.rank; i++)
        shape.dim[i] = i < axis ? x->shape.dim[i] : i == axis ? 1 : x->shape.dim[i - 1];
    code = array_reshape(e, x, &shape, &x);
    return function_give(result, code, x);
}

static int call_squeeze(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    bool chosen[TENSOR_RANK_MAX];
    struct shape shape = {0};
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = function_axes(e, &a->things[1], x->shape.rank, chosen);
    if (code != CODE_OK) return code;
    for (size_t i = 0; i < x->shape.rank; i++) {
        if (a->given[1] && chosen[i] && x->shape.dim[i] != 1)
            return evaluation_fault(e, "axis %zu has length %zu and cannot be squeezed", i, x->shape.dim[i]);
        if (!chosen[i] || x->shape.dim[i] != 1) shape.dim[shape.rank++] = x->shape.dim[i];
    }
    code = array_reshape(e, x, &shape, &x);
    return function_give(result, code, x);
}

static int call_broadcast_to(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    struct shape shape;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_shape(e, &a->things[1], &a->rest, &shape);
    if (code != CODE_OK) return code;
    for (size_t i = 0; i < shape.rank; i++) /* PyTorch's expand: -1 leaves an axis as it is */
        if (shape.dim[i] == (size_t)-1 && i + x->shape.rank >= shape.rank)
            shape.dim[i] = x->shape.dim[i + x->shape.rank - shape.rank];
    code = array_broadcast(e, x, &shape, &x);
    return function_give(result, code, x);
}

/* ---- larger ones ---- */

static int call_flip(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    bool chosen[TENSOR_RANK_MAX];
    struct sequence list;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = gather_list(e, a, 1, &list);
    const struct thing axes = {.kind = a->given[1] ? THING_TUPLE : THING_NONE, .sequence = &list};
    if (code == CODE_OK) code = function_axes(e, &axes, x->shape.rank, chosen);
    if (code != CODE_OK) return code;
    struct array_view view = array_whole(&x->shape);
    for (size_t i = 0; i < x->shape.rank; i++)
        if (chosen[i]) {
            view.offset += (x->shape.dim[i] - 1) * (size_t)view.stride[i];
            view.stride[i] = -view.stride[i];
        }
    struct array *flipped = NULL;
    code = array_read_view(e, x, &view, &flipped);
    if (code == CODE_OK) code = array_share_view(e, x, &view, &flipped);
    return function_give(result, code, flipped);
}

/* Every axis so many times: each is repeated as one axis more before it. */
static int call_tile(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    struct shape times, out = {0};
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_shape(e, &a->things[1], &a->rest, &times);
    if (code != CODE_OK) return code;
    size_t rank = times.rank > x->shape.rank ? times.rank : x->shape.rank;
    const struct array_view whole = array_whole(&x->shape);
    struct array_view view = {0};
    for (size_t i = 0; i < rank; i++) {
        bool has = i + x->shape.rank >= rank, repeated = i + times.rank >= rank;
        size_t axis = has ? i + x->shape.rank - rank : 0, dim = has ? x->shape.dim[axis] : 1;
        size_t n = repeated ? times.dim[i + times.rank - rank] : 1;
        if (n > (size_t)1 << 40 || __builtin_mul_overflow(n, dim, &out.dim[out.rank]))
            return function_fault(e, a, "makes too large an array");
        out.rank++;
        if (n != 1) {
            view.stride[view.shape.rank] = 0;
            view.shape.dim[view.shape.rank++] = n;
        }
        view.stride[view.shape.rank] = has ? whole.stride[axis] : 0;
        view.shape.dim[view.shape.rank++] = dim;
        if (view.shape.rank > LANGUAGE_RANK_MAX) return function_fault(e, a, "makes too many axes");
    }
    code = array_read_view(e, x, &view, &x);
    if (code == CODE_OK) code = array_reshape(e, x, &out, &x);
    return function_give(result, code, x);
}

/* Every element so many times, one behind the other; along an axis. */
static int call_repeat(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    size_t times, axis = 0;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_size(e, a, 1, 1, &times);
    if (code != CODE_OK) return code;
    if (a->given[2]) {
        code = function_axis(e, &a->things[2], x->shape.rank, &axis);
    } else {
        const struct shape flat = {.rank = 1, .dim = {x->size}};
        code = array_reshape(e, x, &flat, &x);
    }
    if (code != CODE_OK) return code;
    struct array_view view = array_whole(&x->shape);
    struct shape out = x->shape;
    if (x->shape.rank == LANGUAGE_RANK_MAX || __builtin_mul_overflow(out.dim[axis], times, &out.dim[axis]))
        return function_fault(e, a, "makes too large an array");
    for (size_t i = view.shape.rank++; i > axis; i--) {
        view.shape.dim[i] = view.shape.dim[i - 1];
        view.stride[i] = view.stride[i - 1];
    }
    view.shape.dim[axis + 1] = times;
    view.stride[axis + 1] = 0;
    view.shape.dim[axis] = x->shape.dim[axis];
    view.stride[axis] = array_whole(&x->shape).stride[axis];
    code = array_read_view(e, x, &view, &x);
    if (code == CODE_OK) code = array_reshape(e, x, &out, &x);
    return function_give(result, code, x);
}

/* ---- picking ---- */

static int call_take(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *inputs[2] = {NULL}, *y = NULL;
    size_t axis = 0;
    int code = argument_array(e, a, 0, &inputs[0]);
    if (code == CODE_OK) code = argument_array(e, a, 1, &inputs[1]);
    if (code != CODE_OK) return code;
    if (a->given[2]) {
        code = function_axis(e, &a->things[2], inputs[0]->shape.rank, &axis);
    } else {
        const struct shape flat = {.rank = 1, .dim = {inputs[0]->size}};
        code = array_reshape(e, inputs[0], &flat, &inputs[0]);
    }
    const double numbers[2] = {(double)axis, 1};
    if (code == CODE_OK) code = array_op(e, "index", numbers, 2, inputs, 2, inputs[0]->type, &y);
    return function_give(result, code, y);
}

static int take_along(struct evaluation *e, struct array *x, struct array *index, const struct thing *axis,
                      struct thing *result)
{
    struct array *inputs[2] = {x, index}, *y = NULL;
    size_t which = 0;
    int code = function_axis(e, axis, x->shape.rank, &which);
    const double number = (double)which;
    if (code == CODE_OK) code = array_op(e, "take_along_axis", &number, 1, inputs, 2, x->type, &y);
    return function_give(result, code, y);
}

static int call_take_along_axis(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *index = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_array(e, a, 1, &index);
    return code == CODE_OK ? take_along(e, x, index, &a->things[2], result) : code;
}

static int call_gather(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *index = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_array(e, a, 2, &index);
    return code == CODE_OK ? take_along(e, x, index, &a->things[1], result) : code;
}

static int call_diagonal(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code != CODE_OK) return code;
    if (x->shape.rank != 2) return function_fault(e, a, "takes a matrix");
    const struct array_view whole = array_whole(&x->shape);
    size_t n = x->shape.dim[0] < x->shape.dim[1] ? x->shape.dim[0] : x->shape.dim[1];
    const struct array_view view = {.shape = {.rank = 1, .dim = {n}}, .stride = {whole.stride[0] + whole.stride[1]}};
    code = array_read_view(e, x, &view, &x);
    return function_give(result, code, x);
}

const struct builtin shape_builtins[] = {
    {"reshape", "x, shape|newshape, *, order=", call_reshape, NULL, BOTH},
    {"view", "x, shape, *", call_reshape, NULL, METHOD},
    {"ravel", "x, start_dim=, end_dim=, order=", call_flatten, NULL, BOTH},
    {"flatten", "x, start_dim=, end_dim=, order=", call_flatten, NULL, BOTH},
    {"transpose", "x, axes|axis=, *", call_transpose, NULL, BOTH},
    {"permute", "x, axes|dims=, *", call_transpose, NULL, BOTH},
    {"t", "x", call_transpose, NULL, BOTH},
    {"swapaxes", "x, axis1, axis2", call_two_axes, "swap", BOTH},
    {"moveaxis", "x, source, destination", call_two_axes, "move", BOTH},
    {"movedim", "x, source, destination", call_two_axes, "move", BOTH},
    {"expand_dims", "x, axis", call_expand_dims, NULL, FREE},
    {"unsqueeze", "x, axis", call_expand_dims, NULL, BOTH},
    {"squeeze", "x, axis=", call_squeeze, NULL, BOTH},
    {"broadcast_to", "x, shape, *", call_broadcast_to, NULL, BOTH},
    {"expand", "x, shape, *", call_broadcast_to, NULL, METHOD},
    {"flip", "x, axis=, *", call_flip, NULL, BOTH},
    {"tile", "x, reps, *", call_tile, NULL, BOTH},
    {"repeat", "x, repeats, axis=", call_repeat, NULL, BOTH},
    {"take", "x, indices|index, axis=", call_take, NULL, BOTH},
    {"take_along_axis", "x, indices, axis", call_take_along_axis, NULL, FREE},
    {"gather", "x, axis, index", call_gather, NULL, BOTH},
    {"diagonal", "x", call_diagonal, NULL, BOTH},
    {.name = NULL},
};
