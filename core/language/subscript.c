/* Subscripts: x[i], x[:, 1:3], x[..., None], x[rows, y], x[mask]; reading, and writing as another array. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/language/equality.h"
#include "core/language/functions.h"
#include "core/language/known.h"
#include "core/language/selection.h"
#include "core/language/sharing.h"

/* ---- what is no array ---- */

static int read_sequence(struct evaluation *e, const struct thing *of, const struct thing *subscript,
                         struct thing *result)
{
    const struct sequence *sequence = of->sequence;
    size_t index = 0, start, taken;
    ptrdiff_t step;
    if (subscript->kind != THING_SLICE) {
        int code = selection_index(e, subscript, sequence->count, &index);
        if (code == CODE_OK) *result = sequence->items[index];
        return code;
    }
    struct sequence *part = sequence_new(e->arena);
    if (part == NULL) return evaluation_no_memory(e);
    int code = selection_slice(e, subscript, sequence->count, &start, &step, &taken);
    if (code == CODE_OK) code = evaluation_step(e, taken);
    for (size_t i = 0; code == CODE_OK && i < taken; i++)
        if (!sequence_add(e->arena, part, sequence->items[(ptrdiff_t)start + (ptrdiff_t)i * step]))
            code = evaluation_no_memory(e);
    *result = (struct thing){.kind = of->kind, .sequence = part};
    return code;
}

static int read_dictionary(struct evaluation *e, const struct thing *of, const struct thing *subscript,
                           struct thing *result)
{
    struct thing key, *value = NULL;
    int code = equality_key(e, subscript, &key);
    if (code == CODE_OK) code = equality_find(e, of, &key, &value);
    if (code != CODE_OK) return code;
    if (value == NULL && key.kind == THING_TEXT)
        return evaluation_fault(e, "the dictionary has no \"%.80s\"", key.text);
    if (value == NULL) return evaluation_fault(e, "the dictionary has no such key");
    *result = *value;
    return CODE_OK;
}

static int read_range(struct evaluation *e, const struct thing *of, const struct thing *subscript, struct thing *result)
{
    size_t index;
    int code = selection_index(e, subscript, of->range->count, &index);
    if (code == CODE_OK) *result = range_item(of->range, index);
    return code;
}

/* ---- reading ---- */

static int read_array(struct evaluation *e, struct array *array, const struct thing *subscripts, size_t count,
                      struct thing *result)
{
    struct selection s;
    struct array *part = NULL;
    int code = selection_find(e, array, subscripts, count, &s);
    if (code == CODE_OK) code = array_read_view(e, array, &s.view, &part);
    if (code == CODE_OK && s.mask != NULL) {
        if (selection_check_mask(e, &s) != CODE_OK || selection_pick_mask(e, &s) != CODE_OK)
            return evaluation_failed(e);
        const struct shape folded = selection_fold(&s);
        code = array_reshape(e, part, &folded, &part);
    }
    if (code == CODE_OK && s.mask == NULL && s.count == 0) code = array_share_view(e, array, &s.view, &part);
    if (code == CODE_OK && s.count > 0) {
        struct array *inputs[1 + LANGUAGE_RANK_MAX] = {part};
        const double numbers[2] = {(double)s.first, (double)s.count};
        code = selection_align(e, &s);
        memcpy(inputs + 1, s.picks, s.count * sizeof *inputs);
        if (code == CODE_OK) code = array_op(e, "index", numbers, 2, inputs, 1 + s.count, array->type, &part);
    }
    if (code == CODE_OK) *result = thing_array(part);
    return code;
}

static int read_any(struct evaluation *e, const struct thing *of, const struct thing *subscripts, size_t count,
                    struct thing *result)
{
    char words[SHAPE_TEXT_MAX + 32];
    if (of->kind == THING_ARRAY) return read_array(e, of->array, subscripts, count, result);
    if (count == 1 && (of->kind == THING_LIST || of->kind == THING_TUPLE))
        return read_sequence(e, of, subscripts, result);
    if (count == 1 && of->kind == THING_DICTIONARY) return read_dictionary(e, of, subscripts, result);
    if (count == 1 && of->kind == THING_RANGE) return read_range(e, of, subscripts, result);
    if (of->kind == THING_BUILTIN && (strcmp(of->builtin->name, "c_") == 0 || strcmp(of->builtin->name, "r_") == 0)) {
        struct sequence parts = {0};
        for (size_t i = 0; i < count; i++)
            if (!sequence_add(e->arena, &parts, subscripts[i])) return evaluation_no_memory(e);
        struct thing tuple = {.kind = THING_TUPLE, .sequence = &parts};
        return function_by_name(e, of->builtin->name, &tuple, 1, result);
    }
    return evaluation_fault(e, "%s has no elements that can be picked so", thing_words(of, words));
}

