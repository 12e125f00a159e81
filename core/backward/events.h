/* What a run of a student's code puts where: its events, by place and by array. */
#ifndef CORE_BACKWARD_EVENTS_H
#define CORE_BACKWARD_EVENTS_H

#include "core/backward/state.h"

/* Of a statement that goes on and on only the last execution is kept, besides so many first ones. */
enum { EXECUTIONS_KEPT = 64 };

/* By array: what wrote it, and how it is scaled. */
struct written_array {
    const struct array *array;
    size_t event;
    double scale;      /* 0: it is no multiple of a gradient */
    size_t views;      /* the last event whose array is a view of it; the others follow by next_view */
    const char *given; /* the name of the forward value that it is; NULL: it is none */
};

/* So many assignments of one array are looked at when it is written into. */
enum { PLACES_MAX = 256 };

/* Whether an event is at a place of a graded gradient. */
bool event_is_graded(const struct run *run, const struct event *event);

/* The entry of an array: its own, or the empty one where it would be entered. There has to be a table. */
struct written_array *events_find_array(const struct run *run, const struct array *array);

/* Enters what wrote an array, and how it is scaled; false where memory is short. */
bool events_enter_array(struct run *run, const struct array *array, size_t event, double scale);

/* An array is what an event has put somewhere; the event is found by it, and by what it is a view of. False where
 * memory is short. */
bool events_put(struct run *run, size_t which, struct array *array);

/* An array has become another one: what is known of the one holds for the other, which has its own events if it has
 * any. False where memory is short. */
bool events_become(struct run *run, const struct array *before, const struct array *after);

/* One more event, of a statement, without its array: its number; EVENT_NONE where memory is short. */
size_t events_add(struct run *run, struct evaluation *e, const struct written_place *written, size_t statement);

/* The same where what is at the place of another event is written into under another name. */
size_t events_add_shared(struct run *run, size_t place, size_t statement);

/* The event of another run of the code that is the same as this one; NULL where there is none. *cursor begins as the
 * first of its statement there, and goes along as events of the statement are asked for in order. */
const struct event *run_same(const struct run *other, const struct event *event, size_t *cursor);

#endif
