#include "core/backward/run.h"

#include <math.h>
#include <string.h>

#include "core/backward/events.h"
#include "core/backward/gradient_of.h"
#include "core/backward/judge.h"
#include "core/backward/surroundings_things.h"
#include "core/base/numbers.h"
#include "core/language/sharing.h"

enum { EVENTS_MAX = 50000, NESTED_MAX = 2, LEVELS_FIRST = 64, POISONED_FIRST = 16 };

/* So many assignments of one array are looked at when it is written into. */
enum { PLACES_MAX = 256 };

/* What a run may do: a student's code on the numbers of an exercise takes far less. */
enum { STEPS_MAX = 1000000 };

size_t run_elements(const struct network *network)
{
    double elements = RUN_ELEMENTS_LEAST;
    for (size_t v = 0; v < network->graph.value_count; v++)
        elements += RUN_ELEMENTS_FOR_EACH * (double)network->graph.values[v]->size;
    return (size_t)fmin(elements, RUN_ELEMENTS_MAX);
}

static int no_memory(struct run *run)
{
    return text_no_memory(&run->reader);
}

/* ---- looking on ---- */

static const struct level *here(const struct run *run)
{
    return run->level_count > 0 ? &run->levels[run->level_count - 1] : NULL;
}

/* An array is what an event has put somewhere. */
static int enter(struct run *run, size_t which, const struct array *array)
{
    if (run->array_room == 0 || events_find_array(run, array)->array == NULL)
        return events_enter_array(run, array, which, 0) ? CODE_OK : no_memory(run);
    struct written_array *there = events_find_array(run, array);
    if (there->event != which) run->events[which].same = there->event;
    there->event = which;
    return CODE_OK;
}

/* What becomes of an event's array: it is put together where somebody has to see it now, and put right under a plan.
 * *put: what is there then. */
static int see(struct run *run, struct evaluation *e, size_t which, struct array **put)
{
    struct event *event = &run->events[which];
    event->array = *put;
    int code = run->plan != NULL && event->judged ? array_settle(e, *put) : CODE_OK;
    if (code != CODE_OK) return code;
    event->zeros = (*put)->numbers != NULL && numbers_largest((*put)->size, (*put)->numbers) == 0;
    if (run->plan != NULL && (*put)->numbers != NULL && !event->passing) code = judge_event(run, e, which, put);
    return code == CODE_OK ? enter(run, which, *put) : code;
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
    size_t which = events_add(run, e, written, statement);
    if (which == EVENT_NONE) return no_memory(run);
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
    struct level *levels =
        arena_grow(run->arena, run->levels, run->level_count, &run->level_room, sizeof *levels, LEVELS_FIRST);
    if (levels == NULL) return no_memory(run);
    run->levels = levels;
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
    const struct written_array *written = events_find_array(run, array);
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
    bool own = written->key_count == 0 && run_is_main_frame(run, evaluation_call_number(e)) &&
               run_aim_of(run->surroundings, written, &aim, &of) == AIMED_AT;
    if (own && thing->kind != THING_ARRAY && is_numbers(thing)) {
        if (run->count >= EVENTS_MAX) return too_many(e);
        return note_array(run, e, written, thing, statement);
    }
    bool holds = thing->kind == THING_ARRAY || thing->kind == THING_LIST || thing->kind == THING_TUPLE;
    if (own && !holds) run->outcomes[statement].emptied = true;
    return note(run, e, written, thing, statement, 0);
}

/* Where an array stands for a graded gradient, it does so whatever it is called when it is written into: an event at
 * each such place. `view`: it is what the array is a view of that is there, and becomes another one once it is read. */
static int note_places(struct run *run, struct evaluation *e, const struct array *array, struct array **put, bool view,
                       size_t statement)
{
    if (run->array_room == 0 || events_find_array(run, array)->array == NULL) return CODE_OK;
    size_t next, looked = 0;
    for (size_t i = events_find_array(run, array)->event; i != EVENT_NONE && looked < PLACES_MAX; i = next, looked++) {
        const struct event *place = &run->events[i];
        next = place->same;
        bool graded = place->aimed == AIMED_AT && run->surroundings->aims[place->aim].graded != GRADIENT_NONE;
        if (!graded || place->behind != EVENT_NONE) continue;
        if (run->count >= EVENTS_MAX) return too_many(e);
        size_t which = events_add_shared(run, i, statement);
        if (which == EVENT_NONE) return no_memory(run);
        bool later = view && (run->plan == NULL || !run->events[which].judged);
        int code = view && !later ? sharing_now(e, put) : CODE_OK;
        struct array *before = *put;
        run->events[which].array = *put;
        if (code == CODE_OK) code = later ? enter(run, which, *put) : see(run, e, which, put);
        if (code != CODE_OK) return code;
        if (view && *put != before) sharing_change(e, before, *put);
    }
    return CODE_OK;
}

