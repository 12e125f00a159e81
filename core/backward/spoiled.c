#include "core/backward/spoiled.h"

#include <string.h>

#include "core/backward/surroundings_things.h"

bool spoiled_give(struct run *run, const char *name, struct array *array)
{
    if (!events_enter_array(run, array, EVENT_NONE, 0)) return false;
    events_find_array(run, array)->given = name;
    return true;
}

int spoiled_give_names(struct run *run, const struct evaluation *e)
{
    run->named = e->bound;
    for (size_t n = 0; n < run->syntax.name_count; n++) {
        const struct versions *versions = &e->names[n];
        const struct thing *thing = versions->count > 0 ? &versions->list[versions->count - 1].thing : NULL;
        if (thing != NULL && thing->kind == THING_ARRAY && !spoiled_give(run, run->syntax.names[n], thing->array))
            return run_no_memory(run);
    }
    return CODE_OK;
}

/* ---- under another name ---- */

static bool is_wanted(const char *name, const char *but, const char *wanted)
{
    if (name == NULL || name[0] == '\0' || (but != NULL && strcmp(name, but) == 0)) return false;
    return wanted == NULL || strcmp(name, wanted) == 0;
}

/* A name that an array has, or what it is a view of, but for one: that of a value of the forward pass, or another one
 * that is not graded. NULL where it has none; with `wanted`, it is that name. */
static const char *find_name(const struct run *run, const struct array *array, const char *but, const char *wanted)
{
    for (; run->array_room > 0 && array != NULL; array = array->base) {
        const struct written_array *known = events_find_array(run, array);
        if (known->array == NULL) continue;
        if (is_wanted(known->given, but, wanted)) return known->given;
        size_t looked = 0;
        for (size_t i = known->event; i != EVENT_NONE && looked < PLACES_MAX; i = run->events[i].same, looked++) {
            const struct event *event = &run->events[i];
            /* What is graded has an event of its own where it is written into. */
            if (event->behind == EVENT_NONE && !event_is_graded(run, event) && is_wanted(event->name, but, wanted))
                return event->name;
        }
    }
    return NULL;
}

static void note(struct run *run, const char *name, size_t statement, bool own)
{
    for (size_t i = 0; i < run->spoiled_count; i++)
        if (run->spoiled[i].statement == statement && strcmp(run->spoiled[i].name, name) == 0) return;
    if (run->spoiled_count < SPOILED_MAX)
        run->spoiled[run->spoiled_count++] = (struct spoiled){.name = name, .statement = statement, .own = own};
}

void spoiled_note_shared(struct run *run, const struct written_place *written, size_t statement)
{
    const char *name = run->plan == NULL ? find_name(run, written->changed, written->name, NULL) : NULL;
    if (name != NULL) note(run, name, statement, false);
}

bool spoiled_is_apart(const struct run *run, const struct array *array)
{
    for (size_t i = 0; run->plan != NULL && i < run->plan->apart_count; i++)
        if (!run->plan->apart[i]->own && find_name(run, array, NULL, run->plan->apart[i]->name) != NULL) return true;
    return false;
}

/* ---- under its own ---- */

/* What a name of the forward pass stood for when the code began. */
static const struct array *find_original(const struct run *run, struct evaluation *e, const char *name)
{
    struct thing thing = {.kind = THING_NONE};
    const size_t symbol = syntax_symbol(e->syntax, name);
    const struct versions *versions = symbol < e->syntax->name_count ? &e->names[symbol] : NULL;
    if (versions != NULL && versions->count > 0 && versions->list[0].order < run->named)
        thing = versions->list[0].thing;
    else if (known_find(run->surroundings, name) == NULL || !things_find(e, run->surroundings, name, &thing))
        return NULL;
    return thing.kind == THING_ARRAY && thing.array->numbers != NULL ? thing.array : NULL;
}

static bool same_numbers(const struct array *a, const struct array *b)
{
    return shape_equal(&a->shape, &b->shape) && b->numbers != NULL &&
           memcmp(a->numbers, b->numbers, a->size * sizeof *a->numbers) == 0;
}

void spoiled_note_own(struct run *run, struct evaluation *e, const struct written_place *written,
                      const struct thing *thing, size_t statement)
{
    bool whole = written->name != NULL && written->key_count == 0 && thing->kind == THING_ARRAY;
    if (run->plan != NULL || !whole || run->spoiled_count == SPOILED_MAX ||
        !run_is_main_frame(run, evaluation_call_number(e)))
        return;
    const struct array *original = find_original(run, e, written->name);
    if (original != NULL && !same_numbers(original, thing->array)) note(run, written->name, statement, true);
}

int spoiled_restore(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
                    size_t statement)
{
    for (size_t i = 0; run->plan != NULL && i < run->plan->apart_count; i++) {
        const struct spoiled *spoiled = run->plan->apart[i];
        if (!spoiled->own || spoiled->statement != statement || written->name == NULL || written->key_count > 0 ||
            strcmp(spoiled->name, written->name) != 0)
            continue;
        const struct array *original = find_original(run, e, spoiled->name);
        struct array *copy = NULL;
        double *numbers;
        if (original == NULL) return CODE_OK;
        int code = array_known(e, &original->shape, original->type, &copy, &numbers);
        if (code != CODE_OK) return code;
        memcpy(numbers, original->numbers, original->size * sizeof *numbers);
        *thing = thing_array(copy);
    }
    return CODE_OK;
}
