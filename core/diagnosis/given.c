#include "core/diagnosis/given.h"

#include <math.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/diagnosis/steps.h"
#include "core/graph/intermediates.h"

/* What is this near, of the largest number, was copied from a print-out. */
#define PRINTED 1e-3

bool given_is_near(const struct search *s, size_t n, const double *a, const double *b)
{
    double largest = numbers_largest(n, b);
    if (!isfinite(largest)) return false;
    for (size_t i = 0; i < n; i++) {
        double allowed = s->within.atol + s->within.rtol * fabs(b[i]);
        if (!(fabs(a[i] - b[i]) <= fmax(allowed, PRINTED * largest))) return false;
    }
    return true;
}

static bool is_finite(size_t n, const double *x)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

bool given_read(const struct search *s, const struct check *check, const struct report *report, struct given_list *list)
{
    *list = (struct given_list){.items = arena_array(s->arena, report->intermediate_count, sizeof *list->items)};
    for (size_t i = 0; list->items != NULL && i < report->intermediate_count; i++) {
        const struct entry *entry = &report->intermediates[i];
        const struct tensor *tensor = entry->submission->tensor;
        struct intermediate which;
        if (tensor == NULL || !intermediate_find(s->network, entry->name, &which)) continue;
        if (entry->lost != LOST_NOT) continue; /* as things stand */
        struct view view = convention_samples(check->problem.convention, &which.value->shape);
        if (!view_accepts(&view, check->problem.loose, &tensor->shape) || tensor->size != which.value->size) continue;
        double *inside = arena_doubles(s->arena, tensor->size);
        if (inside == NULL) return false;
        view_import(&view, tensor->data, inside);
        const double *right = which.gradient ? flow_right(&s->flow, which.value) : flow_value(&s->flow, which.value);
        if (right == NULL || !is_finite(tensor->size, inside)) continue;
        list->items[list->count++] = (struct given){.name = entry->name,
                                                    .value = which.value,
                                                    .gradient = which.gradient,
                                                    .right = given_is_near(s, tensor->size, inside, right),
                                                    .values = inside};
    }
    return list->items != NULL;
}

/* ---- one pass over the graph, with what was handed in put in its place ---- */

struct judge {
    struct sweep sweep;
    const struct given_list *list;
    struct diagnosis *diagnosis;
    bool changed;    /* a value of the forward pass is not the right one any more */
    bool *wrong;     /* by value: what comes back there is not the right one any more */
    bool *was_given; /* by value: its gradient was handed in */
};

static void add_step(const struct judge *judge, const struct given *given, bool right, bool follows)
{
    struct given_step *step = &judge->diagnosis->steps[judge->diagnosis->step_count++];
    *step = (struct given_step){.name = given->name, .value = given->value, .gradient = given->gradient};
    step->state = right ? GIVEN_RIGHT : follows ? GIVEN_RIGHT_FOR_INPUT : GIVEN_WRONG_HERE;
}

/* Compares all that was handed in for a value with what lies there, and puts it in its place where it is not right.
 * True where it did. */
static bool take_given(const struct judge *judge, const struct value *value, bool gradient)
{
    double *here = gradient ? sweep_gradient(&judge->sweep, value) : sweep_value(&judge->sweep, value);
    const double *instead = NULL;
    for (size_t i = 0; i < judge->list->count; i++) {
        const struct given *given = &judge->list->items[i];
        if (given->value != value || given->gradient != gradient) continue;
        if (gradient) judge->was_given[value->index] = true;
        if (!is_finite(value->size, here)) continue; /* nothing can be said against it */
        add_step(judge, given, given->right, given_is_near(judge->sweep.s, value->size, given->values, here));
        if (!given->right) instead = given->values;
    }
    if (instead != NULL) memcpy(here, instead, value->size * sizeof *here);
    return instead != NULL;
}

static void go_forward(struct judge *judge)
{
    const struct graph *graph = &judge->sweep.s->network->graph;
    for (size_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i]->output->is_term) continue;
        if (judge->changed) sweep_forward(&judge->sweep, graph->nodes[i]);
        if (take_given(judge, graph->nodes[i]->output, false)) judge->changed = true;
    }
}

/* Whether something that is not right has come to a value: what its consumers sent, or what they computed with. */
static bool is_wrong_at(const struct judge *judge, const struct value *value)
{
    bool wrong = judge->changed;
    for (size_t u = 0; u < value->use_count; u++)
        wrong = wrong || judge->wrong[value->uses[u].node->output->index];
    return wrong;
}

/* The parameters of a node, where what came in was handed in. */
static void judge_parameters(const struct judge *judge, const struct node *node)
{
    const struct search *s = judge->sweep.s;
    for (size_t k = 0; judge->was_given[node->output->index] && k < node->input_count; k++) {
        size_t p = step_completes(s, node, k);
        if (p == PARAMETER_NONE || s->network->graded[p].value->use_count == 0) continue;
        const struct observed *o = &s->observed[p];
        bool comparable = search_is_plain(o);
        double *made = sweep_gradient(&judge->sweep, node->inputs[k]);
        search_add_l2(s, p, 1, made);
        if (!comparable || !is_finite(search_size(s, p), made)) continue;
        const struct given given = {.name = NULL, .value = node->inputs[k], .gradient = true};
        add_step(judge, &given, !o->failing, given_is_near(s, search_size(s, p), o->values, made));
        judge->diagnosis->steps[judge->diagnosis->step_count - 1].graded = p;
    }
}

static void go_back(struct judge *judge)
{
    const struct search *s = judge->sweep.s;
    const struct graph *graph = &s->network->graph;
    sweep_clear(&judge->sweep);
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        const struct value *output = node->output;
        if (!sweep_counts(&judge->sweep, node)) continue;
        if (!output->is_term) {
            bool wrong = is_wrong_at(judge, output);
            if (!wrong)
                memcpy(sweep_gradient(&judge->sweep, output), flow_right(&s->flow, output),
                       output->size * sizeof(double));
            judge->wrong[output->index] = take_given(judge, output, true) || wrong;
        }
        sweep_send(&judge->sweep, node);
        judge_parameters(judge, node);
    }
}

bool given_judge(const struct search *s, const struct check *check, const struct given_list *list,
                 struct diagnosis *diagnosis)
{
    struct judge judge = {.list = list, .diagnosis = diagnosis};
    size_t values = s->network->graph.value_count;
    if (list->count == 0 || sweep_elements(s->network) == 0) return true;
    diagnosis->steps = arena_array(s->arena, list->count + search_count(s), sizeof *diagnosis->steps);
    judge.wrong = arena_zeroed(s->arena, values, sizeof *judge.wrong);
    judge.was_given = arena_zeroed(s->arena, values, sizeof *judge.was_given);
    if (diagnosis->steps == NULL || judge.wrong == NULL || judge.was_given == NULL) return false;
    if (!sweep_new(s, &check->problem, &judge.sweep)) return false;
    go_forward(&judge);
    go_back(&judge);
    return true;
}