static int note_shared(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
                       size_t statement)
{
    struct array *put = thing->array;
    int code = note_places(run, e, written->changed, &put, false, statement);
    if (code == CODE_OK) *thing = thing_array(put);
    for (struct array *base = written->changed->base; code == CODE_OK && base != NULL; base = base->base) {
        put = base;
        code = note_places(run, e, base, &put, true, statement);
    }
    return code;
}

/* The name of the forward value that an array is, or is a view of; NULL where it is of none. */
static const char *find_given(const struct run *run, const struct array *array)
{
    const char *name = NULL;
    for (; run->array_room > 0 && array != NULL && name == NULL; array = array->base)
        name = events_find_array(run, array)->given;
    return name;
}

static bool give(struct run *run, const char *name, struct array *array)
{
    if (!events_enter_array(run, array, EVENT_NONE, 0)) return false;
    events_find_array(run, array)->given = name;
    return true;
}

/* What a program has made, by its names. */
static int give_names(struct run *run, const struct evaluation *e)
{
    for (size_t n = 0; n < run->syntax.name_count; n++) {
        const struct versions *versions = &e->names[n];
        const struct thing *thing = versions->count > 0 ? &versions->list[versions->count - 1].thing : NULL;
        if (thing != NULL && thing->kind == THING_ARRAY && !give(run, run->syntax.names[n], thing->array))
            return no_memory(run);
    }
    return CODE_OK;
}

static void note_spoiled(struct run *run, const struct written_place *written, size_t statement)
{
    const char *given = find_given(run, written->changed);
    bool own = given != NULL && written->name != NULL && strcmp(given, written->name) == 0;
    if (given != NULL && !own && run->spoiled_count < SPOILED_MAX)
        run->spoiled[run->spoiled_count++] = (struct spoiled){.name = given, .statement = statement};
}

/* Under a plan that keeps values of the forward pass apart, what is written into one of them is so under one name. */
static bool on_share(void *context, const struct array *array)
{
    const struct run *run = context;
    const char *given = run->plan != NULL && run->plan->apart_count > 0 ? find_given(run, array) : NULL;
    for (size_t i = 0; given != NULL && i < run->plan->apart_count; i++)
        if (strcmp(run->plan->apart[i], given) == 0) return false;
    return true;
}

static int on_write(void *context, struct evaluation *e, const struct written_place *written, struct thing *thing)
{
    struct run *run = context;
    size_t statement = current(run);
    if (statement == STATEMENT_NONE) return CODE_OK;
    bool nowhere = written->name == NULL && written->key_count == 0 && written->changed != NULL;
    int code = !nowhere ? note_aimed(run, e, written, thing, statement) : CODE_OK;
    bool shared = code == CODE_OK && written->changed != NULL && thing->kind == THING_ARRAY;
    if (shared) note_spoiled(run, written, statement);
    return shared ? note_shared(run, e, written, thing, statement) : code;
}

/* An array keeps what is known of it. */
static int on_becomes(void *context, struct evaluation *e, struct array *before, struct array *after)
{
    struct run *run = context;
    (void)e;
    const struct written_array *known = run->array_room > 0 ? events_find_array(run, before) : NULL;
    if (known == NULL || known->array == NULL) return CODE_OK;
    return events_enter_array(run, after, known->event, known->scale) ? CODE_OK : no_memory(run);
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
    if (statement != STATEMENT_NONE && is_poisoned(run, name)) {
        run->outcomes[statement].poisoned = true;
        return false;
    }
    const struct known *known = known_find(run->surroundings, name);
    size_t k = known != NULL ? (size_t)(known - run->surroundings->known) : 0;
    if (known != NULL && run->given[k] != NULL) {
        *thing = thing_array(run->given[k]);
        return true;
    }
    if (!things_find(e, run->surroundings, name, thing)) return false;
    if (known == NULL || thing->kind != THING_ARRAY) return true;
    run->given[k] = thing->array;
    return give(run, known->name, thing->array);
}

static bool poison(struct run *run, const char *name)
{
    if (is_poisoned(run, name)) return true;
    const char **list = arena_grow(run->arena, (void *)run->poisoned, run->poisoned_count, &run->poisoned_room,
                                   sizeof *list, POISONED_FIRST);
    if (list == NULL) return false;
    run->poisoned = list;
    run->poisoned[run->poisoned_count++] = name;
    return true;
}

static int bind_name(struct evaluation *e, const struct expression *name, struct thing thing)
{
    return e->frame != NULL ? frame_bind(e, e->frame, name->symbol, thing)
                            : evaluation_bind(e, name->symbol, name->name, thing);
}

