/* Python's own functions, and methods of lists and dictionaries. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/language/functions.h"
#include "core/language/texts.h"

static int call_len(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    char words[SHAPE_TEXT_MAX + 32];
    const struct thing *x = &a->things[0];
    size_t n;
    if (x->kind == THING_TUPLE || x->kind == THING_LIST)
        n = x->sequence->count;
    else if (x->kind == THING_DICTIONARY)
        n = x->sequence->count / 2;
    else if (x->kind == THING_RANGE)
        n = x->range->count;
    else if (x->kind == THING_TEXT && evaluation_step(e, strlen(x->text) / 64) == CODE_OK)
        n = strlen(x->text);
    else if (x->kind == THING_ARRAY && x->array->shape.rank > 0)
        n = x->array->shape.dim[0];
    else
        return evaluation_fault(e, "%s has no length", thing_words(x, words));
    *result = thing_number((double)n, TYPE_INT);
    return CODE_OK;
}

static int call_range(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    double start = 0, stop, step = 1;
    int code = function_whole(e, &a->things[0], "a range's bound", &stop);
    if (code == CODE_OK && a->given[1]) {
        start = stop;
        code = function_whole(e, &a->things[1], "a range's bound", &stop);
    }
    if (code == CODE_OK && a->given[2]) code = function_whole(e, &a->things[2], "a range's step", &step);
    if (code != CODE_OK) return code;
    if (step == 0) return function_fault(e, a, "has a step of 0");
    double many = ceil((stop - start) / step);
    if (!(fabs(start) < 1e15 && fabs(step) < 1e15 && many < 1e15)) return function_fault(e, a, "is too long");
    struct range *range = arena_alloc(e->arena, sizeof *range);
    if (range == NULL) return evaluation_no_memory(e);
    *range = (struct range){.start = start, .step = step, .count = many > 0 ? (size_t)many : 0};
    *result = (struct thing){.kind = THING_RANGE, .range = range};
    return CODE_OK;
}

static int call_list(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct sequence *copy = sequence_new(e->arena), items = {0};
    if (copy == NULL) return evaluation_no_memory(e);
    int code = a->given[0] ? evaluation_items(e, &a->things[0], &items) : CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < items.count; i++)
        if (!sequence_add(e->arena, copy, items.items[i])) code = evaluation_no_memory(e);
    *result =
        (struct thing){.kind = strcmp(a->builtin->name, "tuple") == 0 ? THING_TUPLE : THING_LIST, .sequence = copy};
    return code;
}

static int call_reversed(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct sequence *turned = sequence_new(e->arena), items;
    if (turned == NULL) return evaluation_no_memory(e);
    int code = evaluation_items(e, &a->things[0], &items);
    for (size_t i = items.count; code == CODE_OK && i-- > 0;)
        if (!sequence_add(e->arena, turned, items.items[i])) code = evaluation_no_memory(e);
    *result = (struct thing){.kind = THING_LIST, .sequence = turned};
    return code;
}

static int add_tuple(struct evaluation *e, struct sequence *list, const struct thing *items, size_t count)
{
    struct sequence *tuple = sequence_new(e->arena);
    bool good = tuple != NULL;
    for (size_t i = 0; good && i < count; i++)
        good = sequence_add(e->arena, tuple, items[i]);
    good = good && sequence_add(e->arena, list, (struct thing){.kind = THING_TUPLE, .sequence = tuple});
    return good ? CODE_OK : evaluation_no_memory(e);
}

static int call_enumerate(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct sequence *list = sequence_new(e->arena), items;
    double start;
    if (list == NULL) return evaluation_no_memory(e);
    int code = argument_number(e, a, 1, 0, &start);
    if (code == CODE_OK) code = evaluation_items(e, &a->things[0], &items);
    for (size_t i = 0; code == CODE_OK && i < items.count; i++) {
        const struct thing pair[2] = {thing_number(start + (double)i, TYPE_INT), items.items[i]};
        code = add_tuple(e, list, pair, 2);
    }
    *result = (struct thing){.kind = THING_LIST, .sequence = list};
    return code;
}

static int call_zip(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct sequence *list = sequence_new(e->arena), of[ARGUMENTS_MAX];
    size_t n = a->rest.count, least = 0;
    if (list == NULL) return evaluation_no_memory(e);
    if (n > ARGUMENTS_MAX) return function_fault(e, a, "takes fewer arguments");
    for (size_t k = 0; k < n; k++) {
        if (evaluation_items(e, &a->rest.items[k], &of[k]) != CODE_OK) return evaluation_failed(e);
        if (k == 0 || of[k].count < least) least = of[k].count;
    }
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < least; i++) {
        struct thing row[ARGUMENTS_MAX] = {0};
        for (size_t k = 0; k < n; k++)
            row[k] = of[k].items[i];
        code = add_tuple(e, list, row, n);
    }
    *result = (struct thing){.kind = THING_LIST, .sequence = list};
    return code;
}

static int call_int(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    double number;
    int code = argument_flat(e, a, 0, 0, &number);
    *result = thing_number(trunc(number), TYPE_INT);
    return code;
}

static int call_bool(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    bool truth = false;
    int code = evaluation_truth(e, &a->things[0], &truth);
    *result = thing_number(truth, TYPE_BOOL);
    return code;
}

static int call_str(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    const struct thing *x = &a->things[0];
    if (x->kind != THING_TEXT && x->kind != THING_NUMBER) return function_fault(e, a, "takes a number or a string");
    return texts_of(e, x, result);
}

/* Python's own function of arguments that it takes as NumPy's does. */
static int call_numpy(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    const struct thing callee = {.kind = THING_BUILTIN, .builtin = functions_find(a->builtin->op, false)};
    size_t n = a->rest.count, count = n + a->keyword_count;
    struct thing *things = arena_array(e->arena, count, sizeof *things);
    const char **keywords = arena_zeroed(e->arena, count, sizeof *keywords);
    if (things == NULL || keywords == NULL) return evaluation_no_memory(e);
    if (n > 0) memcpy(things, a->rest.items, n * sizeof *things);
    for (size_t i = 0; i < a->keyword_count; i++) {
        things[n + i] = a->keyword_things[i];
        keywords[n + i] = a->keywords[i];
    }
    return evaluation_call(e, &callee, things, keywords, count, result);
}

