#include "core/backward/run.h"

#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backward/surroundings_things.h"
#include "core/base/numbers.h"

enum { EVENTS_MAX = 50000, SLIPS_MAX = 2000, NESTED_MAX = 2 };

/* Of a statement that goes on and on only the last execution is kept, besides so many first ones. */
enum { EXECUTIONS_KEPT = 64 };

/* What a run may do: a student's code on the numbers of an exercise takes far less. */
enum { STEPS_MAX = 1000000 };

size_t run_elements(const struct network *network)
{
    double elements = RUN_ELEMENTS_LEAST;
    for (size_t v = 0; v < network->graph.value_count; v++)
        elements += RUN_ELEMENTS_FOR_EACH * (double)network->graph.values[v]->size;
    return (size_t)fmin(elements, RUN_ELEMENTS_MAX);
}

/* By array: what wrote it, and how it is scaled. */
struct written_array {
    const struct array *array;
    size_t event;
    double scale; /* 0: it is no multiple of a gradient */
};

static int no_memory(struct run *run)
{
    return text_no_memory(&run->reader);
}

/* ---- hash tables ---- */

static size_t hash_pointer(const void *pointer)
{
    uintptr_t bits = (uintptr_t)pointer >> 4;
    return (size_t)((bits * (uintptr_t)0x9e3779b97f4a7c15u) >> 17);
}

static struct written_array *find_array(const struct run *run, const struct array *array)
{
    for (size_t i = hash_pointer(array) % run->array_room;; i = (i + 1) % run->array_room)
        if (run->arrays[i].array == NULL || run->arrays[i].array == array) return &run->arrays[i];
}

static bool enter_array(struct run *run, const struct array *array, size_t event, double scale)
{
    if (run->array_room == 0 || 2 * run->array_count >= run->array_room) {
        struct run larger = {.array_room = run->array_room > 0 ? 2 * run->array_room : 256};
        larger.arrays = arena_zeroed(run->arena, larger.array_room, sizeof *larger.arrays);
        if (larger.arrays == NULL) return false;
        for (size_t i = 0; i < run->array_room; i++)
            if (run->arrays[i].array != NULL) *find_array(&larger, run->arrays[i].array) = run->arrays[i];
        run->arrays = larger.arrays;
        run->array_room = larger.array_room;
    }
    struct written_array *place = find_array(run, array);
    run->array_count += place->array == NULL;
    *place = (struct written_array){.array = array, .event = event, .scale = scale};
    return true;
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
    for (size_t i = hash % run->slot_room;; i = (i + 1) % run->slot_room)
        if (run->slots[i] == EVENT_NONE || same_place(&run->events[run->slots[i]], event)) return &run->slots[i];
}

static bool grow_events(struct run *run)
{
    size_t room = run->room > 0 ? 2 * run->room : 128;
    struct event *larger = arena_array(run->arena, room, sizeof *larger);
    size_t *slots = arena_array(run->arena, 4 * room, sizeof *slots);
    if (larger == NULL || slots == NULL) return false;
    if (run->count > 0) memcpy(larger, run->events, run->count * sizeof *larger);
    run->events = larger;
    run->room = room;
    run->slots = slots;
    run->slot_room = 4 * room;
    for (size_t i = 0; i < run->slot_room; i++)
        slots[i] = EVENT_NONE;
    for (size_t i = 0; i < run->count; i++)
        *find_slot(run, &run->events[i]) = i; /* the last one of a place stays */
    return true;
}

/* ---- what a name stands for ---- */

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* Whether what is in there is gradients: then W1 in it is that of W1. */
static bool holds_gradients(const char *name)
{
    return name == NULL || contains(name, "grad") || contains(name, "Grad") || contains(name, "nabla") ||
           contains(name, "deriv") || name[0] == 'd';
}

/* The i-th of a list that has one for each of W1, W2, ...: by the letter in its name, else by the shapes. */
static const struct known *find_in_family(const struct surroundings *s, const char *list, size_t i, size_t count)
{
    const struct network *network = s->check->problem.network;
    const struct known *found = NULL;
    char name[64];
    size_t length = strlen(list), hits = 0;
    if (!holds_gradients(list)) return NULL;
    for (size_t p = 0; p < network->parameter_count; p++) {
        const char *first = s->check->problem.names[p];
        size_t n = strlen(first);
        if (n < 2 || n > 32 || first[n - 1] != '1' || (first[n - 2] >= '0' && first[n - 2] <= '9')) continue;
        size_t family = 0;
        const struct known *at = NULL, *last = NULL;
        for (size_t k = 1; k <= count + 1; k++) {
            snprintf(name, sizeof name, "%.*s%zu", (int)(n - 1), first, k);
            last = known_find(s, name);
            if (last == NULL) break;
            family++;
            if (k == i + 1) at = last;
        }
        if (family != count || at == NULL || at->aim == GRADIENT_NONE) continue;
        char letter = first[n - 2] >= 'A' && first[n - 2] <= 'Z' ? (char)(first[n - 2] - 'A' + 'a') : first[n - 2];
        char end = list[length - 1] == 's' && length > 1 ? list[length - 2] : list[length - 1];
        if (end >= 'A' && end <= 'Z') end = (char)(end - 'A' + 'a');
        bool named =
            end == letter || (letter == 'w' && contains(list, "weight")) || (letter == 'b' && contains(list, "bias"));
        if (!named) continue;
        found = at;
        hits++;
    }
    return hits == 1 ? found : NULL;
}

