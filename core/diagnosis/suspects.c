#include "core/diagnosis/suspects.h"

#include <math.h>
#include <stdlib.h>

#include "core/diagnosis/consistent.h"
#include "core/diagnosis/forward_wrong.h"

/* Nearer than that to what is right, of its own largest number, it is right but for rounding; and no further off than
 * the other it says something, where it passes. */
#define ROUNDING 2e-6
#define SAYS_SOMETHING 1e-2

/* So little, where it fails, says nothing either: central differences and print-outs are no nearer. */
#define APPROXIMATE 1e-3
#define DECIMALS_LEAST 3
#define DECIMALS_MOST 8

/* What was handed in for one tensor. */
enum evidence {
    SAYS_NOTHING,
    IS_RIGHT,
    IS_WRONG,        /* its numbers */
    IS_WRONG_ITSELF, /* its shape: that comes from nowhere else */
};

/* What comes back to a value. */
enum coming { COMING_UNKNOWN, COMING_RIGHT, COMING_WRONG };

struct suspicion {
    const struct search *s;
    const struct diagnosis *diagnosis;
    enum evidence *evidence;   /* by graded */
    enum coming *coming;       /* by value */
    bool *maybe;               /* by node: its own step can account for its tensors, as what comes in can */
    bool *known, *wrong_here;  /* by value: what comes back there was handed in, and its own step is wrong */
    bool *seen, *wrong_before; /* by value */
    bool *suspect;             /* by layer, the loss last */
    bool *out_of_memory;
};

/* ---- what was handed in ---- */

/* Half a unit of the last decimal that numbers were written down with; 0 where they have more than anybody writes. */
static double half_a_unit(size_t n, const double *values)
{
    double unit = 1e-3;
    for (int decimals = DECIMALS_LEAST; decimals <= DECIMALS_MOST; decimals++, unit /= 10) {
        bool whole = true;
        for (size_t i = 0; whole && i < n; i++)
            whole = fabs(values[i] / unit - round(values[i] / unit)) <= 1e-6;
        if (whole) return 0.51 * unit;
    }
    return 0;
}

static enum evidence compare(const struct search *s, size_t p)
{
    const struct observed *o = &s->observed[p];
    if (o->absent) return SAYS_NOTHING;
    if (!search_is_plain(o)) return IS_WRONG_ITSELF;
    const double *right = search_right(s, p);
    double largest = 0, off = 0;
    bool finite = true;
    for (size_t i = 0; i < search_size(s, p); i++) {
        finite = finite && isfinite(o->values[i]);
        largest = fmax(largest, fabs(right[i]));
        off = fmax(off, fabs(o->values[i] - right[i]));
    }
    if (finite && off <= ROUNDING * largest) return largest > 0 ? IS_RIGHT : SAYS_NOTHING;
    if (!o->failing) return off <= SAYS_SOMETHING * largest ? IS_RIGHT : SAYS_NOTHING;
    bool near = finite && off <= fmax(APPROXIMATE * largest, half_a_unit(search_size(s, p), o->values));
    return near ? SAYS_NOTHING : IS_WRONG;
}

static bool is_explained(const struct diagnosis *diagnosis, size_t p)
{
    for (size_t i = 0; i < diagnosis->count; i++)
        for (size_t k = 0; k < diagnosis->found[i].parameter_count; k++)
            if (diagnosis->found[i].parameters[k] == p) return true;
    return false;
}

/* ---- what that says of what comes back ---- */

static bool sends_something(const struct search *s, const struct node *node, size_t input)
{
    const struct edge *edge = flow_edge(&s->flow, node, input);
    for (size_t i = 0; edge != NULL && i < edge->to->size; i++)
        if (edge->right[i] != 0) return true;
    return false;
}

/* Whether a parameter gets its gradient from one node alone. */
static bool is_alone(const struct search *s, size_t p)
{
    size_t count; /* of the ways back, which l2's penalty has none of */
    flow_into(&s->flow, search_value(s, p), &count);
    return count == 1;
}

/* A sum over the rows may come out right from rows in another order: where the weight's gradient is wrong, and yet goes
 * with it, what came in was not right. */
static bool is_deceptive(const struct suspicion *on, const struct node *node, size_t p)
{
    struct step_own own = step_own(on->s, node);
    bool asked = p == own.summed && own.product != PARAMETER_NONE && on->evidence[own.product] == IS_WRONG;
    return asked && consistent(on->s, node, own.product, p, on->out_of_memory) == CONSISTENT;
}

