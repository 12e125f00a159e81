#include "core/diagnosis/flow.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/ops/elementwise.h"

/* What is off by more than that from what the joined loss makes has been lost. */
#define HAS_LOST 1e-9

/* ---- before the search ---- */

/* Which inputs get an edge: those that a gradient flows into and that something graded lies behind. Terms of the loss
 * have none: where the search begins is the prediction, and what a penalty adds is known. */
static bool leads_somewhere(const struct ancestry *ancestry, const struct value *value)
{
    for (size_t w = 0; value != NULL && w < ancestry->words; w++)
        if (ancestry->sets[value->index * ancestry->words + w] != 0) return true;
    return false;
}

/* By node: whether the loss does not depend on it. */
static bool find_dead(struct arena *arena, struct flow *flow)
{
    const struct graph *graph = flow->graph;
    flow->dead = arena_zeroed(arena, graph->node_count, sizeof *flow->dead);
    for (size_t i = graph->node_count; flow->dead != NULL && i-- > 0;) {
        const struct value *output = graph->nodes[i]->output;
        flow->dead[i] = !output->is_term;
        for (size_t u = 0; u < output->use_count; u++)
            flow->dead[i] = flow->dead[i] && flow->dead[output->uses[u].node->index];
    }
    return flow->dead != NULL;
}

static bool list_edges(struct arena *arena, const struct ancestry *ancestry, struct flow *flow)
{
    const struct graph *graph = flow->graph;
    size_t inputs = 0;
    flow->first = arena_array(arena, graph->node_count, sizeof *flow->first);
    if (flow->first == NULL || !find_dead(arena, flow)) return false;
    for (size_t i = 0; i < graph->node_count; i++) {
        flow->first[i] = inputs;
        inputs += graph->nodes[i]->input_count;
    }
    flow->edges = arena_zeroed(arena, inputs, sizeof *flow->edges);
    flow->of_inputs = arena_zeroed(arena, inputs, sizeof *flow->of_inputs);
    flow->needed = arena_zeroed(arena, graph->node_count, sizeof *flow->needed);
    if (flow->edges == NULL || flow->of_inputs == NULL || flow->needed == NULL) return false;
    for (size_t i = 0; i < graph->node_count; i++)
        for (size_t k = 0; !graph->nodes[i]->output->is_term && k < graph->nodes[i]->input_count; k++) {
            const struct value *to = graph->nodes[i]->inputs[k];
            if (!leads_somewhere(ancestry, to) || !to->differentiated) continue;
            if (!op_differentiates(graph->nodes[i]->op, k)) continue;
            struct edge *edge = &flow->edges[flow->edge_count++];
            *edge = (struct edge){.node = graph->nodes[i], .input = k, .to = to};
            flow->of_inputs[flow->first[i] + k] = edge;
            flow->needed[i] = true;
        }
    return true;
}

/* The edges by the value that they lead to. */
static bool sort_edges(struct arena *arena, struct flow *flow)
{
    size_t values = flow->graph->value_count;
    flow->into = arena_array(arena, flow->edge_count, sizeof *flow->into);
    flow->into_first = arena_zeroed(arena, values + 2, sizeof *flow->into_first);
    if (flow->into == NULL || flow->into_first == NULL) return false;
    size_t *next = flow->into_first + 1; /* one ahead: after the edges are placed, this is where they begin */
    for (size_t e = 0; e < flow->edge_count; e++)
        next[flow->edges[e].to->index + 1]++;
    for (size_t v = 0; v < values; v++)
        next[v + 1] += next[v];
    for (size_t e = 0; e < flow->edge_count; e++)
        flow->into[next[flow->edges[e].to->index]++] = &flow->edges[e];
    return true;
}

/* Room for one edge. What leads to a tensor that is graded at once is but compared, unless others lead there, too. */
static bool take_room(struct arena *arena, struct flow *flow, struct edge *edge)
{
    size_t count, n = edge->to->size;
    flow_into(flow, edge->to, &count);
    bool compared = edge->to->kind == VALUE_PARAMETER && count == 1;
    if ((edge->right_value = arena_doubles(arena, n)) == NULL) return false;
    edge->right = flow_right(flow, edge->to);
    if (count > 1 && (edge->right = arena_doubles(arena, n)) == NULL) return false;
    if (compared) return true;
    double **const rooms[] = {&edge->value, &edge->slope, &edge->right_slope, &edge->resolved};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        if ((*rooms[i] = arena_doubles(arena, n)) == NULL) return false;
    return true;
}