/* What was to be written into an array is lost under each of its names. */
static bool lose_shared(struct run *run, struct evaluation *e, const struct expression *target)
{
    const struct expression *root = target;
    struct error kept = *run->reader.error;
    struct thing held = {0};
    while (root->kind == EXPRESSION_SUBSCRIPT)
        root = root->operands[0];
    *run->reader.error = (struct error){0};
    bool shared = root->name != NULL && evaluation_evaluate(e, target, &held) == CODE_OK && held.kind == THING_ARRAY;
    if (run->reader.error->code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    if (shared) sharing_lose(held.array, root->name);
    return !shared || poison(run, root->name);
}

/* What had the name before is not what the code would go on with. */
static bool lose(struct run *run, struct evaluation *e, const struct expression *name)
{
    if (!poison(run, name->name)) return false;
    struct error kept = *run->reader.error;
    *run->reader.error = (struct error){0};
    int code = bind_name(e, name, (struct thing){.kind = THING_LOST, .text = name->name});
    if (code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    return true;
}

static bool make_up(struct run *run, struct evaluation *e, const struct expression *target, bool into,
                    struct outcome *outcome);

/* The same, put into a dictionary or list: grads["W1"] = ... */
static bool make_up_item(struct run *run, struct evaluation *e, const struct expression *target,
                         struct outcome *outcome)
{
    const struct expression *of = target->operands[0];
    struct thing key = {0}, held = {0}, put = {.kind = THING_LOST, .text = of->name}, ignored;
    struct error kept = *run->reader.error;
    size_t aim;
    const char *name;
    *run->reader.error = (struct error){0};
    bool known = evaluation_evaluate(e, of, &held) == CODE_OK &&
                 (held.kind == THING_DICTIONARY || held.kind == THING_LIST) &&
                 evaluation_evaluate(e, target->operands[1], &key) == CODE_OK;
    struct written_place place = {.name = of->name, .keys = {key}, .key_count = 1};
    if (held.kind == THING_LIST) place.count = held.sequence->count;
    if (held.kind == THING_LIST && key.kind == THING_NUMBER && key.number < 0)
        place.keys[0].number += (double)held.sequence->count;
    bool aimed = known && run_aim_of(run->surroundings, &place, &aim, &name) == AIMED_AT;
    if (aimed) outcome->fault_aim = aim;
    if (aimed && run->plan != NULL) {
        struct array *array = NULL;
        const struct shape *shape = &run->surroundings->aims[aim].shape;
        if (judge_put_right(run, e, aim, judge_scale_here(run, aim), shape, &array) == CODE_OK)
            put = thing_array(array);
    }
    if (known) subscript_write(e, &held, &key, 1, OPERATION_NONE, &put, &ignored);
    if (run->reader.error->code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    /* Of a tensor a part is one of all. */
    return known ? put.kind != THING_LOST || poison(run, of->name) : make_up(run, e, of, true, outcome);
}

/* What a statement at fault would have made: the right gradient where it is known which, else nothing. `into`: of what
 * is there, and not in its place. */
static bool make_up(struct run *run, struct evaluation *e, const struct expression *target, bool into,
                    struct outcome *outcome)
{
    const struct written_place written = {.name = target->name};
    size_t aim;
    const char *of;
    if (target->kind == EXPRESSION_TUPLE || target->kind == EXPRESSION_LIST) {
        for (size_t i = 0; i < target->count; i++)
            if (!make_up(run, e, target->operands[i], into, outcome)) return false;
        return true;
    }
    if (target->kind == EXPRESSION_SUBSCRIPT) {
        bool item = target->operands[0]->kind == EXPRESSION_NAME && target->count == 2;
        if (into && !lose_shared(run, e, target)) return false;
        return item ? make_up_item(run, e, target, outcome) : make_up(run, e, target->operands[0], true, outcome);
    }
    if (target->kind != EXPRESSION_NAME && target->kind != EXPRESSION_ATTRIBUTE) return true;
    bool aimed = run_is_main_frame(run, evaluation_call_number(e)) &&
                 run_aim_of(run->surroundings, &written, &aim, &of) == AIMED_AT;
    if (aimed) outcome->fault_aim = aim;
    if (into && !lose_shared(run, e, target)) return false;
    if (run->plan == NULL || !aimed) return lose(run, e, target);
    struct array *array = NULL;
    struct error kept = *run->reader.error;
    *run->reader.error = (struct error){0};
    const struct shape *shape = &run->surroundings->aims[aim].shape;
    int code = judge_put_right(run, e, aim, judge_scale_here(run, aim), shape, &array);
    if (code == CODE_OK) code = bind_name(e, target, thing_array(array));
    if (code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    return true;
}

/* All that a block would have made that is not run, as it is not known whether, or how often. */
static bool make_up_block(struct run *run, struct evaluation *e, const struct block *block, struct outcome *outcome)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct statement *s = block->list[i];
        for (size_t t = 0; s->kind != STATEMENT_DEFINE && t < s->target_count; t++)
            if (!make_up(run, e, s->targets[t], s->kind == STATEMENT_UPDATE, outcome)) return false;
        if (s->kind != STATEMENT_DEFINE && s->kind != STATEMENT_CLASS &&
            (!make_up_block(run, e, &s->body, outcome) || !make_up_block(run, e, &s->otherwise, outcome)))
            return false;
    }
    return true;
}

/* What a call that is there for what it does would have written into: np.add.at(dx, ...), dx.fill(0). */
static bool make_up_call(struct run *run, struct evaluation *e, const struct expression *call, struct outcome *outcome)
{
    static const char *const writes[] = {"at",     "copyto", "put",    "put_along_axis", "fill", "sort",
                                         "append", "insert", "extend", "update",         NULL};
    if (call->kind != EXPRESSION_CALL || call->operands[0]->kind != EXPRESSION_ATTRIBUTE) return true;
    const struct expression *callee = call->operands[0];
    size_t i = 0;
    while (writes[i] != NULL && strcmp(writes[i], callee->name) != 0)
        i++;
    if (writes[i] == NULL) return true;
    bool first = i < 4; /* of a module: into its first argument */
    const struct expression *into = first ? (call->count > 1 ? call->operands[1] : NULL) : callee->operands[0];
    return into == NULL || make_up(run, e, into, true, outcome);
}

static bool on_fail(void *context, struct evaluation *e, const struct statement *statement)
{
    struct run *run = context;
    size_t s = current(run);
    if (run->level_count > 0) run->levels[run->level_count - 1].failed = true;
    if (s == STATEMENT_NONE) return false; /* of the program's own function: the caller is at fault */
    if (statement->kind == STATEMENT_RAISE) run->raised = true; /* nothing here catches it */
    struct outcome *outcome = &run->outcomes[s];
    if (outcome->fault == NULL && !outcome->poisoned) {
        const char *detail = run->reader.error->detail, *colon = strstr(detail, ": ");
        if (strncmp(detail, "line ", 5) == 0 && colon != NULL) detail = colon + 2;
        outcome->fault = arena_text(run->arena, detail, strlen(detail));
        outcome->spot = run->reader.fault;
        if (outcome->fault == NULL) return false;
    }
    if (statement->kind == STATEMENT_FOR || statement->kind == STATEMENT_IF)
        return make_up_block(run, e, &statement->body, outcome) &&
               make_up_block(run, e, &statement->otherwise, outcome);
    if (statement->kind == STATEMENT_EXPRESSION) return make_up_call(run, e, statement->value, outcome);
    for (size_t t = 0; t < statement->target_count; t++)
        if (!make_up(run, e, statement->targets[t], statement->kind == STATEMENT_UPDATE, outcome)) return false;
    return true;
}

/* ---- all of it ---- */

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

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
    run->given = arena_zeroed(run->arena, run->surroundings->known_count, sizeof(struct array *));
    if (run->outcomes == NULL || run->statements == NULL || run->evaluation.names == NULL || run->given == NULL)
        return no_memory(run);
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
            struct thing *item = &thing->sequence->items[i];
            const struct written_place written = {.name = run->syntax.names[n],
                                                  .keys = {thing_number((double)i, TYPE_INT)},
                                                  .key_count = 1,
                                                  .count = thing->sequence->count};
            if (item->kind == THING_ARRAY && sharing_is_lost(item->array)) continue;
            if (sharing_thing_now(&run->evaluation, item) != CODE_OK) return;
            if (item->kind != THING_ARRAY || events_find_array(run, item->array)->array == NULL) continue;
            struct event *event = &run->events[events_find_array(run, item->array)->event];
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
        struct event *event = &run->events[i];
        bool final = event->behind == EVENT_NONE, last = final || !run->events[event->behind].updates,
             on_the_way = event->aimed == AIMED_AT && run->surroundings->aims[event->aim].graded == GRADIENT_NONE;
        event->lost = final && !on_the_way && sharing_is_lost(event->array);
        if (final && !on_the_way && !event->lost) code = sharing_now(e, &event->array);
        if (code == CODE_OK && last) code = array_settle(e, event->array);
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
                                      .shares = on_share,
                                      .becomes = on_becomes,
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
    if (code == CODE_OK) code = give_names(run, e);
    e->observer = &run->observer;
    if (code == CODE_OK) code = evaluation_run(e, &run->syntax.body);
    if (code == CODE_OK) code = call_main(run, e);
    if (code == CODE_OK) code = settle_last(run, e);
    if (code == CODE_OK && plan == NULL) aim_lists(run);
    return run->error.code == CODE_OUT_OF_MEMORY ? CODE_OUT_OF_MEMORY : CODE_OK;
}
