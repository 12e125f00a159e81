#include "core/diagnosis/line_suspects.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/numbers.h"

/* Whether what comes to a value would show if it were wrong: it is right, and something at all. */
static bool speaks(const struct line_flow *flow, size_t p)
{
    const struct observed *o = &flow->s->observed[p];
    const double *g = flow->base[p];
    if (!flow->right[p] || g == NULL) return false;
    for (size_t i = 0; i < search_size(flow->s, p); i++)
        if (fabs(g[i]) > 10 * o->tolerance.atol) return true;
    return false;
}

/* What lies below a value, as far as the next one that was handed in on each way: something that is left, and nothing
 * that is right. */
struct below {
    bool *spoilt, *speaks; /* by value */
};

static bool look(const struct line_flow *flow, const bool *left, struct below *below)
{
    const struct search *s = flow->s;
    const struct graph *graph = &s->network->graph;
    below->spoilt = arena_zeroed(s->arena, graph->value_count, sizeof *below->spoilt);
    below->speaks = arena_zeroed(s->arena, graph->value_count, sizeof *below->speaks);
    if (below->spoilt == NULL || below->speaks == NULL) return false;
    for (size_t v = 0; v < graph->value_count; v++) {
        const struct value *value = graph->values[v];
        size_t p = s->graded_of[value->index];
        if (p == PARAMETER_NONE) continue;
        below->spoilt[v] = left[p];
        below->speaks[v] = speaks(flow, p);
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        size_t v = node->output->index, p = s->graded_of[v];
        bool ends = p != PARAMETER_NONE && (flow->instead[p] || left[p]); /* what lies below is judged by it */
        for (size_t k = 0; k < node->input_count && !ends; k++) {
            if (node->inputs[k] == NULL || flow_edge(&s->flow, node, k) == NULL) continue;
            below->spoilt[v] = below->spoilt[v] || below->spoilt[node->inputs[k]->index];
            below->speaks[v] = below->speaks[v] || below->speaks[node->inputs[k]->index];
        }
    }
    return true;
}

bool line_suspects_find(const struct line_flow *flow, const bool *left, struct diagnosis *diagnosis)
{
    const struct search *s = flow->s;
    const struct graph *graph = &s->network->graph;
    struct below below;
    bool any = false;
    for (size_t p = 0; p < search_count(s); p++)
        any = any || left[p];
    if (!any) return true;
    diagnosis->suspects = arena_array(s->arena, s->flow.edge_count + graph->node_count, sizeof *diagnosis->suspects);
    if (diagnosis->suspects == NULL || !look(flow, left, &below)) return false;
    size_t count = 0;
    for (size_t e = 0; e < s->flow.edge_count; e++) {
        const struct edge *edge = &s->flow.edges[e];
        size_t v = edge->to->index;
        if (edge->node->place.kind != PLACE_LINE || !below.spoilt[v] || below.speaks[v]) continue;
        diagnosis->suspects[count++] = edge->node->place.layer;
    }
    if (count == 0) /* all lines that lead there: something that is right lies below each of them */
        for (size_t i = 0; i < graph->node_count; i++)
            if (graph->nodes[i]->place.kind == PLACE_LINE && below.spoilt[graph->nodes[i]->output->index])
                diagnosis->suspects[count++] = graph->nodes[i]->place.layer;
    if (count > 0) qsort(diagnosis->suspects, count, sizeof *diagnosis->suspects, numbers_compare_sizes);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || diagnosis->suspects[i] != diagnosis->suspects[i - 1])
            diagnosis->suspects[diagnosis->suspect_count++] = diagnosis->suspects[i];
    return true;
}
