#include "core/backward/correction.h"

#include "core/backward/aims.h"
#include "core/backward/events.h"
#include "core/backward/run.h"

static bool is_right(const struct run *run, size_t graded, const struct event *event)
{
    const struct aim *aim = &run->surroundings->aims[graded];
    const struct array *array = event->array;
    return array->numbers != NULL && aim_is(aim, &array->shape, array->numbers, 1);
}

/* Whether all that was handed in before is right now. */
static bool is_as_before(const struct search *s, const struct run *run)
{
    for (size_t p = 0; p < run->surroundings->check->problem.network->graded_count; p++) {
        if (s->claimed[p] == EVENT_NONE) continue;
        const struct event *before = &s->plain->events[s->claimed[p]];
        size_t cursor = run->outcomes[before->statement].first;
        const struct event *event = run_same(run, before, &cursor);
        if (event == NULL || !is_right(run, p, event)) return false;
    }
    return true;
}

/* The same, where it is not known what would have been handed in. */
static bool is_as_named(struct search *s, struct run *run)
{
    size_t graded = run->surroundings->check->problem.network->graded_count;
    size_t *claimed = arena_array(&s->own, graded + 1, sizeof *claimed);
    for (size_t p = 0; claimed != NULL && p < graded; p++)
        claimed[p] = EVENT_NONE;
    if (claimed == NULL || !aims_settle(run, claimed)) {
        s->failed = true;
        return false;
    }
    for (size_t p = 0; p < graded; p++) {
        bool asked = p < run->surroundings->check->problem.network->parameter_count || s->claimed[p] != EVENT_NONE;
        if (asked && (claimed[p] == EVENT_NONE || !is_right(run, p, &run->events[claimed[p]]))) return false;
    }
    return true;
}

static bool has_fault(const struct run *run)
{
    for (size_t i = 0; i < run->syntax.statement_count; i++)
        if (run->outcomes[i].fault != NULL || run->outcomes[i].poisoned) return true;
    return false;
}

/* Whether it is so with the edits that are taken and one more, with the forward values that `plain` ran on. */
static bool corrects(struct search *s, const struct run *plain, const struct edit *edit)
{
    const struct plan plan = {.plain = plain, .first_scale = 1, .bare = true};
    const struct edit *edits[CORRECTIONS_MAX + 1];
    size_t count = 0, length;
    struct run run;
    for (; count < s->edit_count; count++)
        edits[count] = s->edits[count];
    edits[count++] = edit;
    const char *text = edits_apply(&s->own, plain, edits, count, &length);
    int code = text != NULL ? run_code(&run, &s->own, plain->surroundings, &plan, text, length) : CODE_OUT_OF_MEMORY;
    s->failed = s->failed || code == CODE_OUT_OF_MEMORY;
    bool good = !s->failed && run.error.code == CODE_OK && run.syntax.statement_count == search_statements(s);
    good = good && (has_fault(plain) ? is_as_named(s, &run) : is_as_before(s, &run));
    arena_reset(&s->own);
    return good;
}

static bool may_be(const struct search *s, size_t statement)
{
    const struct outcome *outcome = &s->plain->outcomes[statement];
    return s->plain->statements[statement] != NULL && outcome->executed && !search_is_edited(s, statement);
}

void correction_find(struct search *s, int cost, const bool *likely, const struct edit **found)
{
    size_t n = search_statements(s);
    struct edit **lists = arena_zeroed(s->arena, n, sizeof *lists);
    size_t *counts = arena_zeroed(s->arena, n, sizeof *counts);
    s->failed = s->failed || lists == NULL || counts == NULL || search_elsewhere(s) == false;
    if (s->failed || s->edit_count == CORRECTIONS_MAX) return;
    for (size_t i = 0; i < n && !s->failed; i++)
        if (may_be(s, i)) s->failed = !edits_list(s->arena, s->plain, i, &lists[i], &counts[i]);
    const struct edit *best = NULL;
    for (int c = 1; c <= cost && best == NULL; c++)
        for (size_t i = n; i-- > 0 && !(best != NULL && likely[best->statement]);)
            for (size_t k = 0; k < counts[i] && !search_has_ended(s) && !s->failed; k++) {
                const struct edit *edit = &lists[i][k];
                if (edit->cost != c || !corrects(s, s->plain, edit)) continue;
                if (s->elsewhere->is && !corrects(s, &s->elsewhere->plain, edit)) continue;
                if (best == NULL || (likely[i] && !likely[best->statement])) best = edit;
                break;
            }
    if (best != NULL) *found = best;
}
