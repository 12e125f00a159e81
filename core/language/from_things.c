/* Things as arrays: numbers, and lists of numbers and arrays within each other. */
#include <string.h>

#include "core/language/sharing.h"

static int array_of_number(struct evaluation *e, const struct thing *thing, struct array **array)
{
    double *numbers = NULL;
    const struct shape scalar = {0};
    int code = array_known(e, &scalar, thing->type, array, &numbers);
    if (code == CODE_OK && numbers != NULL) numbers[0] = thing->number;
    return code;
}

/* One array out of several of one shape: they stand one behind the other along a new first axis. */
static int pile(struct evaluation *e, struct array **parts, size_t count, struct array **array)
{
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    enum number_type type = TYPE_BOOL;
    bool known = true;
    for (size_t i = 0; i < count; i++) {
        if (!shape_equal(&parts[i]->shape, &parts[0]->shape))
            return evaluation_fault(e, "the parts of an array have different shapes: %s and %s",
                                    shape_text(&parts[0]->shape, a), shape_text(&parts[i]->shape, b));
        if (parts[i]->type > type) type = parts[i]->type;
        known = known && parts[i]->numbers != NULL;
    }
    struct shape shape = {.rank = parts[0]->shape.rank + 1, .dim = {count}};
    for (size_t i = 1; i < shape.rank && i < TENSOR_RANK_MAX; i++)
        shape.dim[i] = parts[0]->shape.dim[i - 1];
    if (known) {
        double *numbers;
        int code = array_known(e, &shape, type, array, &numbers);
        for (size_t i = 0; code == CODE_OK && i < count; i++)
            memcpy(numbers + i * parts[0]->size, parts[i]->numbers, parts[0]->size * sizeof *numbers);
        return code;
    }
    struct shape one = shape;
    one.dim[0] = 1;
    for (size_t i = 0; i < count; i++)
        if (array_reshape(e, parts[i], &one, &parts[i]) != CODE_OK) return evaluation_failed(e);
    const double axis = 0;
    return array_op(e, "concatenate", &axis, 1, parts, count, type, array);
}

/* Lists within lists, `depth` of them around this one. */
static int from_lists(struct evaluation *e, const struct thing *thing, size_t depth, struct array **array)
{
    char words[SHAPE_TEXT_MAX + 32];
    if (thing->kind == THING_ARRAY) {
        *array = thing->array;
        return sharing_now(e, array);
    }
    if (thing->kind == THING_NUMBER) return array_of_number(e, thing, array);
    if (thing->kind == THING_LOST) return evaluation_lost(e, thing);
    if (thing->kind != THING_LIST && thing->kind != THING_TUPLE && thing->kind != THING_RANGE)
        return evaluation_fault(e, "an array is expected here, not %s", thing_words(thing, words));
    size_t count = thing->kind == THING_RANGE ? thing->range->count : thing->sequence->count;
    int code = evaluation_step(e, count);
    if (code == CODE_OK && count == 0) {
        const struct shape none = {.rank = 1};
        double *numbers;
        return array_known(e, &none, TYPE_FLOAT, array, &numbers);
    }
    if (code == CODE_OK && depth == LANGUAGE_RANK_MAX)
        return evaluation_fault(e, "more than %d lists within each other are no array", LANGUAGE_RANK_MAX);
    struct array **parts = code == CODE_OK ? arena_array(e->arena, count, sizeof *parts) : NULL;
    if (code == CODE_OK && parts == NULL) return evaluation_no_memory(e);
    for (size_t i = 0; code == CODE_OK && i < count; i++) {
        const struct thing item = thing->kind == THING_RANGE ? range_item(thing->range, i) : thing->sequence->items[i];
        code = from_lists(e, &item, depth + 1, &parts[i]);
    }
    return code == CODE_OK ? pile(e, parts, count, array) : code;
}

int array_of(struct evaluation *e, const struct thing *thing, struct array **array)
{
    return from_lists(e, thing, 0, array);
}
