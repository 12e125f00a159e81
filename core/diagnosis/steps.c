#include "core/diagnosis/steps.h"

#include "core/diagnosis/peers.h"
#include "core/graph/intermediates.h"
#include "core/ops/elementwise.h"
#include "core/ops/rows.h"

static bool find_peer(const struct step_call *call, size_t index, struct step_peer *peer)
{
    const struct search *s = call->search;
    const struct node *other = peer_of(&s->network->graph, s->network->graph.nodes[call->node], index);
    if (other == NULL) return false;
    size_t v = other->output->index;
    bool known = other->index > call->node && s->flow.gs[v] == NULL && !s->flow.dead[other->index];
    *peer = (struct step_peer){.call = pass_call(s->pass, other), .dy = known ? s->flow.g[v] : NULL};
    return true;
}

/* What l2 adds to the gradient of the node's weight, as a multiple of that. */
static double l2_of_weight(const struct search *s, const struct node *node)
{
    for (size_t k = 0; k < node->input_count; k++) {
        size_t p = search_graded(s, node, k);
        if (p != PARAMETER_NONE && search_is_regularized(s, p)) return s->network->graded[p].l2;
    }
    return 0;
}

/* What a hypothesis does not change. */
static struct step_call fixed_call(const struct search *s, const struct node *node)
{
    const struct op_call *call = pass_call(s->pass, node);
    const struct node *before = node->inputs[0]->made_by;
    struct rows in = rows_of(call->in[0]), out = rows_of(call->out);
    return (struct step_call){.call = call,
                              .before = before != NULL ? pass_call(s->pass, before) : NULL,
                              .rows = in.count,
                              .in = in.width,
                              .out = out.width,
                              .x = call->x[0],
                              .y = call->y,
                              .peer = find_peer,
                              .search = s,
                              .maps_used = s->maps_used,
                              .l2 = l2_of_weight(s, node),
                              .node = node->index};
}

struct step_call step_at(const struct search *s, const struct node *node)
{
    const struct step_known *at = &s->steps[node->index];
    struct step_call step = at->fixed;
    step.dy = s->flow.g[node->output->index];
    if (at->behind == NULL) return step;
    bool skipped = s->now.past && at->behind == s->network->output; /* nothing came to it */
    if (!skipped && s->flow.gs[at->behind->index] == NULL) step.dh = s->flow.g[at->behind->index];
    return step;
}

struct step_call step_at_activation(const struct search *s, const struct node *node)
{
    struct step_call step = step_at(s, node);
    step.rows = node->output->size;
    step.in = 1;
    return step;
}

static struct step_own find_own(const struct search *s, const struct node *node)
{
    struct step_own own = {PARAMETER_NONE, PARAMETER_NONE, false};
    for (size_t k = 0; k < node->input_count; k++) {
        size_t p = search_graded(s, node, k), count;
        if (p == PARAMETER_NONE || s->network->graded[p].slot == NULL) continue;
        const struct slot *slot = op_slot(node->op, k);
        flow_into(&s->flow, node->inputs[k], &count);
        if (count == 1 && slot->product)
            own.product = p;
        else if (count == 1 && slot->summed)
            own.summed = p;
        else
            own.others = true;
    }
    return own;
}

bool step_is_last_to(const struct search *s, const struct node *node, size_t input)
{
    size_t count;
    if (flow_edge(&s->flow, node, input) == NULL) return false;
    return flow_into(&s->flow, node->inputs[input], &count)[0] == flow_edge(&s->flow, node, input);
}

size_t step_completes(const struct search *s, const struct node *node, size_t input)
{
    bool parameter = node->inputs[input] != NULL && node->inputs[input]->kind == VALUE_PARAMETER;
    return parameter && step_is_last_to(s, node, input) ? search_graded(s, node, input) : PARAMETER_NONE;
}

bool step_prepare(struct search *s)
{
    const struct graph *graph = &s->network->graph;
    s->steps = arena_array(s->arena, graph->node_count, sizeof *s->steps);
    if (s->steps == NULL) return false;
    s->maps_used = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        enum map map;
        double attribute;
        const struct op_call *call = pass_call(s->pass, graph->nodes[i]);
        bool is_map = call->op->kind == OP_ACTIVATION && elementwise_map(call->op, call->attributes, &map, &attribute);
        if (is_map) s->maps_used |= 1U << map;
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i], *behind = network_activation(node->output);
        bool has_behind = behind != NULL && node->op->kind != OP_ACTIVATION;
        s->steps[i] = (struct step_known){
            .fixed = fixed_call(s, node), .own = find_own(s, node), .behind = has_behind ? behind->output : NULL};
        if (has_behind) s->steps[i].fixed.behind = pass_call(s->pass, behind);
    }
    return true;
}

struct step_own step_own(const struct search *s, const struct node *node)
{
    return s->steps[node->index].own;
}