/* What is right somewhere was right all the way there: two slips that take each other back are no slips. */
static void find_right(struct suspicion *on)
{
    const struct search *s = on->s;
    for (size_t p = 0; p < search_count(s); p++)
        if (s->network->graded[p].slot == NULL && on->evidence[p] == IS_RIGHT)
            on->coming[search_value(s, p)->index] = COMING_RIGHT;
    for (size_t i = 0; i < s->network->graph.node_count; i++) {
        const struct node *node = s->network->graph.nodes[i];
        bool right = false;
        for (size_t k = 0; k < node->input_count && !s->flow.dead[i]; k++) {
            size_t p = search_graded(s, node, k);
            bool own = p != PARAMETER_NONE && s->network->graded[p].slot != NULL;
            bool is_right = node->inputs[k] != NULL &&
                            (own ? on->evidence[p] == IS_RIGHT : on->coming[node->inputs[k]->index] == COMING_RIGHT);
            right = right || (is_right && sends_something(s, node, k) && !(own && is_deceptive(on, node, p)));
        }
        if (right && !on->known[node->output->index]) on->coming[node->output->index] = COMING_RIGHT;
    }
}

/* What was handed in on the way back says it itself. */
static void find_known(struct suspicion *on)
{
    for (size_t i = 0; i < on->diagnosis->step_count; i++) {
        const struct given_step *step = &on->diagnosis->steps[i];
        size_t v = step->value->index;
        if (!step->gradient) continue;
        on->wrong_here[v] = step->state == GIVEN_WRONG_HERE;
        if (step->name == NULL) continue; /* a parameter's */
        on->known[v] = true;
        on->coming[v] = step->state == GIVEN_RIGHT ? COMING_RIGHT : COMING_WRONG;
    }
}

static void accuse(const struct suspicion *on, const struct node *node)
{
    bool layer = node->place.kind == PLACE_LAYER;
    on->suspect[layer ? node->place.layer : on->s->network->definition->layer_count] = true;
}

/* A node some of whose own tensors are wrong while nothing says that what comes in is right. */
static void weigh(struct suspicion *on, const struct node *node, size_t wrong, size_t itself)
{
    const struct search *s = on->s;
    struct step_own own = step_own(s, node);
    bool product = own.product != PARAMETER_NONE && on->evidence[own.product] == IS_WRONG;
    bool summed =
        own.summed != PARAMETER_NONE && (on->evidence[own.summed] == IS_WRONG || on->evidence[own.summed] == IS_RIGHT);
    enum consistency how = CONSISTENT_ALWAYS;
    if (product) how = consistent(s, node, own.product, summed ? own.summed : PARAMETER_NONE, on->out_of_memory);
    if (itself > 0 || how == CONSISTENT_NOT) accuse(on, node);
    if (wrong == 0 || how == CONSISTENT_NOT) return;
    on->coming[node->output->index] = COMING_WRONG;
    on->maybe[node->index] = how == CONSISTENT_UNKNOWN || (how == CONSISTENT_ALWAYS && wrong == 1 && itself == 0);
}

static void find_wrong(struct suspicion *on)
{
    const struct search *s = on->s;
    for (size_t i = 0; i < s->network->graph.node_count; i++) {
        const struct node *node = s->network->graph.nodes[i];
        size_t wrong = 0, itself = 0;
        for (size_t k = 0; k < node->input_count; k++) {
            size_t p = search_graded(s, node, k);
            if (p == PARAMETER_NONE || s->network->graded[p].slot == NULL || !is_alone(s, p)) continue;
            wrong += on->evidence[p] == IS_WRONG;
            itself += on->evidence[p] == IS_WRONG_ITSELF;
        }
        if (wrong + itself == 0) continue;
        bool known = on->known[node->output->index];
        for (size_t k = 0; known && k < node->input_count; k++)
            if (node->inputs[k] != NULL && node->inputs[k]->kind == VALUE_PARAMETER &&
                on->wrong_here[node->inputs[k]->index])
                accuse(on, node);
        if (on->coming[node->output->index] == COMING_RIGHT || (known && itself > 0))
            accuse(on, node);
        else if (known)
            continue;
        else
            weigh(on, node, wrong, itself);
    }
    for (size_t p = 0; p < search_count(s); p++)
        if (s->network->graded[p].slot == NULL && on->evidence[p] >= IS_WRONG)
            on->coming[search_value(s, p)->index] = COMING_WRONG;
}

/* A node's own step is none where what it sends on is wrong as well: one slip above it accounts for both. */
static void settle_maybe(const struct suspicion *on)
{
    const struct graph *graph = &on->s->network->graph;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        bool *before = &on->wrong_before[node->output->index];
        for (size_t k = 0; k < node->input_count; k++) {
            const struct value *value = node->inputs[k];
            if (value == NULL || value->kind == VALUE_PARAMETER) continue;
            *before = *before || on->wrong_before[value->index] || on->coming[value->index] == COMING_WRONG;
        }
        if (on->maybe[i] && !*before) accuse(on, node);
    }
}

/* ---- from what is wrong up to what is right ---- */

static void forget_seen(const struct suspicion *on)
{
    for (size_t v = 0; v < on->s->network->graph.value_count; v++)
        on->seen[v] = false;
}

/* Goes over the nodes that send what comes back to a value, as far as something is known there, in the order of the
 * graph. `accusing`: they are suspects; else: whether something wrong has come in to one of them. */