static bool take_totals(struct arena *arena, struct flow *flow)
{
    size_t values = flow->graph->value_count;
    flow->g = arena_zeroed(arena, values, sizeof *flow->g);
    flow->gs = arena_zeroed(arena, values, sizeof *flow->gs);
    double ***const lists[] = {&flow->total, &flow->total_slope, &flow->resolved, &flow->shared, &flow->shared_slope};
    flow->all = arena_zeroed(arena, values, sizeof *flow->all);
    flow->all_slope = arena_zeroed(arena, values, sizeof *flow->all_slope);
    if (flow->all == NULL || flow->all_slope == NULL) return false;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if ((*lists[i] = arena_zeroed(arena, values, sizeof(double *))) == NULL) return false;
    for (size_t v = 0; v < values; v++) {
        size_t count, n = flow->graph->values[v]->size;
        struct edge *const *into = flow_into(flow, flow->graph->values[v], &count);
        if (count == 1) flow->resolved[v] = into[0]->resolved; /* one of the two is settled, never both */
        /* The prediction has no edge: the search begins there. */
        bool begins = count == 0 && flow->graph->values[v]->kind == VALUE_COMPUTED && !flow->graph->values[v]->is_term;
        if (begins && (flow->resolved[v] = arena_doubles(arena, n)) == NULL) return false;
        if (count < 2) continue;
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            if (((*lists[i])[v] = arena_doubles(arena, n)) == NULL) return false;
    }
    return flow->g != NULL && flow->gs != NULL;
}

/* A node is a cut where no edge goes past it: from behind it to a value that was there before it. Parameters do not
 * count, since a mistake above cannot hide in them: they are compared themselves. */
static bool find_cuts(struct arena *arena, struct flow *flow)
{
    size_t nodes = flow->graph->node_count, open = 0;
    flow->cut = arena_zeroed(arena, nodes, sizeof *flow->cut);
    size_t *opened = arena_zeroed(arena, nodes + 1, sizeof *opened),
           *closed = arena_zeroed(arena, nodes + 1, sizeof *closed);
    if (flow->cut == NULL || opened == NULL || closed == NULL) return false;
    for (size_t e = 0; e < flow->edge_count; e++) {
        const struct edge *edge = &flow->edges[e];
        if (edge->to->kind == VALUE_PARAMETER) continue;
        /* It goes past the nodes after the one that made the value, as far as its own. */
        size_t from = edge->to->made_by != NULL ? edge->to->made_by->index + 1 : 0;
        opened[from]++;
        closed[edge->node->index]++;
    }
    for (size_t i = 0; i < nodes; i++) {
        open += opened[i];
        open -= closed[i];
        flow->cut[i] = open == 0;
    }
    return true;
}

static bool take_lists(struct arena *arena, struct flow *flow)
{
    size_t most = 1;
    for (size_t i = 0; i < flow->graph->node_count; i++)
        if (flow->graph->nodes[i]->input_count > most) most = flow->graph->nodes[i]->input_count;
    flow->only = arena_zeroed(arena, most, sizeof *flow->only);
    flow->overwrite = arena_zeroed(arena, most, sizeof *flow->overwrite);
    flow->trail_room = 4 * flow->edge_count;
    flow->trail = arena_array(arena, flow->trail_room, sizeof *flow->trail);
    return flow->only != NULL && flow->overwrite != NULL && flow->trail != NULL;
}

/* Which derivatives of the last activation a joined loss regains. */
static bool find_regained(struct arena *arena, struct flow *flow, const struct node *node)
{
    const struct value *from = node->output, *to = node->inputs[0];
    enum map map;
    double attribute;
    bool joined = pass_backward_call(flow->pass, node) != pass_call(flow->pass, node);
    if (!joined || to->use_count != 1 || flow_right(flow, to) == NULL) return true;
    if (!elementwise_map(node->op, node->attributes, &map, &attribute)) return true;
    double *made = arena_doubles(arena, to->size);
    if (made == NULL) return false;
    const double *dy = flow_right(flow, from), *dx = flow_right(flow, to);
    flow_send(flow, node, 0, dy, made);
    for (size_t i = 0; i < to->size; i++) {
        bool lost = fabs(made[i] - dx[i]) > HAS_LOST * fabs(dx[i]) && isfinite(dx[i] / dy[i]);
        made[i] = lost ? dx[i] / dy[i] : 0;
        if (lost) flow->joined = node;
    }
    flow->regained = made;
    return true;
}