/* One behind the other, to what there is before. Nothing is added to 0 that would stay what it is. */
static int add_items(struct evaluation *e, const struct sequence *items, struct thing *sum)
{
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < items->count; i++) {
        const struct thing before = *sum, *item = &items->items[i];
        bool nothing = before.kind == THING_NUMBER && before.number == 0 && before.type != TYPE_FLOAT;
        bool stays = (item->kind == THING_NUMBER && item->type != TYPE_BOOL) ||
                     (item->kind == THING_ARRAY && item->array->type != TYPE_BOOL);
        if (nothing && stays)
            *sum = *item;
        else
            code = evaluation_binary(e, OPERATION_ADD, &before, item, sum);
    }
    return code;
}

/* sum(list), sum(list, start): its items added up. Of an array NumPy's: in a program as that means, in somebody's code
 * as Python has it, along the first axis, where nothing else is said. */
static int call_sum(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct sequence items = {0};
    const struct thing *x = a->rest.count > 0 ? &a->rest.items[0] : NULL;
    if (x == NULL || a->rest.count > 2 || a->keyword_count > 0) return call_numpy(e, a, result);
    bool code_of_others = e->observer != NULL && (e->frame == NULL || !e->frame->library);
    bool started = a->rest.count == 2;
    if (x->kind == THING_ARRAY && (!code_of_others || x->array->shape.rank < (started ? 1 : 2)))
        return call_numpy(e, a, result);
    if (x->kind == THING_ARRAY) {
        struct thing both[2] = {*x, thing_number(0, TYPE_INT)}, rows = {0};
        int summed = function_by_name(e, "sum", both, 2, started ? &rows : result);
        return summed == CODE_OK && started ? evaluation_binary(e, OPERATION_ADD, &a->rest.items[1], &rows, result)
                                            : summed;
    }
    *result = a->rest.count == 2 ? a->rest.items[1] : thing_number(0, TYPE_INT);
    int code = evaluation_items(e, x, &items);
    return code == CODE_OK ? add_items(e, &items, result) : code;
}

