#include "core/backward/correction.h"

#include <string.h>

#include "core/backward/aims.h"
#include "core/backward/events.h"
#include "core/backward/helpers.h"
#include "core/backward/run.h"

/* ---- what an edit comes to ---- */

static bool is_right(const struct run *run, size_t graded, const struct event *event)
{
    const struct aim *aim = &run->surroundings->aims[graded];
    const struct array *array = event->array;
    return array->numbers != NULL && aim_is(aim, &array->shape, array->numbers, 1);
}

/* The last thing that was put in the place of an event of the plain run; NULL where nothing was. */
static const struct event *find_last(const struct run *run, const struct event *plain)
{
    for (size_t i = run->count; i-- > 0;) {
        const struct event *event = &run->events[i];
        if (event->frame == plain->frame && strcmp(event->name, plain->name) == 0) return event;
    }
    return NULL;
}

/* Whether all that was handed in before is right now. */
static bool is_as_before(const struct search *s, const struct run *run)
{
    for (size_t p = 0; p < run->surroundings->check->problem.network->graded_count; p++) {
        if (s->claimed[p] == EVENT_NONE) continue;
        const struct event *before = &s->plain->events[s->claimed[p]];
        size_t cursor = run->outcomes[before->statement].first;
        const struct event *event = before->name[0] != '\0' ? find_last(run, before) : run_same(run, before, &cursor);
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

/* Whether it is so with the edits that are taken and one more (NULL: with these alone), with the forward values that
 * `plain` ran on. */
static bool corrects(struct search *s, const struct run *plain, const struct edit *edit)
{
    const struct plan plan = {.plain = plain, .first_scale = 1, .bare = true};
    const struct edit *edits[CORRECTIONS_MAX + 1];
    size_t count = 0, length;
    struct run run;
    for (; count < s->edit_count; count++)
        edits[count] = s->edits[count];
    if (edit != NULL) edits[count++] = edit;
    const char *text = edits_apply(&s->own, plain, edits, count, &length);
    int code = text != NULL ? run_code(&run, &s->own, plain->surroundings, &plan, text, length) : CODE_OUT_OF_MEMORY;
    s->failed = s->failed || code == CODE_OUT_OF_MEMORY;
    bool good = !s->failed && run.error.code == CODE_OK && run.syntax.statement_count == search_statements(s);
    good = good && (has_fault(plain) ? is_as_named(s, &run) : is_as_before(s, &run));
    arena_reset(&s->own);
    return good;
}

/* ---- which edit ---- */

/* What comes of a call of the code's own functions may be right by what was put right within. */
static bool may_be(const struct search *s, size_t statement)
{
    return s->plain->statements[statement] != NULL && s->plain->outcomes[statement].executed &&
           !search_is_edited(s, statement) && (!s->now.of[statement].is_one || helpers_hand_over(s, statement));
}

/* How likely a statement is to be the one, other things being equal. */
static int likelihood(const struct search *s, size_t statement)
{
    const struct outcome *outcome = &s->plain->outcomes[statement];
    if (s->now.of[statement].slipped || outcome->fault != NULL) return 2;
    return helpers_pass_on(s, statement) || s->plain->statements[statement]->kind == STATEMENT_RETURN;
}

struct candidate {
    const struct edit *edit;
    size_t matched;
    int likelihood;
};

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    if (b->edit == NULL || a->matched != b->matched) return b->edit == NULL || a->matched > b->matched;
    if (a->edit->cost != b->edit->cost) return a->edit->cost < b->edit->cost;
    return a->likelihood > b->likelihood;
}

static bool holds(struct search *s, const struct edit *edit)
{
    if (!corrects(s, s->plain, edit)) return false;
    s->failed = s->failed || !search_elsewhere(s);
    return !s->failed && (!s->elsewhere->is || corrects(s, &s->elsewhere->plain, edit));
}

bool correction_is_done(struct search *s)
{
    return s->edit_count > 0 && holds(s, NULL);
}

/* Looks through the edits of a statement of one cost. */
static void look_at(struct search *s, size_t statement, int cost, struct candidate *best)
{
    struct edit *edits;
    size_t count;
    if (search_has_ended(s)) return; /* there may be very many statements */
    if (!edits_list(s->arena, s->plain, statement, &edits, &count)) s->failed = true;
    for (size_t k = 0; !s->failed && k < count && !search_has_ended(s); k++) {
        if (edits[k].cost != cost || !holds(s, &edits[k]) || !search_try(s, &s->plan, &edits[k], &s->other)) continue;
        const struct candidate found = {&edits[k], s->other.matched, likelihood(s, statement)};
        if (is_better(&found, best)) *best = found;
    }
}

const struct edit *correction_find(struct search *s, int cost)
{
    struct candidate best = {.edit = NULL};
    s->plan = (struct plan){.plain = s->plain, .first_scale = 1, .left = s->left};
    if (s->edit_count == CORRECTIONS_MAX || !search_try(s, &s->plan, NULL, &s->now)) return NULL;
    for (int c = 1; c <= cost && (best.edit == NULL || c <= NEAR_COST); c++)
        for (size_t i = search_statements(s); i-- > 0 && !s->failed;)
            if (may_be(s, i)) look_at(s, i, c, &best);
    return best.edit;
}
