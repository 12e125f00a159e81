#include "core/backward/put.h"

#include <string.h>

#include "core/backward/gradient_of.h"
#include "core/backward/judge.h"
#include "core/backward/spoiled.h"
#include "core/base/numbers.h"
#include "core/language/sharing.h"

enum { EVENTS_MAX = 50000, NESTED_MAX = 2 };

/* The numbers that are put somewhere are looked at. */
enum { ELEMENTS_OF_A_STEP = 256 };

/* ---- things ---- */

/* What becomes of an event's array: it is put together where somebody has to see it now, and put right under a plan.
 * *put: what is there then. */
static int see(struct run *run, struct evaluation *e, size_t which, struct array **put)
{
    struct event *event = &run->events[which];
    event->array = *put;
    const bool judges = run->plan != NULL && !run->plan->bare;
    int code = judges && event->judged ? array_settle(e, *put) : CODE_OK;
    if (code != CODE_OK) return code;
    event->zeros = (*put)->numbers != NULL && (*put)->size > 0 && numbers_largest((*put)->size, (*put)->numbers) == 0;
    if (judges && (*put)->numbers != NULL && !event->passing) code = judge_event(run, e, which, put);
    return code != CODE_OK || events_put(run, which, *put) ? code : run_no_memory(run);
}

static int note_array(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
                      size_t statement)
{
    struct array *array = NULL;
    int code = array_of(e, thing, &array);
    /* A loop that writes into an array element by element does not make a copy of it each time: that is put together
     * when somebody wants to know what is in it. */
    bool later = code == CODE_OK && written->updates && array->value == NULL && array->numbers == NULL;
    if (code == CODE_OK && !later) code = array_settle(e, array);
    if (code != CODE_OK || (!later && array->numbers == NULL)) return code;
    if (evaluation_step(e, array->size / ELEMENTS_OF_A_STEP) != CODE_OK) return evaluation_failed(e);
    size_t which = events_add(run, e, written, statement);
    if (which == EVENT_NONE) return run_no_memory(run);
    struct array *put = array;
    code = see(run, e, which, &put);
    if (code == CODE_OK && put != array) *thing = thing_array(put);
    return code;
}

static int too_many(struct evaluation *e)
{
    e->spent = true;
    return evaluation_fault(e, "the code assigns to more than %d places: no more are followed", EVENTS_MAX);
}

static int note_items(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
                      size_t statement, size_t depth)
{
    if (run->count >= EVENTS_MAX) return too_many(e);
    if (thing->kind == THING_ARRAY || (thing->kind == THING_NUMBER && thing->type == TYPE_FLOAT))
        return note_array(run, e, written, thing, statement);
    bool dictionary = thing->kind == THING_DICTIONARY;
    if ((!dictionary && thing->kind != THING_LIST && thing->kind != THING_TUPLE) || depth == NESTED_MAX) return CODE_OK;
    struct sequence *sequence = thing->sequence;
    int code = evaluation_step(e, sequence->count);
    for (size_t i = 0; code == CODE_OK && i < sequence->count; i += dictionary ? 2 : 1) {
        struct written_place inner = *written;
        if (inner.key_count == WRITTEN_KEYS_MAX) break;
        inner.count = dictionary ? 0 : sequence->count;
        inner.keys[inner.key_count++] = dictionary ? sequence->items[i] : thing_number((double)i, TYPE_INT);
        code = note_items(run, e, &inner, &sequence->items[i + dictionary], statement, depth + 1);
    }
    return code;
}

int put_note(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
             size_t statement)
{
    return note_items(run, e, written, thing, statement, 0);
}

/* Whether a thing is numbers all through, so that it may stand for a tensor. A list may hold itself, several times. */
static int find_numbers(struct evaluation *e, const struct thing *thing, size_t depth, bool *all)
{
    const bool list = thing->kind == THING_LIST || thing->kind == THING_TUPLE;
    *all = thing->kind == THING_NUMBER || (thing->kind == THING_ARRAY && depth > 0);
    if (!list || depth == LANGUAGE_RANK_MAX) return CODE_OK;
    int code = evaluation_step(e, thing->sequence->count);
    *all = thing->sequence->count > 0;
    for (size_t i = 0; code == CODE_OK && *all && i < thing->sequence->count; i++)
        code = find_numbers(e, &thing->sequence->items[i], depth + 1, all);
    return code;
}