/* Whether it is one number, be that known or not. */
static bool is_one(const struct thing *thing)
{
    return thing->kind == THING_NUMBER || (thing->kind == THING_ARRAY && thing->array->size == 1);
}

/* max(a, b, ...) of numbers: the first of those that are largest. max(list), max(array, axis): NumPy's. */
static int call_largest(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    const struct sequence *items = &a->rest;
    bool ones = items->count > 1 && a->keyword_count == 0 && evaluation_step(e, items->count) == CODE_OK;
    for (size_t i = 0; ones && i < items->count; i++)
        ones = is_one(&items->items[i]);
    if (ones && items->count == 2 && items->items[0].kind == THING_ARRAY && items->items[0].array->shape.rank > 0)
        ones = false; /* the other is an axis */
    if (e->spent || !ones) return e->spent ? evaluation_failed(e) : call_numpy(e, a, result);
    const bool largest = strcmp(a->builtin->op, "max") == 0;
    int code = CODE_OK;
    *result = items->items[0];
    for (size_t i = 1; code == CODE_OK && i < items->count; i++) {
        const struct thing *item = &items->items[i];
        struct thing both[2] = {*result, *item};
        if (result->kind != THING_NUMBER || item->kind != THING_NUMBER)
            code = function_by_name(e, largest ? "maximum" : "minimum", both, 2, result);
        else if (largest ? item->number > result->number : item->number < result->number)
            *result = *item;
    }
    return code;
}

/* print(...), assert-like calls: they say nothing here. */
static int call_nothing(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    (void)e;
    (void)a;
    *result = (struct thing){.kind = THING_NONE};
    return CODE_OK;
}

/* ---- methods ---- */

static int call_append(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    if (a->things[0].kind != THING_LIST) return function_fault(e, a, "is a method of lists");
    *result = (struct thing){.kind = THING_NONE};
    struct thing item = a->things[1];
    const struct written_place written = {.name = NULL};
    if (evaluation_written(e, &written, &item) != CODE_OK) return evaluation_failed(e);
    return sequence_add(e->arena, a->things[0].sequence, item) ? CODE_OK : evaluation_no_memory(e);
}

static int call_extend(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    if (a->things[0].kind != THING_LIST) return function_fault(e, a, "is a method of lists");
    *result = (struct thing){.kind = THING_NONE};
    return evaluation_extend(e, a->things[0].sequence, &a->things[1]);
}

static int call_insert(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    double place;
    if (a->things[0].kind != THING_LIST) return function_fault(e, a, "is a method of lists");
    struct sequence *list = a->things[0].sequence;
    int code = function_whole(e, &a->things[1], "a place", &place);
    if (code == CODE_OK) code = evaluation_step(e, list->count + 1);
    struct thing item = a->things[2];
    const struct written_place written = {.name = NULL};
    if (code == CODE_OK) code = evaluation_written(e, &written, &item);
    if (code != CODE_OK) return code;
    if (!sequence_add(e->arena, list, item)) return evaluation_no_memory(e);
    double n = (double)list->count - 1, at = fmin(fmax(place < 0 ? place + n : place, 0), n);
    for (size_t i = list->count - 1; i > (size_t)at; i--)
        list->items[i] = list->items[i - 1];
    list->items[(size_t)at] = item;
    *result = (struct thing){.kind = THING_NONE};
    return CODE_OK;
}

