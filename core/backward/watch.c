#include "core/backward/watch.h"

#include <string.h>

#include "core/backward/gradient_of.h"
#include "core/backward/lost.h"
#include "core/backward/put.h"
#include "core/backward/spoiled.h"
#include "core/backward/surroundings_things.h"

enum { LEVELS_FIRST = 64, CALLERS_FIRST = 32 };

static bool is_code(const struct run *run, const struct statement *statement)
{
    return statement->begin >= run->syntax.text && statement->begin <= run->syntax.text + run->syntax.length &&
           statement->number < run->syntax.statement_count;
}

static size_t current(const struct run *run)
{
    const struct level *level = run->level_count > 0 ? &run->levels[run->level_count - 1] : NULL;
    return level != NULL && is_code(run, level->statement) ? level->statement->number : STATEMENT_NONE;
}

/* Which statement has made the call that goes on, as its first statement begins. */
static bool note_caller(struct run *run, const struct evaluation *e)
{
    const size_t call = evaluation_call_number(e), caller = current(run);
    while (run->caller_count <= call) {
        size_t *callers =
            arena_grow(run->arena, run->callers, run->caller_count, &run->caller_room, sizeof *callers, CALLERS_FIRST);
        if (callers == NULL) return false;
        run->callers = callers;
        run->callers[run->caller_count] = run->caller_count == call ? caller : STATEMENT_NONE;
        run->caller_count++;
    }
    return true;
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
    if (levels == NULL || !note_caller(run, e)) return run_no_memory(run);
    run->levels = levels;
    /* What a lambda does is done by the statement that calls it. */
    const struct statement *by =
        statement->of_lambda && run->level_count > 0 ? levels[run->level_count - 1].statement : statement;
    run->levels[run->level_count++] = (struct level){.statement = by};
    if (!is_code(run, statement) || statement->of_lambda) return CODE_OK;
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
    if (result->kind == THING_DICTIONARY) return put_note(run, e, &written, result, s->number);
    if (s->value->kind != EXPRESSION_TUPLE && s->value->kind != EXPRESSION_LIST) {
        written.name = name_result(run, s->value, result);
        return put_note(run, e, &written, result, s->number);
    }
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < s->value->count && i < result->sequence->count; i++) {
        struct thing *item = &result->sequence->items[i];
        const struct written_place place = {.name = name_result(run, s->value->operands[i], item)};
        code = put_note(run, e, &place, item, s->number);
    }
    return code;
}

static void on_end(void *context, struct evaluation *e, const struct statement *statement)
{
    struct run *run = context;
    struct error before = *run->reader.error;
    if (statement->kind == STATEMENT_RETURN && !statement->of_lambda && e->frame != NULL && is_code(run, statement) &&
        before.code == CODE_OK && !run->levels[run->level_count - 1].failed &&
        note_result(run, e, statement) != CODE_OK && run->reader.error->code == CODE_PROGRAM_ERROR && !e->spent) {
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

static int on_write(void *context, struct evaluation *e, const struct written_place *written, struct thing *thing)
{
    struct run *run = context;
    size_t statement = current(run);
    if (statement == STATEMENT_NONE) return CODE_OK;
    if (spoiled_restore(run, e, written, thing, statement) != CODE_OK) return evaluation_failed(e);
    spoiled_note_own(run, e, written, thing, statement);
    const struct array *made = thing->kind == THING_ARRAY ? thing->array : NULL;
    bool nowhere = written->name == NULL && written->key_count == 0 && written->changed != NULL;
    int code = !nowhere ? put_assigned(run, e, written, thing, statement) : CODE_OK;
    bool shared = code == CODE_OK && written->changed != NULL && made != NULL && thing->kind == THING_ARRAY;
    return shared ? put_shared(run, e, written, made, thing, statement) : code;
}

/* Under a plan that keeps a value apart what is written into it under another name is not in it. */
static bool on_share(void *context, const struct array *array)
{
    return !spoiled_is_apart(context, array);
}

static int on_becomes(void *context, struct evaluation *e, struct array *before, struct array *after)
{
    struct run *run = context;
    (void)e;
    return events_become(run, before, after) ? CODE_OK : run_no_memory(run);
}

static bool on_unknown(void *context, struct evaluation *e, const char *name, struct thing *thing)
{
    struct run *run = context;
    size_t statement = current(run);
    if (statement != STATEMENT_NONE && lost_is(run, name)) {
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
    if (!spoiled_give(run, known->name, thing->array)) run_no_memory(run);
    return true;
}

static bool on_fail(void *context, struct evaluation *e, const struct statement *statement)
{
    struct run *run = context;
    size_t s = current(run);
    if (run->level_count > 0) run->levels[run->level_count - 1].failed = true;
    /* Of the program's own function, or of a lambda: the caller is at fault. */
    if (s == STATEMENT_NONE || statement->of_lambda || (run->plan != NULL && run->plan->bare)) return false;
    if (statement->kind == STATEMENT_RAISE) run->raised = true; /* nothing here catches it */
    struct outcome *outcome = &run->outcomes[s];
    const size_t caller = run_caller(run, evaluation_call_number(e));
    if (outcome->fault != NULL && outcome->fault_caller != caller) outcome->fault_caller = STATEMENT_NONE;
    if (outcome->fault == NULL && !outcome->poisoned) {
        outcome->fault_caller = caller;
        const char *detail = run->reader.error->detail, *colon = strstr(detail, ": ");
        if (strncmp(detail, "line ", 5) == 0 && colon != NULL) detail = colon + 2;
        outcome->fault = arena_text(run->arena, detail, strlen(detail));
        outcome->spot = run->reader.fault;
        if (outcome->fault == NULL) return false;
    }
    return lost_with(run, e, statement, outcome);
}

struct observer watch(struct run *run)
{
    return (struct observer){.context = run,
                             .brief = run->plan != NULL,
                             .begins = on_begin,
                             .ends = on_end,
                             .reads = on_read,
                             .shares = on_share,
                             .becomes = on_becomes,
                             .writes = on_write,
                             .unknown = on_unknown,
                             .fails = on_fail};
}
