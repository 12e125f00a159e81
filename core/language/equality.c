#include "core/language/equality.h"

#include <string.h>

#include "core/language/known.h"

enum { DEPTH_MAX = 64 };

bool equality_is(const struct thing *a, const struct thing *b)
{
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case THING_NUMBER:
        return a->number == b->number;
    case THING_TEXT:
    case THING_MODULE:
        return strcmp(a->text, b->text) == 0;
    case THING_TUPLE:
    case THING_LIST:
    case THING_DICTIONARY:
        return a->sequence == b->sequence;
    case THING_RANGE:
        return a->range == b->range;
    case THING_ARRAY:
        return a->array == b->array;
    case THING_FUNCTION:
        return a->function == b->function && a->closure == b->closure;
    case THING_BUILTIN:
        return a->builtin == b->builtin && a->self == b->self;
    default:
        return true; /* None, ... */
    }
}

/* An array of one element as its number. */
static int as_number(struct evaluation *e, const struct thing *thing, struct thing *number)
{
    *number = *thing;
    if (thing->kind != THING_ARRAY || thing->array->size != 1) return CODE_OK;
    *number = thing_number(0, thing->array->type);
    return known_number(e, thing->array, &number->number);
}

static int compare(struct evaluation *e, const struct thing *a, const struct thing *b, size_t depth, bool *equal);

static int compare_items(struct evaluation *e, const struct thing *a, const struct thing *b, size_t depth, bool *equal)
{
    int code = CODE_OK;
    *equal = a->sequence->count == b->sequence->count;
    for (size_t i = 0; code == CODE_OK && *equal && i < a->sequence->count; i++)
        code = compare(e, &a->sequence->items[i], &b->sequence->items[i], depth + 1, equal);
    return code;
}

static int compare_dictionaries(struct evaluation *e, const struct thing *a, const struct thing *b, size_t depth,
                                bool *equal)
{
    int code = CODE_OK;
    *equal = a->sequence->count == b->sequence->count;
    for (size_t i = 0; code == CODE_OK && *equal && i < a->sequence->count; i += 2) {
        struct thing *other = NULL;
        code = equality_find(e, b, &a->sequence->items[i], &other);
        *equal = other != NULL;
        if (code == CODE_OK && *equal) code = compare(e, &a->sequence->items[i + 1], other, depth + 1, equal);
    }
    return code;
}

static int compare(struct evaluation *e, const struct thing *a, const struct thing *b, size_t depth, bool *equal)
{
    struct thing x, y;
    if (evaluation_step(e, 1) != CODE_OK) return evaluation_failed(e);
    *equal = equality_is(a, b);
    if (*equal) return CODE_OK;
    if (depth == DEPTH_MAX)
        return evaluation_fault(e, "more than %d lists within each other cannot be compared", DEPTH_MAX);
    if (as_number(e, a, &x) != CODE_OK || as_number(e, b, &y) != CODE_OK) return evaluation_failed(e);
    bool arrays = x.kind == THING_ARRAY || y.kind == THING_ARRAY, none = x.kind == THING_NONE || y.kind == THING_NONE;
    if (arrays && !none && x.kind != THING_TEXT && y.kind != THING_TEXT)
        return evaluation_fault(e, "an array of several elements is neither equal nor not equal to something else");
    if (x.kind != y.kind) return CODE_OK;
    if (x.kind == THING_DICTIONARY) return compare_dictionaries(e, &x, &y, depth, equal);
    if (x.kind == THING_LIST || x.kind == THING_TUPLE) return compare_items(e, &x, &y, depth, equal);
    *equal = equality_is(&x, &y);
    if (x.kind == THING_RANGE)
        *equal = x.range->count == y.range->count &&
                 (x.range->count == 0 || (x.range->start == y.range->start && x.range->step == y.range->step));
    return CODE_OK;
}

int equality_of(struct evaluation *e, const struct thing *a, const struct thing *b, bool *equal)
{
    return compare(e, a, b, 0, equal);
}

int equality_key(struct evaluation *e, const struct thing *thing, struct thing *key)
{
    char words[SHAPE_TEXT_MAX + 32];
    if (as_number(e, thing, key) != CODE_OK) return evaluation_failed(e);
    if (key->kind != THING_ARRAY && key->kind != THING_LIST && key->kind != THING_DICTIONARY) return CODE_OK;
    return evaluation_fault(e, "%s is no key of a dictionary", thing_words(thing, words));
}

int equality_find(struct evaluation *e, const struct thing *dictionary, const struct thing *key, struct thing **value)
{
    const struct sequence *members = dictionary->sequence;
    *value = NULL;
    for (size_t i = 0; i < members->count; i += 2) {
        const struct thing *other = &members->items[i];
        bool same = equality_is(other, key);
        if (!same && key->kind == THING_TUPLE && other->kind == THING_TUPLE &&
            equality_of(e, other, key, &same) != CODE_OK)
            return evaluation_failed(e);
        if (!same) continue;
        *value = &members->items[i + 1];
        break;
    }
    return evaluation_step(e, members->count / 2);
}