/* The keys, the values, or both as pairs of a dictionary. */
static int call_members(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct sequence *list = sequence_new(e->arena);
    if (a->things[0].kind != THING_DICTIONARY) return function_fault(e, a, "is a method of dictionaries");
    if (list == NULL) return evaluation_no_memory(e);
    const struct sequence *of = a->things[0].sequence;
    bool keys = strcmp(a->builtin->name, "keys") == 0, values = strcmp(a->builtin->name, "values") == 0;
    int code = evaluation_step(e, of->count);
    for (size_t i = 0; code == CODE_OK && i < of->count; i += 2) {
        if (!keys && !values)
            code = add_tuple(e, list, &of->items[i], 2);
        else if (!sequence_add(e->arena, list, of->items[i + values]))
            code = evaluation_no_memory(e);
    }
    *result = (struct thing){.kind = THING_LIST, .sequence = list};
    return code;
}

static int call_get(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct thing there = {0};
    const struct thing keys = a->things[0];
    if (keys.kind != THING_DICTIONARY) return function_fault(e, a, "is a method of dictionaries");
    int code = evaluation_binary(e, OPERATION_IN, &a->things[1], &keys, &there);
    if (code != CODE_OK) return code;
    if (there.number != 0) return subscript_read(e, &keys, &a->things[1], 1, result);
    *result = a->things[2];
    return CODE_OK;
}

static int call_setdefault(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct thing there = {0}, ignored;
    if (a->things[0].kind != THING_DICTIONARY) return function_fault(e, a, "is a method of dictionaries");
    int code = evaluation_binary(e, OPERATION_IN, &a->things[1], &a->things[0], &there);
    if (code == CODE_OK && there.number == 0)
        code = subscript_write(e, &a->things[0], &a->things[1], 1, OPERATION_NONE, &a->things[2], &ignored);
    return code == CODE_OK ? subscript_read(e, &a->things[0], &a->things[1], 1, result) : code;
}

/* slice(stop), slice(start, stop, step) */
static int call_slice(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct thing *bounds = arena_zeroed(e->arena, 3, sizeof *bounds);
    if (bounds == NULL) return evaluation_no_memory(e);
    bounds[0] = a->named[1] ? a->things[0] : (struct thing){.kind = THING_NONE};
    bounds[1] = a->things[a->named[1]];
    bounds[2] = a->things[2];
    *result = (struct thing){.kind = THING_SLICE, .bounds = bounds};
    return CODE_OK;
}

static int compare_sorted(const void *a, const void *b)
{
    const struct thing *x = a, *y = b;
    if (x->kind == THING_TEXT) return strcmp(x->text, y->text);
    return (x->number > y->number) - (x->number < y->number);
}

/* Numbers, or texts. */
static int call_sorted(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct sequence items = {0}, *list = sequence_new(e->arena);
    bool reverse = false;
    int code = evaluation_items(e, &a->things[0], &items);
    if (code == CODE_OK) code = argument_truth(e, a, 1, false, &reverse);
    if (code != CODE_OK) return code;
    if (list == NULL) return evaluation_no_memory(e);
    for (size_t i = 0; i < items.count; i++) {
        const struct thing *item = &items.items[i];
        if (item->kind != items.items[0].kind || (item->kind != THING_NUMBER && item->kind != THING_TEXT))
            return function_fault(e, a, "puts numbers, or texts, into order");
        if (item->kind == THING_NUMBER && isnan(item->number)) return function_fault(e, a, "cannot put NaN into order");
        if (!sequence_add(e->arena, list, *item)) return evaluation_no_memory(e);
    }
    if (evaluation_step(e, 16 * items.count) != CODE_OK) return evaluation_failed(e);
    if (list->count > 0) qsort(list->items, list->count, sizeof *list->items, compare_sorted);
    for (size_t i = 0; reverse && i < list->count / 2; i++) {
        const struct thing kept = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = kept;
    }
    *result = (struct thing){.kind = THING_LIST, .sequence = list};
    return CODE_OK;
}

/* Turns a list around where it stands. */
static int call_reverse(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    if (a->things[0].kind != THING_LIST) return function_fault(e, a, "is a method of lists");
    struct sequence *list = a->things[0].sequence;
    int code = evaluation_step(e, list->count);
    for (size_t i = 0; code == CODE_OK && i < list->count / 2; i++) {
        const struct thing item = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = item;
    }
    *result = (struct thing){.kind = THING_NONE};
    return code;
}

