#include "core/backward/run.h"

#include <math.h>
#include <string.h>

#include "core/backward/events.h"
#include "core/backward/gradient_of.h"
#include "core/backward/spoiled.h"
#include "core/backward/surroundings_things.h"
#include "core/backward/watch.h"
#include "core/language/sharing.h"

/* What a run may do: a student's code on the numbers of an exercise takes far less. */
enum { STEPS_MAX = 1000000 };

size_t run_elements(const struct network *network)
{
    double elements = RUN_ELEMENTS_LEAST;
    for (size_t v = 0; v < network->graph.value_count; v++)
        elements += RUN_ELEMENTS_FOR_EACH * (double)network->graph.values[v]->size;
    return (size_t)fmin(elements, RUN_ELEMENTS_MAX);
}

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

/* Whether the code makes graded gradients outside of its functions. */
static bool is_script(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct event *event = &run->events[i];
        if (event->frame == 0 && !event->zeros && event_is_graded(run, event)) return true;
    }
    return false;
}

/* Calls the function that is the backward pass, as somebody would who has the code. */
static int call_main(struct run *run, struct evaluation *e)
{
    const struct statement *s = find_main(&run->syntax.body, NULL);
    if (s == NULL || e->calls > 0 || is_script(run)) return CODE_OK;
    struct thing *arguments = arena_zeroed(run->arena, s->parameter_count, sizeof *arguments), ignored = {0};
    const char **keywords = arena_zeroed(run->arena, s->parameter_count, sizeof *keywords);
    size_t count = 0;
    if (arguments == NULL || keywords == NULL) return run_no_memory(run);
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
    int code = evaluation_call(e, &callee, arguments, keywords, count, &ignored);
    if (code != CODE_PROGRAM_ERROR || ignored.kind != THING_LOST) return code;
    *run->reader.error = (struct error){0}; /* nobody reads what it hands back, which was told where it was lost */
    run->reader.fault = (struct spot){0};
    return CODE_OK;
}

static int take_room(struct run *run)
{
    size_t n = run->syntax.statement_count;
    run->outcomes = arena_zeroed(run->arena, n, sizeof *run->outcomes);
    run->statements = arena_zeroed(run->arena, n, sizeof *run->statements);
    run->evaluation.names = arena_zeroed(run->arena, run->syntax.name_count, sizeof *run->evaluation.names);
    run->given = arena_zeroed(run->arena, run->surroundings->known_count, sizeof(struct array *));
    if (run->outcomes == NULL || run->statements == NULL || run->evaluation.names == NULL || run->given == NULL)
        return run_no_memory(run);
    const struct run *plain = run->plan != NULL ? run->plan->plain : NULL;
    for (size_t s = 0; s < n; s++) {
        run->outcomes[s].first = run->outcomes[s].last = run->outcomes[s].cursor = EVENT_NONE;
        run->outcomes[s].fault_aim = GRADIENT_NONE;
        run->outcomes[s].fault_caller = STATEMENT_NONE;
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
            const size_t which = events_find_array(run, item->array)->event;
            if (which == EVENT_NONE) continue; /* a value of the forward pass */
            struct event *event = &run->events[which];
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
             on_the_way = event->aimed == AIMED_AT && !event_is_graded(run, event);
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
    run->observer = watch(run);
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
    if (code == CODE_OK) code = spoiled_give_names(run, e);
    e->observer = &run->observer;
    if (code == CODE_OK) code = evaluation_run(e, &run->syntax.body);
    if (code == CODE_OK) code = call_main(run, e);
    if (code == CODE_OK) code = settle_last(run, e);
    if (code == CODE_OK && plan == NULL) aim_lists(run);
    return run->error.code == CODE_OUT_OF_MEMORY ? CODE_OUT_OF_MEMORY : CODE_OK;
}