static const struct known *find_keyed(const struct surroundings *s, const struct written_place *w)
{
    const struct thing *key = &w->keys[w->key_count - 1], *other = w->key_count > 1 ? &w->keys[w->key_count - 2] : NULL;
    const struct known *known = NULL;
    char name[160];
    if (key->kind == THING_TEXT) {
        bool own = holds_gradients(w->name);
        known = known_of_gradient(s, key->text, own);
        if (known == NULL && other != NULL && other->kind == THING_NUMBER) {
            snprintf(name, sizeof name, "%.100s%.0f", key->text, other->number);
            known = known_of_gradient(s, name, own);
        }
        return known;
    }
    if (key->kind != THING_NUMBER || w->name == NULL || key->number < 0 || key->number > 1e6) return NULL;
    const char *base = other != NULL && other->kind == THING_TEXT ? other->text : w->name;
    snprintf(name, sizeof name, "%.100s[%.0f]", base, key->number);
    known = known_of_gradient(s, name, false);
    if (known == NULL && w->count > 0) known = find_in_family(s, base, (size_t)key->number, w->count);
    if (known != NULL) return known;
    snprintf(name, sizeof name, "%.100s%.0f", base, key->number);
    return known_of_gradient(s, name, false);
}

enum aimed run_aim_of(const struct surroundings *s, const struct written_place *written, size_t *aim, const char **of)
{
    *aim = GRADIENT_NONE;
    *of = NULL;
    if (written->key_count == 0 && written->name == NULL) return AIMED_NOT;
    const struct known *known =
        written->key_count > 0 ? find_keyed(s, written) : known_of_gradient(s, written->name, false);
    if (known == NULL) return AIMED_NOT;
    *aim = known->aim;
    *of = known->name;
    return known->versions > 1 ? AIMED_ANY : AIMED_AT;
}

bool run_is_cancelled(const struct run *run)
{
    const atomic_bool *cancelled = run->surroundings->check->problem.cancelled;
    return cancelled != NULL && atomic_load_explicit(cancelled, memory_order_relaxed);
}

/* On the outermost level, or in the function that was called as nobody else did. */
static bool is_main(const struct run *run, size_t frame)
{
    return frame == 0 || frame == run->main_frame;
}

bool run_is_main(const struct run *run, const struct event *event)
{
    return is_main(run, event->frame);
}

/* ---- what numbers are ---- */

bool run_matches(const struct run *run, size_t aim, const struct array *array, bool exactly, double *scale)
{
    const struct aim *a = &run->surroundings->aims[aim];
    bool (*is)(const struct aim *, const struct shape *, const double *, double) = exactly ? aim_is_exactly : aim_is;
    size_t count = !aim_is_parameter(run->surroundings, aim) && run->plan != NULL ? run->plan->scale_count : 0;
    *scale = 1;
    if (array->size != a->size) return false;
    if (is(a, &array->shape, array->numbers, 1)) return true;
    for (size_t i = 0; i < count; i++) {
        *scale = run->plan->scales[i];
        if (is(a, &array->shape, array->numbers, *scale)) return true;
    }
    return false;
}

/* Whether the first number is near that of the gradient, times any of the scales: there may be very many gradients. */
static bool begins_like(const struct run *run, const struct aim *aim, const struct array *array)
{
    if (array->size != aim->size || array->size == 0) return false;
    size_t count = run->plan != NULL ? run->plan->scale_count : 0;
    double scale = 1;
    for (size_t i = 0;; scale = run->plan->scales[i++]) {
        if (fabs(array->numbers[0] - scale * aim->numbers[0]) <= 1e-6 * fabs(scale) * aim->largest) return true;
        if (i == count) return false;
    }
}

size_t run_find_aim(const struct run *run, const struct array *array, double *scale)
{
    const struct surroundings *s = run->surroundings;
    for (size_t a = surroundings_first_aim(s, array->size); a != GRADIENT_NONE; a = s->aims[a].next_of_size)
        if (begins_like(run, &s->aims[a], array) && run_matches(run, a, array, true, scale)) return a;
    return GRADIENT_NONE;
}

