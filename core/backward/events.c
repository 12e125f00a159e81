#include "core/backward/events.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/backward/gradient_of.h"
#include "core/language/evaluation.h"

static size_t hash_pointer(const void *pointer)
{
    uintptr_t bits = (uintptr_t)pointer >> 4;
    return (size_t)((bits * (uintptr_t)0x9e3779b97f4a7c15u) >> 17);
}

struct written_array *events_find_array(const struct run *run, const struct array *array)
{
    for (size_t i = hash_pointer(array) % run->array_room;; i = (i + 1) % run->array_room)
        if (run->arrays[i].array == NULL || run->arrays[i].array == array) return &run->arrays[i];
}

bool events_enter_array(struct run *run, const struct array *array, size_t event, double scale)
{
    if (run->array_room == 0 || 2 * run->array_count >= run->array_room) {
        struct run larger = {.array_room = run->array_room > 0 ? 2 * run->array_room : 256};
        larger.arrays = arena_zeroed(run->arena, larger.array_room, sizeof *larger.arrays);
        if (larger.arrays == NULL) return false;
        for (size_t i = 0; i < run->array_room; i++)
            if (run->arrays[i].array != NULL) *events_find_array(&larger, run->arrays[i].array) = run->arrays[i];
        run->arrays = larger.arrays;
        run->array_room = larger.array_room;
    }
    struct written_array *place = events_find_array(run, array);
    run->array_count += place->array == NULL;
    *place = (struct written_array){.array = array,
                                    .event = event,
                                    .scale = scale,
                                    .views = place->array != NULL ? place->views : EVENT_NONE,
                                    .given = place->given};
    return true;
}

/* Takes an event out of a chain: that of its array, or of the views of one. False where it is too far down. */
static bool unlink_event(struct run *run, size_t which, size_t *link, bool views)
{
    for (size_t looked = 0; *link != EVENT_NONE && looked < PLACES_MAX; looked++) {
        size_t *next = views ? &run->events[*link].next_view : &run->events[*link].same;
        if (*link == which) {
            *link = *next;
            *next = EVENT_NONE;
            return true;
        }
        link = next;
    }
    return *link == EVENT_NONE;
}

static bool find_room(struct run *run, const struct array *array)
{
    bool there = run->array_room > 0 && events_find_array(run, array)->array != NULL;
    return there || events_enter_array(run, array, EVENT_NONE, 0);
}

bool events_put(struct run *run, size_t which, struct array *array)
{
    struct event *event = &run->events[which];
    if (!find_room(run, array) || (array->base != NULL && !find_room(run, array->base))) return false;
    if (event->entered != NULL) { /* it goes on with another one; one that cannot be taken out stays where it is */
        const struct array *base = event->entered->base;
        if (!unlink_event(run, which, &events_find_array(run, event->entered)->event, false)) return true;
        if (base != NULL && events_find_array(run, base)->array != NULL &&
            !unlink_event(run, which, &events_find_array(run, base)->views, true))
            return true;
    }
    struct written_array *there = events_find_array(run, array);
    event->same = there->event;
    there->event = which;
    event->entered = array;
    if (array->base == NULL) return true;
    there = events_find_array(run, array->base);
    event->next_view = there->views;
    there->views = which;
    return true;
}

bool events_become(struct run *run, const struct array *before, const struct array *after)
{
    if (run->array_room == 0 || events_find_array(run, before)->array == NULL) return true;
    const struct written_array known = *events_find_array(run, before);
    if (events_find_array(run, after)->array == NULL && !events_enter_array(run, after, known.event, known.scale))
        return false;
    struct written_array *there = events_find_array(run, after);
    there->views = known.views;
    there->given = known.given;
    return true;
}

bool event_is_graded(const struct run *run, const struct event *event)
{
    return event->aimed == AIMED_AT && run->surroundings->aims[event->aim].graded != GRADIENT_NONE;
}

/* ---- places ---- */

