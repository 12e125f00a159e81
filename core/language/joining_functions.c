/* Functions that put several arrays together, take one apart, or put something around it. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/language/equality.h"
#include "core/language/functions.h"

/* ---- several ---- */

static int read_parts(struct evaluation *e, const struct thing *thing, struct array ***parts, size_t *count,
                      enum number_type *type)
{
    struct sequence items = {0};
    int code = evaluation_items(e, thing, &items);
    *count = items.count;
    *type = TYPE_BOOL;
    if (code == CODE_OK && items.count == 0) return evaluation_fault(e, "nothing to put together");
    *parts = arena_array(e->arena, items.count, sizeof **parts);
    if (code == CODE_OK && *parts == NULL) return evaluation_no_memory(e);
    for (size_t i = 0; code == CODE_OK && i < items.count; i++) {
        code = array_of(e, &items.items[i], &(*parts)[i]);
        if (code == CODE_OK && (*parts)[i]->type > *type) *type = (*parts)[i]->type;
    }
    return code;
}

static int concatenate(struct evaluation *e, struct array **parts, size_t count, size_t axis, enum number_type type,
                       struct array **y)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    for (size_t k = 1; k < count; k++) {
        bool fits = parts[k]->shape.rank == parts[0]->shape.rank;
        for (size_t i = 0; fits && i < parts[0]->shape.rank; i++)
            fits = i == axis || parts[k]->shape.dim[i] == parts[0]->shape.dim[i];
        if (!fits)
            return evaluation_fault(e, "shapes %s and %s cannot stand behind each other along axis %zu",
                                    shape_text(&parts[0]->shape, one), shape_text(&parts[k]->shape, other), axis);
    }
    if (count == 1) {
        *y = parts[0];
        return CODE_OK;
    }
    const double number = (double)axis;
    return array_op(e, "concatenate", &number, 1, parts, count, type, y);
}

static int call_concatenate(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array **parts = NULL, *y = NULL;
    size_t count, axis = 0;
    enum number_type type;
    int code = read_parts(e, &a->things[0], &parts, &count, &type);
    bool flat = a->named[1] && !a->given[1]; /* axis=None: one behind the other, whatever their axes */
    for (size_t k = 0; code == CODE_OK && flat && k < count; k++) {
        const struct shape vector = {.rank = 1, .dim = {parts[k]->size}};
        code = array_reshape(e, parts[k], &vector, &parts[k]);
    }
    if (code == CODE_OK && a->given[1]) code = function_axis(e, &a->things[1], parts[0]->shape.rank, &axis);
    if (code == CODE_OK && parts[0]->shape.rank == 0) code = function_fault(e, a, "takes arrays, not numbers");
    if (code == CODE_OK) code = concatenate(e, parts, count, axis, type, &y);
    return function_give(result, code, y);
}

static int call_stack(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array **parts = NULL, *y = NULL;
    size_t count, axis = 0;
    enum number_type type;
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    int code = read_parts(e, &a->things[0], &parts, &count, &type);
    for (size_t k = 1; code == CODE_OK && k < count; k++)
        if (!shape_equal(&parts[k]->shape, &parts[0]->shape))
            return evaluation_fault(e, "stack takes arrays of one shape, not %s and %s",
                                    shape_text(&parts[0]->shape, one), shape_text(&parts[k]->shape, other));
    if (code == CODE_OK && a->given[1]) code = function_axis(e, &a->things[1], parts[0]->shape.rank + 1, &axis);
    for (size_t k = 0; code == CODE_OK && k < count; k++) {
        struct shape shape = {.rank = parts[k]->shape.rank + 1};
        if (shape.rank > LANGUAGE_RANK_MAX) return function_fault(e, a, "makes too many axes");
        for (size_t i = 0; i < shape.rank; i++)
            shape.dim[i] = i < axis ? parts[k]->shape.dim[i] : i == axis ? 1 : parts[k]->shape.dim[i - 1];
        code = array_reshape(e, parts[k], &shape, &parts[k]);
    }
    if (code == CODE_OK) code = concatenate(e, parts, count, axis, type, &y);
    return function_give(result, code, y);
}

/* vstack: rows below each other; hstack: beside each other, of vectors one behind the other. */
static int call_rows(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array **parts = NULL, *y = NULL;
    size_t count;
    enum number_type type;
    bool below = strcmp(a->builtin->op, "vstack") == 0, columns = strcmp(a->builtin->op, "column_stack") == 0;
    int code = read_parts(e, &a->things[0], &parts, &count, &type);
    if (code != CODE_OK || parts == NULL) return code;
    bool vectors = parts[0]->shape.rank < 2;
    for (size_t k = 0; code == CODE_OK && k < count; k++) {
        if (parts[k]->shape.rank > 1 || (!below && !columns && parts[k]->shape.rank > 0)) continue;
        struct shape shape = {.rank = 2, .dim = {below ? 1 : parts[k]->size, below ? parts[k]->size : 1}};
        if (!below && !columns) shape = (struct shape){.rank = 1, .dim = {1}};
        code = array_reshape(e, parts[k], &shape, &parts[k]);
    }
    if (code == CODE_OK) code = concatenate(e, parts, count, below || (vectors && !columns) ? 0 : 1, type, &y);
    return function_give(result, code, y);
}