/* Any version of a name. */
static size_t match_versions(const struct run *run, const char *of, const struct array *array, double *scale)
{
    const struct surroundings *s = run->surroundings;
    for (size_t i = 0; i < s->known_count; i++)
        if (s->known[i].aim != GRADIENT_NONE && strcmp(s->known[i].name, of) == 0 &&
            run_matches(run, s->known[i].aim, array, false, scale))
            return s->known[i].aim;
    return GRADIENT_NONE;
}

/* ---- putting right ---- */

static int put_right(struct run *run, struct evaluation *e, size_t aim, double scale, const struct shape *like,
                     struct array **array)
{
    const struct aim *a = &run->surroundings->aims[aim];
    double *numbers = NULL;
    struct array *right = NULL;
    int code = array_known(e, aim_fits(a, like) ? like : &a->shape, TYPE_FLOAT, &right, &numbers);
    for (size_t i = 0; code == CODE_OK && i < a->size; i++)
        numbers[i] = scale * a->numbers[i];
    if (code == CODE_OK) *array = right;
    return code;
}

static bool add_slip(struct run *run, const struct slip *slip)
{
    if (run->slip_count == SLIPS_MAX) return true;
    if (run->slip_count == run->slip_room) {
        size_t room = run->slip_room > 0 ? 2 * run->slip_room : 16;
        struct slip *larger = arena_array(run->arena, room, sizeof *larger);
        if (larger == NULL) return false;
        if (run->slip_count > 0) memcpy(larger, run->slips, run->slip_count * sizeof *larger);
        run->slips = larger;
        run->slip_room = room;
    }
    run->slips[run->slip_count++] = *slip;
    return true;
}

/* What gradients on the way are multiples of, where this statement makes one. */
static double scale_here(const struct run *run, size_t aim)
{
    if (aim_is_parameter(run->surroundings, aim)) return 1;
    const struct level *level = &run->levels[run->level_count - 1];
    return level->scale != 0 ? level->scale : run->plan->first_scale;
}

const struct event *run_same(const struct run *other, const struct event *event, size_t *cursor)
{
    while (*cursor != EVENT_NONE && other->events[*cursor].execution < event->execution)
        *cursor = other->events[*cursor].next;
    if (*cursor == EVENT_NONE) return NULL;
    /* What is handed back may have no name in one of them: return dW, return dW * 2. */
    bool by_part = event->name[0] == '\0' || other->statements[event->statement]->kind == STATEMENT_RETURN;
    for (size_t i = *cursor; i != EVENT_NONE; i = other->events[i].next) {
        const struct event *one = &other->events[i];
        if (one->execution != event->execution) return NULL;
        if (by_part ? one->part == event->part : strcmp(one->name, event->name) == 0) return one;
    }
    return NULL;
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

static bool is_put(const struct run *run, const struct event *event, size_t *aim, double *scale)
{
    for (size_t i = 0; i < run->plan->put_count; i++)
        if (run->plan->puts[i].statement == event->statement && run->plan->puts[i].execution == event->execution &&
            event->part == 0) {
            *aim = run->plan->puts[i].aim;
            *scale = run->plan->puts[i].scale;
            return true;
        }
    return false;
}

/* Looks at what is put somewhere, and puts it right where it should be a gradient and is not. */
static int judge(struct run *run, struct evaluation *e, size_t which, struct array **array)
{
    struct event *event = &run->events[which];
    double scale = 1;
    if (is_put(run, event, &event->aim, &scale)) {
        event->aimed = AIMED_NOT;
        int code = put_right(run, e, event->aim, scale, &(*array)->shape, array);
        return code == CODE_OK && !enter_array(run, *array, which, scale) ? no_memory(run) : code;
    }
    size_t aim = event->aim;
    if (event->aimed == AIMED_AT && !run_matches(run, aim, *array, false, &scale)) aim = GRADIENT_NONE;
    if (event->aimed == AIMED_ANY) aim = match_versions(run, event->of, *array, &scale);
    if (event->aimed != AIMED_AT && aim == GRADIENT_NONE) aim = run_find_aim(run, *array, &scale);
    event->right = aim != GRADIENT_NONE;
    if (event->right) event->aim = aim;
    event->scale = event->right ? scale : 0;
    if (event->right) return scale == 1 || enter_array(run, *array, which, scale) ? CODE_OK : no_memory(run);
    bool left = run->plan->left != NULL && run->plan->left[event->statement];
    if (event->aimed != AIMED_AT || !event->judged || event->rewrites || left) return CODE_OK;
    struct slip slip = {.statement = event->statement, .event = which, .aim = event->aim};
    if (!aim_fits(&run->surroundings->aims[event->aim], &(*array)->shape))
        slip.ratio = 0;
    else
        slip.ratio = aim_ratio(&run->surroundings->aims[event->aim], &(*array)->shape, (*array)->numbers);
    if (!add_slip(run, &slip)) return no_memory(run);
    scale = scale_here(run, event->aim);
    int code = put_right(run, e, event->aim, scale, &(*array)->shape, array);
    return code == CODE_OK && scale != 1 && !enter_array(run, *array, which, scale) ? no_memory(run) : code;
}

/* ---- looking on ---- */

static const char *name_place(struct run *run, const struct written_place *w)
{
    char text[256];
    size_t n = (size_t)snprintf(text, sizeof text, "%.100s", w->name != NULL ? w->name : "");
    for (size_t k = 0; k < w->key_count && n < 200; k++) {
        const struct thing *key = &w->keys[k];
        if (key->kind == THING_TEXT && w->name == NULL)
            n += (size_t)snprintf(text + n, sizeof text - n, "%.60s", key->text);
        else if (key->kind == THING_TEXT)
            n += (size_t)snprintf(text + n, sizeof text - n, "['%.40s']", key->text);
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "[%.0f]", key->number);
    }
    return arena_text(run->arena, text, strlen(text));
}