bool flow_new(struct arena *arena, const struct graph *graph, const struct ancestry *ancestry, const struct pass *pass,
              struct flow *flow)
{
    *flow = (struct flow){.graph = graph, .pass = pass};
    if (!list_edges(arena, ancestry, flow) || !sort_edges(arena, flow) || !take_lists(arena, flow)) return false;
    for (size_t e = 0; e < flow->edge_count; e++)
        if (!take_room(arena, flow, &flow->edges[e])) return false;
    for (size_t i = 0; i < graph->node_count; i++)
        if (!graph->nodes[i]->output->is_term && !find_regained(arena, flow, graph->nodes[i])) return false;
    return take_totals(arena, flow) && find_cuts(arena, flow);
}

/* The op's own backward from dy to the inputs that flow->only names, which are none after it. */
static void send_wanted(const struct flow *flow, const struct node *node, const double *dy)
{
    struct op_call call = *pass_call(flow->pass, node);
    call.dy = dy;
    call.dx = flow->only;
    call.add = flow->overwrite;
    call.op->backward(&call);
    memset(flow->only, 0, node->input_count * sizeof *flow->only);
}

/* An edge's own memory for what is right: there is some where several lead to a value. */
static double *own_right(const struct flow *flow, const struct edge *edge)
{
    return edge->right != flow_right(flow, edge->to) ? (double *)(uintptr_t)edge->right : NULL;
}

void flow_fill_right(const struct flow *flow, const struct node *node)
{
    size_t wanted = 0;
    for (size_t k = 0; k < node->input_count; k++) {
        const struct edge *edge = flow_edge(flow, node, k);
        double *right = edge != NULL ? own_right(flow, edge) : NULL;
        if (right == NULL) continue;
        if (flow->dead[node->index]) /* not even a zero, which times an infinity would be no number */
            memset(right, 0, edge->to->size * sizeof *right);
        else if (node == flow->joined)
            flow_send(flow, node, k, flow_right(flow, node->output), right);
        else
            flow->only[k] = right;
        wanted += flow->only[k] != NULL;
    }
    if (wanted > 0) send_wanted(flow, node, flow_right(flow, node->output));
}

/* ---- sending ---- */

void flow_send(const struct flow *flow, const struct node *node, size_t input, const double *dy, double *dx)
{
    flow->only[input] = dx;
    send_wanted(flow, node, dy);
    if (node != flow->joined) return;
    for (size_t i = 0; i < node->output->size; i++)
        if (flow->regained[i] != 0) dx[i] = dy[i] * flow->regained[i];
}

void flow_send_right(struct flow *flow, struct edge *edge)
{
    const struct value *from = edge->node->output;
    const double *dy = flow->g[from->index], *slope = flow->gs[from->index];
    edge->g = edge->right;
    edge->gs = NULL;
    if (flow_is_right(flow, from)) return;
    flow_send(flow, edge->node, edge->input, dy, edge->right_value);
    edge->g = edge->right_value;
    if (slope == NULL || edge->right_slope == NULL) return;
    flow_send(flow, edge->node, edge->input, slope, edge->right_slope);
    edge->gs = edge->right_slope;
}

void flow_send_all(struct flow *flow, const struct node *node)
{
    const double *dy = flow->g[node->output->index];
    bool right = flow_is_right(flow, node->output);
    size_t wanted = 0;
    for (size_t k = 0; k < node->input_count; k++) {
        struct edge *edge = flow_edge(flow, node, k);
        if (edge == NULL) continue;
        edge->g = right ? edge->right : edge->right_value;
        edge->gs = NULL;
        if (right) continue;
        if (node == flow->joined)
            flow_send(flow, node, k, dy, edge->right_value);
        else
            flow->only[k] = edge->right_value;
        wanted += flow->only[k] != NULL;
    }
    if (wanted > 0) send_wanted(flow, node, dy);
}