int subscript_read(struct evaluation *e, const struct thing *of, const struct thing *subscripts, size_t count,
                   struct thing *result)
{
    int code = read_any(e, of, subscripts, count, result);
    if (code != CODE_OK) return code;
    return result->kind == THING_LOST ? evaluation_lost(e, result) : sharing_thing_now(e, result);
}

/* ---- writing ---- */

/* Whether a mask of numbers that are not known yet may stay so: what is written goes to every element alike that the
 * mask does not cover, and the mask is over the first axes of all that is there. */
static bool mask_chooses(const struct array *array, const struct selection *s, const struct array *what)
{
    const struct array_view whole = array_whole(&array->shape);
    bool all = s->mask != NULL && s->mask->numbers == NULL && s->first == 0 && s->view.offset == 0 &&
               shape_equal(&s->view.shape, &array->shape);
    for (size_t i = 0; all && i < array->shape.rank; i++)
        all = array->shape.dim[i] == 1 || s->view.stride[i] == whole.stride[i];
    return all && (what->size == 1 || what->shape.rank + s->mask->shape.rank <= array->shape.rank);
}

/* dz[mask] = what, the mask being computed: elements that are there, or `what`. */
static int write_mask(struct evaluation *e, struct array *array, const struct selection *s, struct array *what,
                      struct array **result)
{
    struct array *mask = s->mask;
    struct shape longer = mask->shape;
    while (longer.rank < array->shape.rank)
        longer.dim[longer.rank++] = 1;
    if (array_reshape(e, mask, &longer, &mask) != CODE_OK) return evaluation_failed(e);
    struct array *inputs[3] = {mask, what, array};
    return array_op(e, "where", NULL, 0, inputs, 3, array->type > what->type ? array->type : what->type, result);
}

enum { PUT_SETS, PUT_ADDS, PUT_ADDS_LAST };

/* Where arrays pick what is written. */
static int write_picks(struct evaluation *e, struct array *array, struct selection *s, int puts, struct array *what,
                       struct array **result)
{
    struct array *part = NULL, *inputs[2 + LANGUAGE_RANK_MAX] = {NULL}, *put = NULL;
    int code = selection_align(e, s);
    *result = array;
    if (code == CODE_OK && s->picks[0]->size == 0) return CODE_OK;
    if (code == CODE_OK) code = array_read_view(e, array, &s->view, &part);
    if (code != CODE_OK) return code;
    struct shape shape = {0};
    const struct shape *picked = &s->picks[0]->shape;
    for (size_t i = 0; i < s->first; i++)
        shape.dim[shape.rank++] = part->shape.dim[i];
    for (size_t i = 0; i < picked->rank; i++)
        shape.dim[shape.rank++] = picked->dim[i];
    for (size_t i = s->first + s->count; i < part->shape.rank; i++)
        shape.dim[shape.rank++] = part->shape.dim[i];
    code = array_broadcast(e, what, &shape, &what);
    inputs[0] = part;
    inputs[1] = what;
    memcpy(inputs + 2, s->picks, s->count * sizeof *inputs);
    const double numbers[3] = {(double)s->first, (double)s->count, puts};
    enum number_type type = array->type > what->type ? array->type : what->type;
    if (code == CODE_OK) code = array_op(e, "index_put", numbers, 3, inputs, 2 + s->count, type, &put);
    if (code != CODE_OK) return code;
    return array_write_view(e, array, &s->view, false, put, result);
}

/* Whether a mask whose numbers are known holds nowhere. */
static bool takes_none(const double *mask, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (mask[i] != 0) return false;
    return true;
}

/* Where a mask whose numbers are looked up holds: the axes that it covers are one, from which it picks. */
static int write_known_mask(struct evaluation *e, struct array *array, struct selection *s, struct array *what,
                            struct array **made)
{
    const double *known = NULL;
    struct array *folded = NULL;
    if (known_numbers(e, s->mask, &known) != CODE_OK || selection_check_mask(e, s) != CODE_OK)
        return evaluation_failed(e);
    *made = array;
    if (takes_none(known, s->mask->size)) return CODE_OK;
    const struct shape shape = selection_fold(s);
    int code = selection_pick_mask(e, s);
    if (code == CODE_OK) code = array_read_view(e, array, &s->view, &folded);
    if (code == CODE_OK) code = array_reshape(e, folded, &shape, &folded);
    struct selection inner = {.view = array_whole(&shape), .first = s->first, .count = 1, .picks = {s->picks[0]}};
    if (code == CODE_OK) code = write_picks(e, folded, &inner, PUT_SETS, what, made);
    if (code == CODE_OK) code = array_reshape(e, *made, &s->view.shape, made);
    return code == CODE_OK ? array_write_view(e, array, &s->view, false, *made, made) : code;
}