static const struct level *here(const struct run *run)
{
    return run->level_count > 0 ? &run->levels[run->level_count - 1] : NULL;
}

/* Whether an event takes the place of the one before it: it builds up the same, or stands for no gradient. */
static bool goes_on(const struct run *run, const struct event *before, const struct event *event)
{
    return before->statement == event->statement && before->execution > EXECUTIONS_KEPT &&
           event->execution > before->execution && (event->updates || before->aimed == AIMED_NOT) &&
           before->behind == EVENT_NONE && run->outcomes[event->statement].first != EVENT_NONE;
}

static size_t add_event(struct run *run, struct evaluation *e, const struct written_place *written, size_t statement)
{
    struct outcome *outcome = &run->outcomes[statement];
    size_t which = run->count;
    if (run->count == run->room && !grow_events(run)) return EVENT_NONE;
    struct event *event = &run->events[which];
    *event = (struct event){.statement = statement,
                            .execution = outcome->begun,
                            .part = outcome->parts++,
                            .frame = evaluation_call_number(e),
                            .before = EVENT_NONE,
                            .behind = EVENT_NONE,
                            .next = EVENT_NONE,
                            .same = EVENT_NONE,
                            .updates = written->updates};
    event->name = name_place(run, written);
    if (event->name == NULL) return EVENT_NONE;
    size_t *slot = event->name[0] != '\0' ? find_slot(run, event) : NULL;
    size_t before = slot != NULL ? *slot : EVENT_NONE;
    if (before != EVENT_NONE && goes_on(run, &run->events[before], event)) {
        event->before = run->events[before].before;
        event->next = run->events[before].next;
        event->used = run->events[before].used;
        run->events[before] = *event;
        event = &run->events[which = before];
    } else {
        event->before = before;
        if (before != EVENT_NONE) run->events[before].behind = which;
        if (slot != NULL) *slot = which;
        run->count++;
        if (outcome->first == EVENT_NONE)
            outcome->first = which;
        else
            run->events[outcome->last].next = which;
        outcome->last = which;
    }
    event->aim = GRADIENT_NONE;
    const struct event *plain = run->plan != NULL ? find_plain(run, event) : NULL;
    if (plain != NULL) {
        event->aimed = plain->aimed;
        event->aim = plain->aim;
        event->of = plain->of;
        event->passing = plain->execution != event->execution;
        event->judged = plain->judged && !event->passing;
        event->rewrites = plain->rewrites;
    } else if (run_is_main(run, event)) {
        event->aimed = run_aim_of(run->surroundings, written, &event->aim, &event->of);
        event->judged = event->aimed != AIMED_NOT;
    }
    return which;
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
    size_t which = add_event(run, e, written, statement);
    if (which == EVENT_NONE) return no_memory(run);
    struct event *event = &run->events[which];
    event->array = array;
    if (run->plan != NULL && event->judged) code = array_settle(e, array);
    if (code != CODE_OK) return code;
    event->zeros = array->numbers != NULL && numbers_largest(array->size, array->numbers) == 0;
    struct array *put = array;
    if (run->plan != NULL && array->numbers != NULL && !event->passing) code = judge(run, e, which, &put);
    if (code != CODE_OK) return code;
    if (put != array) *thing = thing_array(put);
    if (run->array_room == 0 || find_array(run, put)->array == NULL)
        return enter_array(run, put, which, 0) ? CODE_OK : no_memory(run);
    struct written_array *there = find_array(run, put);
    if (there->event != which) run->events[which].same = there->event;
    there->event = which;
    return CODE_OK;
}