/* The last item of a list, which it has no more. */
static int call_pop(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    if (a->things[0].kind != THING_LIST) return function_fault(e, a, "is a method of lists");
    struct sequence *list = a->things[0].sequence;
    if (list->count == 0 || a->given[1]) return function_fault(e, a, "takes the last item of a list that has one");
    *result = list->items[--list->count];
    return CODE_OK;
}

/* dict(), dict(key=value), dict(of another), dict(of pairs) */
static int call_dict(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct sequence *sequence = sequence_new(e->arena), pairs = {0}, pair = {0};
    struct thing ignored;
    if (sequence == NULL) return evaluation_no_memory(e);
    *result = (struct thing){.kind = THING_DICTIONARY, .sequence = sequence};
    if (a->rest.count > 1) return function_fault(e, a, "takes one argument");
    const struct thing *of = a->rest.count > 0 ? &a->rest.items[0] : NULL;
    int code = CODE_OK;
    if (of != NULL && of->kind == THING_DICTIONARY) {
        code = evaluation_step(e, of->sequence->count);
        for (size_t i = 0; code == CODE_OK && i < of->sequence->count; i++)
            if (!sequence_add(e->arena, sequence, of->sequence->items[i])) code = evaluation_no_memory(e);
    } else if (of != NULL) {
        code = evaluation_items(e, of, &pairs);
    }
    for (size_t i = 0; code == CODE_OK && i < pairs.count; i++) {
        code = evaluation_items(e, &pairs.items[i], &pair);
        if (code == CODE_OK && pair.count != 2) return function_fault(e, a, "takes pairs of a key and a value");
        if (code == CODE_OK)
            code = subscript_write(e, result, &pair.items[0], 1, OPERATION_NONE, &pair.items[1], &ignored);
    }
    for (size_t i = 0; code == CODE_OK && i < a->keyword_count; i++) {
        const struct thing key = {.kind = THING_TEXT, .text = a->keywords[i]};
        code = subscript_write(e, result, &key, 1, OPERATION_NONE, &a->keyword_things[i], &ignored);
    }
    return code;
}

const struct builtin python_builtins[] = {
    {"len", "x", call_len, NULL, FREE},
    {"range", "stop, stop=, step=", call_range, NULL, FREE},
    {"list", "x=", call_list, NULL, FREE},
    {"tuple", "x=", call_list, NULL, FREE},
    {"dict", "*", call_dict, NULL, FREE},
    {"reversed", "x", call_reversed, NULL, FREE},
    {"enumerate", "x, start=", call_enumerate, NULL, FREE},
    {"zip", "*", call_zip, NULL, FREE},
    {"int", "x", call_int, NULL, FREE},
    {"bool", "x", call_bool, NULL, FREE},
    {"str", "x", call_str, NULL, FREE},
    {"python.sum", "*", call_sum, "sum", FREE},
    {"python.max", "*", call_largest, "max", FREE},
    {"python.min", "*", call_largest, "min", FREE},
    {"print", "*", call_nothing, NULL, FREE},
    {"append", "list, item", call_append, NULL, METHOD},
    {"extend", "list, items", call_extend, NULL, METHOD},
    {"insert", "list, place, item", call_insert, NULL, METHOD},
    {"reverse", "list", call_reverse, NULL, METHOD},
    {"pop", "list, place=", call_pop, NULL, METHOD},
    {"keys", "dictionary", call_members, NULL, METHOD},
    {"values", "dictionary", call_members, NULL, METHOD},
    {"items", "dictionary", call_members, NULL, METHOD},
    {"get", "dictionary, key, fallback=", call_get, NULL, METHOD},
    {"setdefault", "dictionary, key, fallback=", call_setdefault, NULL, METHOD},
    {"slice", "start, stop=, step=", call_slice, NULL, FREE},
    {"sorted", "items, reverse=", call_sorted, NULL, FREE},
    {.name = NULL},
};