/* np.r_[x, y]: along the first axis, numbers as vectors. */
static int call_behind(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array **parts = NULL, *y = NULL;
    const struct shape one = {.rank = 1, .dim = {1}};
    size_t count;
    enum number_type type;
    int code = read_parts(e, &a->things[0], &parts, &count, &type);
    for (size_t k = 0; code == CODE_OK && k < count; k++)
        if (parts[k]->shape.rank == 0) code = array_reshape(e, parts[k], &one, &parts[k]);
    if (code == CODE_OK) code = concatenate(e, parts, count, 0, type, &y);
    return function_give(result, code, y);
}

static int part_of(struct evaluation *e, struct array *x, size_t axis, size_t begin, size_t end, struct thing *part)
{
    struct array_view view = array_whole(&x->shape);
    view.offset = begin * (size_t)view.stride[axis];
    view.shape.dim[axis] = end > begin ? end - begin : 0;
    struct array *made = NULL;
    int code = array_read_view(e, x, &view, &made);
    if (code == CODE_OK) code = array_share_view(e, x, &view, &made);
    return function_give(part, code, made);
}

/* Into so many equal parts, or at these places; PyTorch's split and chunk differ: parts of a length, so many parts. */
static int call_split(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    struct sequence places = {0}, *parts = sequence_new(e->arena);
    size_t axis = 0, count = 0, begin = 0;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK && a->given[2]) code = function_axis(e, &a->things[2], x->shape.rank, &axis);
    if (code != CODE_OK) return code;
    if (parts == NULL) return evaluation_no_memory(e);
    if (x->shape.rank == 0) return function_fault(e, a, "takes an array, not a number");
    size_t length = x->shape.dim[axis];
    bool at_places = a->things[1].kind == THING_LIST || a->things[1].kind == THING_TUPLE;
    if (at_places) {
        places = *a->things[1].sequence;
        count = places.count + 1;
    } else {
        code = argument_size(e, a, 1, 1, &count);
        if (code == CODE_OK && (count == 0 || length % count != 0))
            return evaluation_fault(e, "an axis of length %zu cannot be split into %zu equal parts", length, count);
    }
    if (code == CODE_OK) code = evaluation_step(e, count);
    for (size_t k = 0; code == CODE_OK && k < count; k++) {
        double place = at_places && k < places.count ? 0 : (double)length;
        if (at_places && k < places.count) code = function_whole(e, &places.items[k], "a place", &place);
        size_t even = (k + 1) * (length / count);
        if (!at_places) place = (double)even;
        if (code == CODE_OK && !(place >= (double)begin && place <= (double)length))
            code = evaluation_fault(e, "the place %g is not between %zu and %zu", place, begin, length);
        struct thing part = {0};
        if (code == CODE_OK) code = part_of(e, x, axis, begin, (size_t)place, &part);
        if (code == CODE_OK && !sequence_add(e->arena, parts, part)) code = evaluation_no_memory(e);
        begin = (size_t)place;
    }
    *result = (struct thing){.kind = THING_LIST, .sequence = parts};
    return code;
}

/* ---- what is put around one ---- */

static bool is_list(const struct thing *thing)
{
    return thing->kind == THING_TUPLE || thing->kind == THING_LIST;
}

/* What goes before an axis and behind it: a pair, or one number for both. */
static int read_pair(struct evaluation *e, const struct thing *thing, double pads[2])
{
    if (!is_list(thing) || thing->sequence->count < 1 || thing->sequence->count > 2)
        return evaluation_fault(e, "pad takes a pair for each axis");
    const struct sequence *pair = thing->sequence;
    int code = function_whole(e, &pair->items[0], "a padding", &pads[0]);
    if (code == CODE_OK) code = function_whole(e, &pair->items[pair->count - 1], "a padding", &pads[1]);
    return code;
}

/* One number for all, a pair for all, or a pair for each axis. */
static int read_pads(struct evaluation *e, const struct thing *thing, size_t rank, double *pads)
{
    double number;
    if (!is_list(thing)) {
        int code = function_whole(e, thing, "a padding", &number);
        for (size_t i = 0; code == CODE_OK && i < 2 * rank; i++)
            pads[i] = number;
        return code;
    }
    const struct sequence *list = thing->sequence;
    bool each = list->count > 0 && is_list(&list->items[0]);
    if (each ? list->count != rank && list->count != 1 : list->count < 1 || list->count > 2)
        return evaluation_fault(e, "pad takes a number, a pair, or a pair for each of %zu axes", rank);
    for (size_t i = 0; i < rank; i++) {
        const struct thing *pair = each ? &list->items[list->count == 1 ? 0 : i] : thing;
        if (read_pair(e, pair, &pads[2 * i]) != CODE_OK) return evaluation_failed(e);
    }
    return CODE_OK;
}