static int too_many(struct evaluation *e)
{
    e->spent = true;
    return evaluation_fault(e, "the code assigns to more than %d places: no more are followed", EVENTS_MAX);
}

static int note(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
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
        code = note(run, e, &inner, &sequence->items[i + dictionary], statement, depth + 1);
    }
    return code;
}

static bool is_code(const struct run *run, const struct statement *statement)
{
    return statement->begin >= run->syntax.text && statement->begin <= run->syntax.text + run->syntax.length &&
           statement->number < run->syntax.statement_count;
}

static size_t current(const struct run *run)
{
    const struct level *level = here(run);
    return level != NULL && is_code(run, level->statement) ? level->statement->number : STATEMENT_NONE;
}

static int on_begin(void *context, struct evaluation *e, const struct statement *statement)
{
    struct run *run = context;
    if (run_is_cancelled(run)) {
        e->spent = true;
        return evaluation_fault(e, "the evaluation was cancelled");
    }
    if (run->level_count == run->level_room) {
        size_t room = run->level_room > 0 ? 2 * run->level_room : 64;
        struct level *larger = arena_array(run->arena, room, sizeof *larger);
        if (larger == NULL) return no_memory(run);
        if (run->level_count > 0) memcpy(larger, run->levels, run->level_count * sizeof *larger);
        run->levels = larger;
        run->level_room = room;
    }
    run->levels[run->level_count++] = (struct level){.statement = statement};
    if (!is_code(run, statement)) return CODE_OK;
    struct outcome *outcome = &run->outcomes[statement->number];
    run->statements[statement->number] = statement;
    outcome->executed = true;
    outcome->begun++;
    outcome->parts = 0;
    return CODE_OK;
}

/* The one graded gradient that an expression mentions by its name; *others counts further ones. */
static const char *find_mentioned(const struct run *run, const struct expression *x, const char *found, size_t *others,
                                  size_t depth)
{
    if (depth > LANGUAGE_LEVELS_MAX) return found;
    if (x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_ATTRIBUTE) {
        const struct written_place written = {.name = x->name};
        size_t aim;
        const char *of;
        if (run_aim_of(run->surroundings, &written, &aim, &of) != AIMED_NOT && aim != GRADIENT_NONE &&
            run->surroundings->aims[aim].graded != GRADIENT_NONE) {
            if (found != NULL && strcmp(found, x->name) != 0) ++*others;
            found = x->name;
        }
    }
    for (size_t i = 0; i < x->count; i++)
        if (x->operands[i] != NULL) found = find_mentioned(run, x->operands[i], found, others, depth + 1);
    return found;
}

/* What an item of a result is called: return dW is dW, and so is return dW / m, as if that had been put there first. */
static const char *name_result(const struct run *run, const struct expression *x, const struct thing *thing)
{
    size_t others = 0, aim;
    const char *of;
    if (x->kind == EXPRESSION_NAME) return x->name;
    const struct written_place written = {.name = find_mentioned(run, x, NULL, &others, 0)};
    if (written.name == NULL || others > 0 || thing->kind != THING_ARRAY) return NULL;
    run_aim_of(run->surroundings, &written, &aim, &of);
    return thing->array->size == run->surroundings->aims[aim].size ? written.name : NULL;
}

/* What a function hands back that is no name: return {"W1": x.T @ dz}, return x.T @ dz, dz.sum(0). */
static int note_result(struct run *run, struct evaluation *e, const struct statement *s)
{
    struct thing *result = &e->frame->result;
    struct written_place written = {.name = NULL};
    if (s->value == NULL || e->frame->number != run->main_frame) return CODE_OK;
    if (result->kind == THING_DICTIONARY) return note(run, e, &written, result, s->number, 0);
    if (s->value->kind != EXPRESSION_TUPLE && s->value->kind != EXPRESSION_LIST) {
        written.name = name_result(run, s->value, result);
        return note(run, e, &written, result, s->number, 0);
    }
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < s->value->count && i < result->sequence->count; i++) {
        struct thing *item = &result->sequence->items[i];
        const struct written_place place = {.name = name_result(run, s->value->operands[i], item)};
        code = note(run, e, &place, item, s->number, 0);
    }
    return code;
}

static void on_end(void *context, struct evaluation *e, const struct statement *statement)
{
    struct run *run = context;
    struct error before = *run->reader.error;
    if (statement->kind == STATEMENT_RETURN && e->frame != NULL && is_code(run, statement) && before.code == CODE_OK &&
        !run->levels[run->level_count - 1].failed && note_result(run, e, statement) != CODE_OK &&
        run->reader.error->code == CODE_PROGRAM_ERROR && !e->spent) {
        *run->reader.error = (struct error){0};
        run->reader.fault = (struct spot){0};
    }
    if (run->level_count > 0) run->level_count--;
}