static bool climb(const struct suspicion *on, const struct value *from, bool accusing)
{
    const struct graph *graph = &on->s->network->graph;
    forget_seen(on);
    on->seen[from->index] = true;
    for (size_t i = from->made_by != NULL ? from->made_by->index + 1 : 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        bool takes = false;
        for (size_t k = 0; k < node->input_count; k++)
            takes = takes || (node->inputs[k] != NULL && on->seen[node->inputs[k]->index]);
        if (!takes || on->s->flow.dead[i]) continue;
        enum coming coming = on->coming[node->output->index];
        if (coming == COMING_WRONG && !accusing) return true;
        if (accusing) accuse(on, node);
        on->seen[node->output->index] = coming == COMING_UNKNOWN;
    }
    return false;
}

/* A parameter that several nodes use: any of them may have added what is wrong. */
static void weigh_shared(const struct suspicion *on, size_t p)
{
    size_t count, wrong = 0;
    struct edge *const *into = flow_into(&on->s->flow, search_value(on->s, p), &count);
    const struct node *first = into[0]->node;
    bool accounted = false, all_right = true;
    for (size_t k = 0; k < first->input_count; k++) {
        size_t other = search_graded(on->s, first, k);
        wrong += other != PARAMETER_NONE && on->evidence[other] == IS_WRONG && !is_alone(on->s, other);
    }
    for (size_t u = 0; u < count; u++) {
        const struct value *output = into[u]->node->output;
        enum coming coming = on->coming[output->index];
        all_right = all_right && coming == COMING_RIGHT;
        accounted = accounted || coming == COMING_WRONG || (coming == COMING_UNKNOWN && climb(on, output, false));
    }
    if (accounted) return;
    for (size_t u = 0; u < count; u++) {
        const struct node *node = into[u]->node;
        if (all_right || wrong < 2 || on->evidence[p] == IS_WRONG_ITSELF) accuse(on, node);
        if (on->coming[node->output->index] == COMING_UNKNOWN && on->evidence[p] == IS_WRONG)
            climb(on, node->output, true);
    }
}

static void find_suspects(struct suspicion *on)
{
    const struct graph *graph = &on->s->network->graph;
    find_known(on);
    find_right(on);
    find_wrong(on);
    settle_maybe(on);
    for (size_t v = 0; v < graph->value_count; v++)
        if (on->known[v] ? on->wrong_here[v] : on->coming[v] == COMING_WRONG && !climb(on, graph->values[v], false))
            climb(on, graph->values[v], true);
    for (size_t p = 0; p < search_count(on->s); p++)
        if (on->evidence[p] >= IS_WRONG && on->s->network->graded[p].slot != NULL && !is_alone(on->s, p))
            weigh_shared(on, p);
}

static bool take_room(struct suspicion *on)
{
    const struct search *s = on->s;
    size_t values = s->network->graph.value_count;
    on->evidence = arena_zeroed(s->arena, search_count(s), sizeof *on->evidence);
    on->coming = arena_zeroed(s->arena, values, sizeof *on->coming);
    on->maybe = arena_zeroed(s->arena, s->network->graph.node_count, sizeof *on->maybe);
    on->known = arena_zeroed(s->arena, values, sizeof *on->known);
    on->wrong_here = arena_zeroed(s->arena, values, sizeof *on->wrong_here);
    on->seen = arena_zeroed(s->arena, values, sizeof *on->seen);
    on->wrong_before = arena_zeroed(s->arena, values, sizeof *on->wrong_before);
    on->suspect = arena_zeroed(s->arena, s->network->definition->layer_count + 1, sizeof *on->suspect);
    return on->evidence != NULL && on->coming != NULL && on->maybe != NULL && on->known != NULL &&
           on->wrong_here != NULL && on->seen != NULL && on->wrong_before != NULL && on->suspect != NULL;
}

bool suspects_find(const struct search *s, struct diagnosis *diagnosis)
{
    if (diagnosis->explained || forward_wrong_is_in(diagnosis)) return true;
    size_t layers = s->network->definition->layer_count;
    bool out_of_memory = false;
    struct suspicion on = {.s = s, .diagnosis = diagnosis, .out_of_memory = &out_of_memory};
    diagnosis->suspects = arena_array(s->arena, layers + 1, sizeof *diagnosis->suspects);
    if (diagnosis->suspects == NULL || !take_room(&on)) return false;
    for (size_t p = 0; p < search_count(s); p++)
        on.evidence[p] = is_explained(diagnosis, p) ? IS_RIGHT : compare(s, p);
    find_suspects(&on);
    if (out_of_memory) return false;
    for (size_t l = 0; l <= layers; l++)
        if (on.suspect[l]) diagnosis->suspects[diagnosis->suspect_count++] = l < layers ? l : LAYER_LOSS;
    return true;
}

double suspects_elements(const struct network *network)
{
    return consistent_elements(network) + 4 * (double)network->graph.value_count;
}
