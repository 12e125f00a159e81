#include "core/language/thing.h"

#include <stdio.h>
#include <string.h>

const char *thing_words(const struct thing *thing, char *text)
{
    static const char *const words[] = {
        [THING_NONE] = "None",           [THING_NUMBER] = "a number",    [THING_TEXT] = "a string",
        [THING_TUPLE] = "a tuple",       [THING_LIST] = "a list",        [THING_DICTIONARY] = "a dictionary",
        [THING_RANGE] = "a range",       [THING_SLICE] = "a slice",      [THING_ELLIPSIS] = "an ellipsis",
        [THING_FUNCTION] = "a function", [THING_BUILTIN] = "a function", [THING_MODULE] = "a module",
        [THING_LOST] = "nothing"};
    if (thing->kind != THING_ARRAY) {
        snprintf(text, SHAPE_TEXT_MAX + 32, "%s", words[thing->kind]);
        return text;
    }
    char shape[SHAPE_TEXT_MAX];
    snprintf(text, SHAPE_TEXT_MAX + 32, "an array of shape %s", shape_text(&thing->array->shape, shape));
    return text;
}

struct thing thing_number(double number, enum number_type type)
{
    return (struct thing){.kind = THING_NUMBER, .number = number, .type = type};
}

struct thing thing_array(struct array *array)
{
    return (struct thing){.kind = THING_ARRAY, .array = array};
}

struct thing range_item(const struct range *range, size_t i)
{
    return thing_number(range->start + (double)i * range->step, TYPE_INT);
}

struct sequence *sequence_new(struct arena *arena)
{
    return arena_zeroed(arena, 1, sizeof(struct sequence));
}

enum { ITEMS_FIRST = 4 };

bool sequence_add(struct arena *arena, struct sequence *sequence, struct thing item)
{
    struct thing *items =
        arena_grow(arena, sequence->items, sequence->count, &sequence->room, sizeof *items, ITEMS_FIRST);
    if (items == NULL) return false;
    sequence->items = items;
    sequence->items[sequence->count++] = item;
    return true;
}