static void on_read(void *context, struct evaluation *e, const struct array *array)
{
    struct run *run = context;
    (void)e;
    if (run->array_room == 0 || run->level_count == 0) return;
    const struct written_array *written = find_array(run, array);
    if (written->array == NULL) return;
    for (size_t i = written->event; i != EVENT_NONE && !run->events[i].used; i = run->events[i].same)
        run->events[i].used = true;
    if (written->scale != 0 && written->scale != 1) run->levels[run->level_count - 1].scale = written->scale;
}

static bool is_numbers(const struct thing *thing)
{
    if (thing->kind == THING_NUMBER) return true;
    if ((thing->kind != THING_LIST && thing->kind != THING_TUPLE) || thing->sequence->count == 0) return false;
    for (size_t i = 0; i < thing->sequence->count; i++) {
        const struct thing *item = &thing->sequence->items[i];
        if (item->kind != THING_NUMBER && (item->kind != THING_ARRAY || item->array->shape.rank > 0)) return false;
    }
    return true;
}

/* Under a gradient's own name numbers are a tensor, be they a list or whole; and anything else takes its place. */
static int note_aimed(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
                      size_t statement)
{
    size_t aim;
    const char *of;
    bool own = written->key_count == 0 && is_main(run, evaluation_call_number(e)) &&
               run_aim_of(run->surroundings, written, &aim, &of) == AIMED_AT;
    if (own && thing->kind != THING_ARRAY && is_numbers(thing)) {
        if (run->count >= EVENTS_MAX) return too_many(e);
        return note_array(run, e, written, thing, statement);
    }
    bool holds = thing->kind == THING_ARRAY || thing->kind == THING_LIST || thing->kind == THING_TUPLE;
    if (own && !holds) run->outcomes[statement].emptied = true;
    return note(run, e, written, thing, statement, 0);
}

static int on_write(void *context, struct evaluation *e, const struct written_place *written, struct thing *thing)
{
    struct run *run = context;
    size_t statement = current(run);
    return statement != STATEMENT_NONE ? note_aimed(run, e, written, thing, statement) : CODE_OK;
}

static bool is_poisoned(const struct run *run, const char *name)
{
    for (size_t i = 0; i < run->poisoned_count; i++)
        if (strcmp(run->poisoned[i], name) == 0) return true;
    return false;
}

static bool on_unknown(void *context, struct evaluation *e, const char *name, struct thing *thing)
{
    struct run *run = context;
    size_t statement = current(run);
    if (things_find(e, run->surroundings, name, thing)) return true;
    if (statement != STATEMENT_NONE && is_poisoned(run, name)) run->outcomes[statement].poisoned = true;
    return false;
}

static bool poison(struct run *run, const char *name)
{
    if (is_poisoned(run, name)) return true;
    if (run->poisoned_count == run->poisoned_room) {
        size_t room = run->poisoned_room > 0 ? 2 * run->poisoned_room : 16;
        const char **larger = arena_array(run->arena, room, sizeof *larger);
        if (larger == NULL) return false;
        if (run->poisoned_count > 0) memcpy(larger, run->poisoned, run->poisoned_count * sizeof *larger);
        run->poisoned = larger;
        run->poisoned_room = room;
    }
    run->poisoned[run->poisoned_count++] = name;
    return true;
}

