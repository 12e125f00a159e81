#include "core/diagnosis/carry.h"

#include "core/diagnosis/forward_wrong.h"
#include "core/diagnosis/parts.h"

/* Room for the questions below: by graded, and by value. */
struct marks {
    const struct search *s;
    bool *own;     /* by graded: a mistake was made there */
    bool *reached; /* by value: what comes back there is wrong, and nothing that is graded has shown it yet */
};

/* Whether somebody handed in numbers for it, that are wrong and that the solution reproduces. */
static bool is_spoilt(const struct search *s, size_t p)
{
    const struct observed *o = &s->observed[p];
    return o->failing && !o->absent && s->best->matches[p].fit != FIT_NONE;
}

static bool reaches(const struct marks *marks, const struct value *value)
{
    return value != NULL && marks->reached[value->index];
}

/* The parameters of a node at which something wrong has come in: what of them is wrong is the mistake's. False where
 * all of them are right, or were not handed in: the mistake shows further down. */
static bool take_own(const struct marks *marks, const struct node *node)
{
    bool any = false;
    for (size_t k = 0; k < node->input_count; k++) {
        size_t p = search_graded(marks->s, node, k);
        if (p == PARAMETER_NONE || marks->s->network->graded[p].slot == NULL || !is_spoilt(marks->s, p)) continue;
        marks->own[p] = any = true;
    }
    return any;
}

/* What a mistake spoils first, that makes wrong what comes back to a value: on each way from there down the parameters
 * nearest to it, or the data at its end. */
static void take_first(const struct marks *marks, const struct value *below)
{
    const struct graph *graph = &marks->s->network->graph;
    for (size_t v = 0; v < graph->value_count; v++)
        marks->reached[v] = false;
    marks->reached[below->index] = true;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        if (!reaches(marks, node->output) || take_own(marks, node)) continue;
        for (size_t k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL && node->inputs[k]->kind != VALUE_PARAMETER)
                marks->reached[node->inputs[k]->index] = true;
    }
    for (size_t p = 0; p < search_count(marks->s); p++)
        if (marks->s->network->graded[p].slot == NULL && reaches(marks, search_value(marks->s, p)))
            marks->own[p] = true;
}

/* Whether a choice is about finished gradients, each of which it was made in. A factor without a name is one on what is
 * sent back. */
static bool is_of_each(const struct search *s, const struct choice *choice)
{
    bool on_l2 = false; /* which is added to the finished gradient */
    for (size_t i = 0; i < s->best->length; i++)
        on_l2 = on_l2 || (s->best->path[i].mistake == choice->mistake && s->best->path[i].of_l2);
    return choice->mistake->step == STEP_FINISHED && (choice->mistake != &mistake_constant_factor || on_l2);
}

static void take_choice(const struct marks *marks, const struct choice *choice)
{
    const struct search *s = marks->s;
    if (choice->parameter != PARAMETER_NONE) {
        marks->own[choice->parameter] = true;
    } else if (is_of_each(s, choice)) {
        for (size_t p = 0; p < search_count(s); p++)
            if (search_reaches(s, choice, p)) marks->own[p] = true;
    } else {
        take_first(marks, choice->below != NULL ? choice->below : s->network->output);
    }
}

static void take_finished(const struct marks *marks, const struct whole *finished)
{
    if (finished->mistake == NULL) return;
    for (size_t p = 0; p < search_count(marks->s); p++)
        if (finished->all || p == finished->parameters[0] || p == finished->parameters[1]) marks->own[p] = true;
}

bool carry_find(const struct search *s, const struct whole *finished, struct diagnosis *diagnosis)
{
    if (!diagnosis->explained || s->best == NULL || forward_wrong_is_in(diagnosis)) return true;
    struct marks marks = {.s = s,
                          .own = arena_zeroed(s->arena, search_count(s), sizeof(bool)),
                          .reached = arena_zeroed(s->arena, s->network->graph.value_count, sizeof(bool))};
    bool *inherited = arena_zeroed(s->arena, search_count(s), sizeof *inherited);
    if (marks.own == NULL || marks.reached == NULL || inherited == NULL) return false;
    take_finished(&marks, finished);
    for (size_t i = 0; i < s->best->length; i++) {
        struct choice parts[PARTS_MAX]; /* as they are told */
        size_t count = parts_of(s, &s->best->path[i], parts);
        for (size_t k = 0; k < count; k++)
            take_choice(&marks, &parts[k]);
    }
    for (size_t p = 0; p < search_count(s); p++)
        for (size_t i = 0; !inherited[p] && i < s->best->length; i++)
            inherited[p] = is_spoilt(s, p) && !marks.own[p] && search_reaches(s, &s->best->path[i], p);
    diagnosis->inherited = inherited;
    return true;
}

void carry_marks(const struct check *check, const struct diagnosis *diagnosis, struct report *report)
{
    report->points = 0;
    for (size_t p = 0; p < check->problem.network->graded_count; p++) {
        struct entry *entry = &report->entries[p];
        entry->carried = check->carry > 0 && diagnosis->inherited != NULL && diagnosis->inherited[p];
        entry->points = entry->passed ? entry->max_points : entry->carried ? check->carry * entry->max_points : 0;
        report->points += entry->points;
    }
    if (report->max_points > 0) report->score = report->points / report->max_points;
}