/* Whether what is written into an array becomes of its type: it is a mask, or was made with a type of integers. */
static bool keeps_type(const struct array *array)
{
    return array->whole || array->type == TYPE_BOOL;
}

/* How something is written: where; at each index as often as it is there; added to what is there, which nobody reads;
 * everywhere, by what a mask is that nobody looks at. */
struct writing {
    struct selection s;
    bool each, adds, chosen;
};

/* What will be there: what is written; with an operation, what that makes of what is there. */
static int make_written(struct evaluation *e, struct array *array, const struct thing *subscripts, size_t count,
                        const struct writing *w, enum operation operation, const struct thing *what,
                        struct array **written)
{
    struct thing there = thing_array(array), after = {0};
    int code = CODE_OK;
    if (operation != OPERATION_NONE && !w->adds) {
        if (!w->chosen) code = read_array(e, array, subscripts, count, &there);
        if (code == CODE_OK) code = evaluation_binary(e, operation, &there, what, &after);
        if (code == CODE_OK) code = array_of(e, &after, written);
    }
    return code == CODE_OK && keeps_type(array) ? type_cast(e, *written, array->type, written) : code;
}

static int put_written(struct evaluation *e, struct array *array, struct writing *w, struct array *what,
                       struct array **made)
{
    if (w->chosen)
        return selection_check_mask(e, &w->s) == CODE_OK ? write_mask(e, array, &w->s, what, made)
                                                         : evaluation_failed(e);
    if (w->s.mask != NULL) return write_known_mask(e, array, &w->s, what, made);
    if (w->s.count > 0) return write_picks(e, array, &w->s, w->each ? PUT_ADDS : PUT_SETS, what, made);
    /* Axes of length 1 in front of the others say nothing. */
    const struct shape *to = &w->s.view.shape;
    struct shape shape = what->shape;
    for (; shape.rank > to->rank && shape.dim[0] == 1; shape.rank--)
        memmove(shape.dim, shape.dim + 1, (shape.rank - 1) * sizeof *shape.dim);
    int code = shape.rank < what->shape.rank ? array_reshape(e, what, &shape, &what) : CODE_OK;
    if (code == CODE_OK) code = array_broadcast(e, what, to, &what);
    *made = array;
    if (code == CODE_OK && what->size == 0) return CODE_OK;
    return code == CODE_OK ? array_write_view(e, array, &w->s.view, w->adds, what, made) : code;
}

static int write_array(struct evaluation *e, struct array *array, const struct thing *subscripts, size_t count,
                       enum operation operation, const struct thing *what, struct thing *result)
{
    struct writing w = {.each = operation == OPERATION_ADD_EACH};
    struct array *written = NULL, *made = NULL;
    int code = array_of(e, what, &written);
    if (code == CODE_OK) code = selection_find(e, array, subscripts, count, &w.s);
    if (code != CODE_OK) return code;
    if (w.each) operation = OPERATION_ADD;
    w.each = w.each && w.s.mask == NULL && array->type != TYPE_BOOL;
    w.adds = w.each || (operation == OPERATION_ADD && w.s.count == 0 && w.s.mask == NULL && !keeps_type(array));
    w.chosen = mask_chooses(array, &w.s, written);
    code = make_written(e, array, subscripts, count, &w, operation, what, &written);
    if (code == CODE_OK) code = put_written(e, array, &w, written, &made);
    if (code != CODE_OK || made == NULL) return code;
    if (made != array) made->whole = array->whole;
    *result = thing_array(made);
    return CODE_OK;
}

int subscript_write(struct evaluation *e, const struct thing *of, const struct thing *subscripts, size_t count,
                    enum operation operation, const struct thing *what, struct thing *result)
{
    char words[SHAPE_TEXT_MAX + 32];
    size_t index;
    if (of->kind == THING_ARRAY) return write_array(e, of->array, subscripts, count, operation, what, result);
    if (count != 1 || (of->kind != THING_LIST && of->kind != THING_DICTIONARY))
        return evaluation_fault(e, "nothing can be written into %s so", thing_words(of, words));
    if (of->kind == THING_LIST) {
        int code = selection_index(e, subscripts, of->sequence->count, &index);
        if (code == CODE_OK) of->sequence->items[index] = *what;
        return code;
    }
    struct thing key, *place = NULL;
    int code = equality_key(e, subscripts, &key);
    if (code == CODE_OK) code = equality_find(e, of, &key, &place);
    if (code != CODE_OK) return code;
    if (place != NULL)
        *place = *what;
    else if (!sequence_add(e->arena, of->sequence, key) || !sequence_add(e->arena, of->sequence, *what))
        return evaluation_no_memory(e);
    return CODE_OK;
}
