#include "core/language/calculation.h"

#include <stdint.h>
#include <string.h>

static bool is_called(const struct known_numbers *known, const char *name)
{
    return strlen(name) == known->length && memcmp(known->name, name, known->length) == 0;
}

static struct array *make_array(struct arena *arena, const struct known_numbers *known)
{
    struct array *array = arena_zeroed(arena, 1, sizeof *array);
    size_t size;
    if (array == NULL || !shape_size(known->shape, &size)) return NULL;
    shape_copy(&array->shape, known->shape);
    array->size = size;
    array->type = TYPE_INT; /* an index, where all are whole */
    for (size_t i = 0; i < size; i++)
        if (!(known->numbers[i] > -9e15 && known->numbers[i] < 9e15) ||
            known->numbers[i] != (double)(long long)known->numbers[i])
            array->type = TYPE_FLOAT;
    array->numbers = known->numbers;
    return array;
}

/* What a name stands for: an array, or the list of those that it stood for one after the other. False where memory is
 * short; a name that nobody knows is left to be found unknown. */
static bool bind(struct evaluation *e, size_t symbol, const struct known_numbers *known, size_t count)
{
    const char *name = e->syntax->names[symbol];
    struct sequence *list = NULL;
    struct thing thing = {.kind = THING_NONE};
    for (size_t k = 0; k < count; k++) {
        if (!is_called(&known[k], name)) continue;
        struct array *array = make_array(e->arena, &known[k]);
        if (array == NULL) return false;
        const struct thing item = thing_array(array), nothing = {.kind = THING_NONE};
        if (known[k].version == SIZE_MAX) {
            thing = item;
            continue;
        }
        if (list == NULL && (list = sequence_new(e->arena)) == NULL) return false;
        while (list->count <= known[k].version)
            if (!sequence_add(e->arena, list, nothing)) return false;
        list->items[known[k].version] = item;
    }
    if (list != NULL) thing = (struct thing){.kind = THING_LIST, .sequence = list};
    return thing.kind == THING_NONE || evaluation_bind(e, symbol, name, thing) == CODE_OK;
}

static const double *find_result(struct evaluation *e, const struct known_numbers *wanted)
{
    for (size_t s = 0; s < e->syntax->name_count; s++) {
        const struct versions *versions = &e->names[s];
        if (!is_called(wanted, e->syntax->names[s]) || versions->count == 0) continue;
        struct thing thing = versions->list[versions->count - 1].thing;
        if (wanted->version != SIZE_MAX) {
            if (thing.kind != THING_LIST || wanted->version >= thing.sequence->count) return NULL;
            thing = thing.sequence->items[wanted->version];
        }
        struct array *array = NULL;
        if (array_of(e, &thing, &array) != CODE_OK || array_settle(e, array) != CODE_OK) return NULL;
        return shape_equal(&array->shape, wanted->shape) ? array->numbers : NULL;
    }
    return NULL;
}

const double *calculation_run(struct arena *arena, const char *text, const struct known_numbers *known, size_t count,
                              const struct known_numbers *wanted, struct allowance *allowance, bool *short_of_memory)
{
    struct error error = {0};
    struct text_reader reader = {.arena = arena, .error = &error};
    struct syntax syntax;
    struct graph graph;
    if (syntax_read(&reader, text, strlen(text), &syntax) != CODE_OK) {
        *short_of_memory = *short_of_memory || error.code == CODE_OUT_OF_MEMORY;
        return NULL;
    }
    graph_begin(arena, &graph);
    struct evaluation e = {.reader = &reader,
                           .arena = arena,
                           .syntax = &syntax,
                           .graph = &graph,
                           .left = *allowance,
                           .spot = {1, 1},
                           .names = arena_zeroed(arena, syntax.name_count, sizeof *e.names)};
    bool bound = e.names != NULL;
    for (size_t s = 0; bound && s < syntax.name_count; s++)
        bound = bind(&e, s, known, count);
    const double *numbers = NULL;
    if (bound && evaluation_run(&e, &syntax.body) == CODE_OK) numbers = find_result(&e, wanted);
    *short_of_memory = *short_of_memory || !bound || error.code == CODE_OUT_OF_MEMORY;
    *allowance = e.left;
    if (e.spent) *allowance = (struct allowance){0};
    return numbers;
}