static bool same_place(const struct event *a, const struct event *b)
{
    return a->frame == b->frame && strcmp(a->name, b->name) == 0;
}

static size_t *find_slot(const struct run *run, const struct event *event)
{
    size_t hash = 14695981039346656037u ^ event->frame;
    for (const char *c = event->name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    size_t room = run->slot_room > 0 ? run->slot_room : 1; /* there is room, as events are added behind grow_events */
    for (size_t i = hash % room;; i = (i + 1) % room)
        if (run->slots[i] == EVENT_NONE || same_place(&run->events[run->slots[i]], event)) return &run->slots[i];
}

enum { EVENTS_FIRST = 128 };

static bool grow_events(struct run *run)
{
    struct event *larger = arena_grow(run->arena, run->events, run->count, &run->room, sizeof *larger, EVENTS_FIRST);
    if (larger == NULL) return false;
    run->events = larger;
    size_t *slots = arena_array(run->arena, 4 * run->room, sizeof *slots);
    if (slots == NULL) return false;
    run->slots = slots;
    run->slot_room = 4 * run->room;
    for (size_t i = 0; i < run->slot_room; i++)
        slots[i] = EVENT_NONE;
    for (size_t i = 0; i < run->count; i++)
        *find_slot(run, &run->events[i]) = i; /* the last one of a place stays */
    return true;
}

/* ---- events ---- */

const struct event *run_same(const struct run *other, const struct event *event, size_t *cursor)
{
    while (*cursor != EVENT_NONE && other->events[*cursor].execution < event->execution)
        *cursor = other->events[*cursor].next;
    if (*cursor == EVENT_NONE) return NULL;
    /* What is handed back may have no name in one of them: return dW, return dW * 2. */
    bool by_part = event->name[0] == '\0' || other->statements[event->statement]->kind == STATEMENT_RETURN;
    const struct event *found = NULL; /* a function's own name may be that of what it is called with */
    for (size_t i = *cursor; i != EVENT_NONE; i = other->events[i].next) {
        const struct event *one = &other->events[i];
        if (one->execution != event->execution) break;
        bool same = by_part || strcmp(one->name, event->name) == 0;
        if (same && one->part == event->part) return one;
        if (same && !by_part && found == NULL) found = one;
    }
    return found;
}

/* The event of the plain run that this one is the same as, or the later one that it is built up to; NULL where there is
 * none. */
static const struct event *find_plain(struct run *run, const struct event *event)
{
    const struct run *plain = run->plan->plain;
    if (event->statement >= plain->syntax.statement_count) return NULL;
    size_t *cursor = &run->outcomes[event->statement].cursor;
    const struct event *same = run_same(plain, event, cursor);
    for (size_t i = *cursor; same == NULL && event->execution > EXECUTIONS_KEPT && i != EVENT_NONE;
         i = plain->events[i].next)
        if (strcmp(plain->events[i].name, event->name) == 0) same = &plain->events[i];
    return same;
}

static const char *name_place(struct run *run, const struct written_place *w)
{
    enum { NAME_MAX_SHOWN = 100 };
    const char *name = w->name != NULL ? w->name : "";
    char text[256];
    size_t n = strnlen(name, NAME_MAX_SHOWN);
    memcpy(text, name, n);
    for (size_t k = 0; k < w->key_count && n < 200; k++) {
        const struct thing *key = &w->keys[k];
        if (key->kind == THING_TEXT && w->name == NULL)
            n += (size_t)snprintf(text + n, sizeof text - n, "%.60s", key->text);
        else if (key->kind == THING_TEXT)
            n += (size_t)snprintf(text + n, sizeof text - n, "['%.40s']", key->text);
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "[%.0f]", key->number);
    }
    return arena_text(run->arena, text, n < sizeof text ? n : sizeof text - 1);
}