/* What a statement at fault would have made: the right gradient where it is known which, else nothing. */
static bool make_up(struct run *run, struct evaluation *e, const struct expression *target, struct outcome *outcome)
{
    const struct written_place written = {.name = target->name};
    size_t aim;
    const char *of;
    if (target->kind == EXPRESSION_TUPLE || target->kind == EXPRESSION_LIST) {
        for (size_t i = 0; i < target->count; i++)
            if (!make_up(run, e, target->operands[i], outcome)) return false;
        return true;
    }
    if (target->kind == EXPRESSION_SUBSCRIPT && target->operands[0]->kind == EXPRESSION_NAME && target->count == 2) {
        struct thing key = {0}, held = {0};
        struct error kept = *run->reader.error;
        *run->reader.error = (struct error){0};
        bool known = evaluation_evaluate(e, target->operands[0], &held) == CODE_OK &&
                     (held.kind == THING_DICTIONARY || held.kind == THING_LIST) &&
                     evaluation_evaluate(e, target->operands[1], &key) == CODE_OK;
        struct written_place into = {.name = target->operands[0]->name, .keys = {key}, .key_count = 1};
        if (held.kind == THING_LIST) into.count = held.sequence->count;
        if (held.kind == THING_LIST && key.kind == THING_NUMBER && key.number < 0)
            into.keys[0].number += (double)held.sequence->count;
        struct array *array = NULL;
        if (known && run_aim_of(run->surroundings, &into, &aim, &of) == AIMED_AT) {
            outcome->fault_aim = aim;
            struct thing put, ignored;
            const struct shape *shape = &run->surroundings->aims[aim].shape;
            if (run->plan != NULL && put_right(run, e, aim, scale_here(run, aim), shape, &array) == CODE_OK) {
                put = thing_array(array);
                subscript_write(e, &held, &key, 1, OPERATION_NONE, &put, &ignored);
            }
        }
        bool memory = run->reader.error->code != CODE_OUT_OF_MEMORY;
        if (memory) *run->reader.error = kept;
        return memory;
    }
    if (target->kind != EXPRESSION_NAME && target->kind != EXPRESSION_ATTRIBUTE) return true;
    bool aimed =
        is_main(run, evaluation_call_number(e)) && run_aim_of(run->surroundings, &written, &aim, &of) == AIMED_AT;
    if (aimed) outcome->fault_aim = aim;
    if (run->plan == NULL || !aimed) return poison(run, target->name);
    struct array *array = NULL;
    struct error kept = *run->reader.error;
    *run->reader.error = (struct error){0};
    const struct shape *shape = &run->surroundings->aims[aim].shape;
    int code = put_right(run, e, aim, scale_here(run, aim), shape, &array);
    if (code == CODE_OK && e->frame == NULL)
        code = evaluation_bind(e, target->symbol, target->name, thing_array(array));
    if (code == CODE_OK && e->frame != NULL) code = frame_bind(e, e->frame, target->symbol, thing_array(array));
    if (code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    return true;
}

static bool on_fail(void *context, struct evaluation *e, const struct statement *statement)
{
    struct run *run = context;
    size_t s = current(run);
    if (run->level_count > 0) run->levels[run->level_count - 1].failed = true;
    if (s == STATEMENT_NONE) return false; /* of the program's own function: the caller is at fault */
    if (statement->kind == STATEMENT_RAISE && e->frame != NULL && e->frame->number == run->main_frame)
        run->raised = true;
    struct outcome *outcome = &run->outcomes[s];
    if (outcome->fault == NULL && !outcome->poisoned) {
        const char *detail = run->reader.error->detail, *colon = strstr(detail, ": ");
        if (strncmp(detail, "line ", 5) == 0 && colon != NULL) detail = colon + 2;
        outcome->fault = arena_text(run->arena, detail, strlen(detail));
        outcome->spot = run->reader.fault;
        if (outcome->fault == NULL) return false;
    }
    for (size_t t = 0; t < statement->target_count; t++)
        if (statement->kind != STATEMENT_FOR && !make_up(run, e, statement->targets[t], outcome)) return false;
    return true;
}

/* ---- all of it ---- */

static bool looks_like_backward(const char *name)
{
    return contains(name, "backward") || contains(name, "backprop") || contains(name, "bprop") ||
           contains(name, "grad");
}

/* The function that is the backward pass where nothing has called it: one that is called so, else the last one. */
static const struct statement *find_main(const struct block *block, const struct statement *found)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct statement *s = block->list[i];
        if (s->kind == STATEMENT_CLASS) found = find_main(&s->body, found);
        if (s->kind != STATEMENT_DEFINE) continue;
        bool better = found == NULL || looks_like_backward(s->name) || !looks_like_backward(found->name);
        if (found != NULL && strcmp(found->name, "backward") == 0 && strcmp(s->name, "backward") != 0 &&
            !contains(s->name, "model"))
            better = false;
        if (better) found = s;
    }
    return found;
}

static int call_main(struct run *run, struct evaluation *e)
{
    const struct statement *s = find_main(&run->syntax.body, NULL);
    if (s == NULL || e->calls > 0) return CODE_OK;
    struct thing *arguments = arena_zeroed(run->arena, s->parameter_count, sizeof *arguments), ignored = {0};
    const char **keywords = arena_zeroed(run->arena, s->parameter_count, sizeof *keywords);
    size_t count = 0;
    if (arguments == NULL || keywords == NULL) return no_memory(run);
    for (size_t p = 0; p < s->parameter_count; p++) {
        const struct parameter *parameter = &s->parameters[p];
        if (strcmp(parameter->name, "self") == 0) continue;
        bool known = things_argument(e, run->surroundings, parameter->name, &arguments[count]);
        if (!known && parameter->fallback != NULL) continue;
        if (!known) arguments[count] = (struct thing){.kind = THING_MODULE, .text = "self"};
        keywords[count++] = parameter->name;
    }
    struct thing callee;
    e->spot = s->spot;
    if (evaluation_define(e, s, &callee) != CODE_OK) return evaluation_failed(e);
    run->main = s;
    run->main_frame = e->calls + 1;
    e->spot = s->spot;
    return evaluation_call(e, &callee, arguments, keywords, count, &ignored);
}