/* The same, and all of one length: what is no tensor may still be a list of some. */
static int as_tensor(struct run *run, struct evaluation *e, struct thing *thing, bool *is)
{
    struct array *array = NULL;
    int code = find_numbers(e, thing, 0, is);
    if (code != CODE_OK || !*is) return code;
    code = array_of(e, thing, &array);
    if (code == CODE_PROGRAM_ERROR && !e->spent) {
        *run->reader.error = (struct error){0};
        run->reader.fault = (struct spot){0};
        code = CODE_OK;
        *is = false;
    }
    return code;
}

int put_assigned(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
                 size_t statement)
{
    size_t aim;
    const char *of;
    bool own = written->key_count == 0 && run_is_main_frame(run, evaluation_call_number(e)) &&
               run_aim_of(run->surroundings, written, &aim, &of) == AIMED_AT,
         tensor = false;
    if (own && as_tensor(run, e, thing, &tensor) != CODE_OK) return evaluation_failed(e);
    if (tensor) {
        if (run->count >= EVENTS_MAX) return too_many(e);
        return note_array(run, e, written, thing, statement);
    }
    bool graded = own && run->surroundings->aims[aim].graded != GRADIENT_NONE,
         holds = thing->kind == THING_ARRAY || (!graded && (thing->kind == THING_LIST || thing->kind == THING_TUPLE));
    if (!own || holds) return put_note(run, e, written, thing, statement);
    run->outcomes[statement].emptied = true;
    return CODE_OK;
}

/* ---- what several names share ---- */

/* One more event at a place where what is written into stands for a graded gradient, whatever it is called there. Where
 * that is a view, or is of one, it becomes another array once it is read. */
static int note_place(struct run *run, struct evaluation *e, size_t place, struct array **put, bool view,
                      size_t statement)
{
    const struct event *there = &run->events[place];
    if (!event_is_graded(run, there) || there->behind != EVENT_NONE) return CODE_OK;
    if (run->count >= EVENTS_MAX) return too_many(e);
    size_t which = events_add_shared(run, place, statement);
    if (which == EVENT_NONE) return run_no_memory(run);
    bool later = view && (run->plan == NULL || !run->events[which].judged);
    int code = view && !later ? sharing_now(e, put) : CODE_OK;
    struct array *before = *put;
    run->events[which].array = *put;
    if (code == CODE_OK && !later) code = see(run, e, which, put);
    if (code == CODE_OK && later && !events_put(run, which, *put)) return run_no_memory(run);
    if (code == CODE_OK && view && *put != before) sharing_change(e, before, *put);
    return code;
}

/* All places of an array. */
static int note_places(struct run *run, struct evaluation *e, const struct array *array, struct array **put, bool view,
                       size_t statement)
{
    size_t next, looked = 0;
    int code = CODE_OK;
    if (events_find_array(run, array)->array == NULL) return CODE_OK;
    for (size_t i = events_find_array(run, array)->event; code == CODE_OK && i != EVENT_NONE && looked < PLACES_MAX;
         i = next, looked++) {
        next = run->events[i].same;
        code = note_place(run, e, i, put, view, statement);
    }
    return code;
}

/* All places of views that have elements of what is written into. */
static int note_views(struct run *run, struct evaluation *e, const struct array *changed, const struct array *made,
                      size_t statement)
{
    const struct array *base = changed->base != NULL ? changed->base : changed;
    size_t next, looked = 0;
    int code = CODE_OK;
    if (events_find_array(run, base)->array == NULL) return CODE_OK;
    for (size_t i = events_find_array(run, base)->views; code == CODE_OK && i != EVENT_NONE && looked < PLACES_MAX;
         i = next, looked++) {
        struct array *put = run->events[i].array;
        next = run->events[i].next_view;
        if (put == made) continue; /* it has its event */
        bool apart = changed->view != NULL && put->view != NULL && array_views_are_apart(changed->view, put->view);
        if (!apart) code = note_place(run, e, i, &put, true, statement);
    }
    return code;
}

int put_shared(struct run *run, struct evaluation *e, const struct written_place *written, const struct array *made,
               struct thing *thing, size_t statement)
{
    struct array *put = thing->array;
    const struct array *changed = written->changed;
    if (run->array_room == 0) return CODE_OK;
    spoiled_note_shared(run, written, statement);
    int code = note_places(run, e, changed, &put, false, statement);
    if (code == CODE_OK) *thing = thing_array(put);
    for (struct array *base = changed->base; code == CODE_OK && base != NULL; base = base->base) {
        put = base;
        code = note_places(run, e, base, &put, true, statement);
    }
    if (code == CODE_OK) code = note_views(run, e, changed, made, statement);
    if (code == CODE_OK && !events_become(run, changed, thing->array)) return run_no_memory(run);
    return code;
}