static void add(size_t n, double times, const double *from, double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] += times * from[i];
}

/* All that comes to a value, and its slope where there is one. */
static void sum_up(struct flow *flow, const struct value *value, double *to, double *to_slope, bool *sloped)
{
    size_t count, n = value->size;
    struct edge *const *into = flow_into(flow, value, &count);
    *sloped = false;
    for (size_t k = 0; k < count; k++)
        *sloped = *sloped || into[k]->gs != NULL;
    memset(to, 0, n * sizeof(double));
    if (*sloped) memset(to_slope, 0, n * sizeof(double));
    for (size_t k = 0; k < count; k++) {
        add(n, 1, into[k]->g, to);
        if (into[k]->gs != NULL) add(n, 1, into[k]->gs, to_slope);
    }
}

void flow_gather(struct flow *flow, const struct value *value)
{
    size_t count, v = value->index;
    struct edge *const *into = flow_into(flow, value, &count);
    bool right = true, sloped = false;
    for (size_t k = 0; k < count; k++)
        right = right && into[k]->g == into[k]->right && into[k]->gs == NULL;
    flow->g[v] = right ? flow_right(flow, value) : into[0]->g; /* of what nobody takes it is right: zeros */
    flow->gs[v] = right ? NULL : into[0]->gs;
    if (count < 2) return;
    flow->all[v] = flow->g[v];
    flow->all_slope[v] = flow->gs[v];
    if (right) return;
    sum_up(flow, value, flow->total[v], flow->total_slope[v], &sloped);
    flow->all[v] = flow->g[v] = flow->total[v];
    flow->all_slope[v] = flow->gs[v] = sloped ? flow->total_slope[v] : NULL;
}

void flow_share(struct flow *flow, const struct value *value, const struct edge *one, double of_one, double of_others)
{
    size_t n = value->size, v = value->index;
    double *shared = flow->shared[v], *shared_slope = flow->shared_slope[v];
    for (size_t i = 0; i < n; i++)
        shared[i] = of_others * flow->all[v][i] + (of_one - of_others) * one->g[i];
    flow->g[v] = shared;
    flow->gs[v] = NULL;
    if (flow->all_slope[v] == NULL) return;
    for (size_t i = 0; i < n; i++)
        shared_slope[i] = of_others * flow->all_slope[v][i] + (one->gs != NULL ? (of_one - of_others) * one->gs[i] : 0);
    flow->gs[v] = shared_slope;
}

/* ---- a number is settled ---- */

static void settle(size_t n, double c, const double **g, const double **gs, double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (*g)[i] + c * (*gs)[i];
    *g = to;
    *gs = NULL;
}

void flow_settle(struct flow *flow, const struct value *value, double c)
{
    size_t place = value->made_by != NULL ? value->made_by->index : 0;
    for (size_t e = 0; e < flow->edge_count; e++) {
        struct edge *edge = &flow->edges[e];
        bool before = edge->to->made_by == NULL || edge->to->made_by->index < place;
        if (edge->node->index <= place || !before || edge->gs == NULL || flow->trail_length == flow->trail_room)
            continue;
        flow->trail[flow->trail_length++] = (struct settled){.edge = edge, .g = edge->g, .gs = edge->gs};
        settle(edge->to->size, c, &edge->g, &edge->gs, edge->resolved);
    }
    if (flow->gs[value->index] == NULL) return;
    settle(value->size, c, &flow->g[value->index], &flow->gs[value->index], flow->resolved[value->index]);
}

void flow_unsettle(struct flow *flow, size_t trail_length)
{
    while (flow->trail_length > trail_length) {
        const struct settled *settled = &flow->trail[--flow->trail_length];
        settled->edge->g = settled->g;
        settled->edge->gs = settled->gs;
    }
}

void flow_set_right(struct flow *flow)
{
    for (size_t e = 0; e < flow->edge_count; e++) {
        flow->edges[e].g = flow->edges[e].right;
        flow->edges[e].gs = NULL;
    }
    for (size_t v = 0; v < flow->graph->value_count; v++) {
        flow->g[v] = flow_right(flow, flow->graph->values[v]);
        flow->gs[v] = NULL;
    }
}