static int take_room(struct run *run)
{
    size_t n = run->syntax.statement_count;
    run->outcomes = arena_zeroed(run->arena, n, sizeof *run->outcomes);
    run->statements = arena_zeroed(run->arena, n, sizeof *run->statements);
    run->evaluation.names = arena_zeroed(run->arena, run->syntax.name_count, sizeof *run->evaluation.names);
    if (run->outcomes == NULL || run->statements == NULL || run->evaluation.names == NULL) return no_memory(run);
    const struct run *plain = run->plan != NULL ? run->plan->plain : NULL;
    for (size_t s = 0; s < n; s++) {
        run->outcomes[s].first = run->outcomes[s].last = run->outcomes[s].cursor = EVENT_NONE;
        run->outcomes[s].fault_aim = GRADIENT_NONE;
        if (plain != NULL && s < plain->syntax.statement_count) run->outcomes[s].cursor = plain->outcomes[s].first;
    }
    return CODE_OK;
}

/* Lists that were filled by append and insert: what is in them at the end is of the place that it has there. */
static void aim_lists(struct run *run)
{
    for (size_t n = 0; n < run->syntax.name_count; n++) {
        const struct versions *versions = &run->evaluation.names[n];
        const struct thing *thing = versions->count > 0 ? &versions->list[versions->count - 1].thing : NULL;
        if (thing == NULL || thing->kind != THING_LIST || !holds_gradients(run->syntax.names[n])) continue;
        for (size_t i = 0; run->array_room > 0 && i < thing->sequence->count; i++) {
            const struct thing *item = &thing->sequence->items[i];
            const struct written_place written = {.name = run->syntax.names[n],
                                                  .keys = {thing_number((double)i, TYPE_INT)},
                                                  .key_count = 1,
                                                  .count = thing->sequence->count};
            if (item->kind != THING_ARRAY || find_array(run, item->array)->array == NULL) continue;
            struct event *event = &run->events[find_array(run, item->array)->event];
            if (event->aimed == AIMED_NOT)
                event->aimed = run_aim_of(run->surroundings, &written, &event->aim, &event->of);
        }
    }
}

/* Puts together what has been built up. */
static int settle_last(struct run *run, struct evaluation *e)
{
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < run->count; i++) {
        const struct event *event = &run->events[i];
        bool last = event->behind == EVENT_NONE || !run->events[event->behind].updates;
        if (last) code = array_settle(e, event->array);
    }
    return code;
}

int run_code(struct run *run, struct arena *arena, const struct surroundings *surroundings, const struct plan *plan,
             const char *text, size_t length)
{
    *run = (struct run){.surroundings = surroundings, .plan = plan, .arena = arena};
    run->reader = (struct text_reader){.arena = arena, .error = &run->error};
    run->observer = (struct observer){.context = run,
                                      .brief = plan != NULL,
                                      .begins = on_begin,
                                      .ends = on_end,
                                      .reads = on_read,
                                      .writes = on_write,
                                      .unknown = on_unknown,
                                      .fails = on_fail};
    const struct network *network = surroundings->check->problem.network;
    run->syntax = (struct syntax){.text = text, .length = length};
    const struct syntax *before = surroundings->program != NULL ? &surroundings->program->syntax : NULL;
    int code = syntax_read_code(&run->reader, text, length, before, &run->syntax);
    if (code != CODE_OK) {
        run->syntax = (struct syntax){.text = text, .length = length};
        return code == CODE_OUT_OF_MEMORY ? code : CODE_OK;
    }
    struct evaluation *e = &run->evaluation;
    *e = (struct evaluation){.reader = &run->reader,
                             .arena = arena,
                             .syntax = &run->syntax,
                             .graph = &run->graph,
                             .left = {.steps = STEPS_MAX, .elements = run_elements(network), .work = RUN_WORK_MAX},
                             .spot = {1, 1}};
    graph_begin(arena, &run->graph);
    code = take_room(run);
    if (code == CODE_OK) code = things_bind(e, surroundings);
    e->observer = &run->observer;
    if (code == CODE_OK) code = evaluation_run(e, &run->syntax.body);
    if (code == CODE_OK) code = call_main(run, e);
    if (code == CODE_OK) code = settle_last(run, e);
    if (code == CODE_OK && plan == NULL) aim_lists(run);
    return run->error.code == CODE_OUT_OF_MEMORY ? CODE_OUT_OF_MEMORY : CODE_OK;
}