/* constant_values=(0, 0), or a pair for each axis: those that are all the same are one. NULL where they are not. */
static const struct thing *one_constant(const struct thing *thing, const struct thing *found, size_t depth)
{
    enum { PAIRS = 2 };
    if (!is_list(thing)) return found == NULL || equality_is(thing, found) ? thing : NULL;
    for (size_t i = 0; i < thing->sequence->count; i++) {
        found = depth < PAIRS ? one_constant(&thing->sequence->items[i], found, depth + 1) : NULL;
        if (found == NULL) return NULL;
    }
    return found;
}

/* The same with a constant that has a gradient: where(inside, x, around). */
static int pad_with(struct evaluation *e, struct array *x, struct array *around, double *numbers, struct thing *result)
{
    const struct shape scalar = {0};
    struct array *inside = NULL;
    size_t count = 2 + 2 * x->shape.rank;
    double *ones;
    int code = array_known(e, &x->shape, TYPE_BOOL, &inside, &ones);
    for (size_t i = 0; code == CODE_OK && i < inside->size; i++)
        ones[i] = 1;
    numbers[0] = 0;
    if (code == CODE_OK) code = array_op(e, "pad", numbers, count, &inside, 1, TYPE_BOOL, &inside);
    if (code == CODE_OK) code = array_op(e, "pad", numbers, count, &x, 1, x->type, &x);
    if (code == CODE_OK) code = array_reshape(e, around, &scalar, &around);
    struct array *inputs[3] = {inside, x, around};
    if (code == CODE_OK) code = array_op(e, "where", NULL, 0, inputs, 3, TYPE_FLOAT, &x);
    return function_give(result, code, x);
}

static int call_pad(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *around = NULL;
    double numbers[2 + 2 * TENSOR_RANK_MAX];
    int code = argument_array(e, a, 0, &x);
    if (code != CODE_OK) return code;
    if (a->things[2].kind == THING_TEXT && strcmp(a->things[2].text, "constant") != 0)
        return function_fault(e, a, "has the mode \"constant\" alone");
    const struct thing *constant = one_constant(&a->things[3], NULL, 0);
    if (constant == NULL) return function_fault(e, a, "takes one constant for all that it puts around");
    struct arguments alike = *a;
    alike.things[3] = *constant;
    numbers[1] = (double)x->shape.rank;
    code = argument_operand(e, &alike, 3, 0, &around, &numbers[0]);
    if (code == CODE_OK && around != NULL && around->size > 1)
        return function_fault(e, a, "takes one constant for all that it puts around");
    if (code == CODE_OK) code = read_pads(e, &a->things[1], x->shape.rank, numbers + 2);
    for (size_t i = 0; code == CODE_OK && i < 2 * x->shape.rank; i++)
        if (!(numbers[2 + i] >= 0 && numbers[2 + i] <= 1e9))
            return function_fault(e, a, "takes paddings of 0 and more");
    if (code == CODE_OK && around != NULL) return pad_with(e, x, around, numbers, result);
    enum number_type type = argument_type(&alike, 3) > x->type ? argument_type(&alike, 3) : x->type;
    if (code == CODE_OK) code = array_op(e, "pad", numbers, 2 + 2 * x->shape.rank, &x, 1, type, &x);
    return function_give(result, code, x);
}

const struct builtin joining_builtins[] = {
    {"concatenate", "arrays|tensors, axis=", call_concatenate, NULL, FREE},
    {"concat", "arrays|tensors, axis=", call_concatenate, NULL, FREE},
    {"cat", "arrays|tensors, axis=", call_concatenate, NULL, FREE},
    {"stack", "arrays|tensors, axis=", call_stack, NULL, FREE},
    {"vstack", "arrays", call_rows, "vstack", FREE},
    {"hstack", "arrays", call_rows, "hstack", FREE},
    {"column_stack", "arrays", call_rows, "column_stack", FREE},
    {"c_", "arrays", call_rows, "column_stack", FREE}, /* np.c_[x, y] */
    {"r_", "arrays", call_behind, NULL, FREE},
    {"split", "x, parts|indices_or_sections, axis=", call_split, NULL, FREE},
    {"chunk", "x, parts|chunks, axis=", call_split, NULL, BOTH},
    {"pad", "x, pad_width, mode=, constant_values=", call_pad, NULL, FREE},
    {.name = NULL},
};