/* Whether an event takes the place of the one before it: it builds up the same, or stands for no gradient. */
static bool goes_on(const struct event *before, const struct event *event)
{
    return before->statement == event->statement && before->execution > EXECUTIONS_KEPT &&
           event->execution > before->execution && (event->updates || before->aimed == AIMED_NOT) &&
           before->behind == EVENT_NONE;
}

/* One more event of a statement, at a place: its number; EVENT_NONE where memory is short. */
static size_t add(struct run *run, const char *name, size_t frame, bool updates, size_t statement)
{
    struct outcome *outcome = &run->outcomes[statement];
    size_t which = run->count;
    if (name == NULL || (run->count == run->room && !grow_events(run))) return EVENT_NONE;
    struct event *event = &run->events[which];
    *event = (struct event){.statement = statement,
                            .execution = outcome->begun,
                            .part = outcome->parts++,
                            .frame = frame,
                            .before = EVENT_NONE,
                            .behind = EVENT_NONE,
                            .next = EVENT_NONE,
                            .same = EVENT_NONE,
                            .next_view = EVENT_NONE,
                            .name = name,
                            .aim = GRADIENT_NONE,
                            .updates = updates};
    size_t *slot = name[0] != '\0' ? find_slot(run, event) : NULL;
    size_t before = slot != NULL ? *slot : EVENT_NONE;
    if (before != EVENT_NONE && goes_on(&run->events[before], event)) {
        event->before = run->events[before].before;
        event->next = run->events[before].next;
        event->used = run->events[before].used;
        event->same = run->events[before].same;
        event->next_view = run->events[before].next_view;
        event->entered = run->events[before].entered;
        run->events[before] = *event;
        return before;
    }
    event->before = before;
    if (before != EVENT_NONE) run->events[before].behind = which;
    if (slot != NULL) *slot = which;
    run->count++;
    if (outcome->first == EVENT_NONE)
        outcome->first = which;
    else
        run->events[outcome->last].next = which;
    outcome->last = which;
    return which;
}

/* What an event stands for by the plain run; false where that has none like it. */
static bool aim_as_plain(struct run *run, struct event *event)
{
    const struct event *plain = run->plan != NULL ? find_plain(run, event) : NULL;
    if (plain == NULL) return false;
    event->aimed = plain->aimed;
    event->aim = plain->aim;
    event->of = plain->of;
    event->passing = plain->execution != event->execution;
    event->judged = plain->judged && !event->passing;
    event->rewrites = plain->rewrites;
    return true;
}

/* Where the name is at home that something is put under: an item may be of what a function finds around it. */
static size_t frame_of(const struct evaluation *e, const struct written_place *written)
{
    if (written->key_count == 0 || written->name == NULL) return evaluation_call_number(e);
    size_t symbol = syntax_symbol(e->syntax, written->name);
    for (const struct frame *frame = e->frame; frame != NULL; frame = frame->outer)
        if (frame_local(frame, symbol) != NULL) return frame->number;
    bool outermost = symbol < e->syntax->name_count && e->names[symbol].count > 0;
    return outermost ? 0 : evaluation_call_number(e);
}

size_t events_add(struct run *run, struct evaluation *e, const struct written_place *written, size_t statement)
{
    size_t which = add(run, name_place(run, written), frame_of(e, written), written->updates, statement);
    if (which == EVENT_NONE) return which;
    struct event *event = &run->events[which];
    if (!aim_as_plain(run, event) && run_is_main(run, event)) {
        event->aimed = run_aim_of(run->surroundings, written, &event->aim, &event->of);
        event->judged = event->aimed != AIMED_NOT;
    }
    return which;
}

size_t events_add_shared(struct run *run, size_t place, size_t statement)
{
    size_t which = add(run, run->events[place].name, run->events[place].frame, true, statement);
    if (which == EVENT_NONE) return which;
    struct event *event = &run->events[which];
    if (aim_as_plain(run, event)) return which;
    event->aimed = run->events[place].aimed;
    event->aim = run->events[place].aim;
    event->of = run->events[place].of;
    event->judged = true;
    return which;
}
