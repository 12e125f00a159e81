#include "core/diagnosis/sweep.h"

#include <string.h>

/* A pass of more numbers than that is not run again. */
#define ELEMENTS_MOST 4e6

double sweep_elements(const struct network *network)
{
    size_t elements;
    if (!pass_elements(&network->graph, &elements) || (double)elements > ELEMENTS_MOST) return 0;
    double largest = 0;
    for (size_t v = 0; v < network->graph.value_count; v++)
        if ((double)network->graph.values[v]->size > largest) largest = (double)network->graph.values[v]->size;
    return (double)elements + 2 * largest;
}

static bool take_room(struct sweep *sweep)
{
    const struct graph *graph = &sweep->s->network->graph;
    size_t largest = 1, inputs = 1;
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v]->size > largest) largest = graph->values[v]->size;
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->input_count > inputs) inputs = graph->nodes[i]->input_count;
    sweep->room = arena_doubles(sweep->s->arena, largest);
    sweep->turned = arena_doubles(sweep->s->arena, largest);
    sweep->dx = arena_zeroed(sweep->s->arena, inputs, sizeof *sweep->dx);
    sweep->overwrite = arena_zeroed(sweep->s->arena, inputs, sizeof *sweep->overwrite);
    return sweep->room != NULL && sweep->turned != NULL && sweep->dx != NULL && sweep->overwrite != NULL;
}

bool sweep_new(const struct search *s, const struct problem *problem, struct sweep *sweep)
{
    struct error unsaid = {0};
    *sweep = (struct sweep){.s = s};
    if (sweep_elements(s->network) == 0 || !take_room(sweep)) return false;
    return problem_pass(s->arena, problem, backend_cpu(DTYPE_FLOAT64), &sweep->pass, &unsaid) == CODE_OK &&
           pass_forward(&sweep->pass, &unsaid) == CODE_OK;
}

void sweep_forward(const struct sweep *sweep, const struct node *node)
{
    const struct op_call *call = pass_call(&sweep->pass, node);
    if (!node->output->is_term) call->op->forward(call);
}

void sweep_clear(const struct sweep *sweep)
{
    const struct graph *graph = &sweep->s->network->graph;
    for (size_t v = 0; v < graph->value_count; v++) {
        double *gradient = sweep_gradient(sweep, graph->values[v]);
        if (gradient != NULL) memset(gradient, 0, graph->values[v]->size * sizeof *gradient);
    }
}

void sweep_add(const struct sweep *sweep, const struct node *node, size_t input, const double *dx)
{
    const struct value *value = node->inputs[input];
    double *gradient = sweep_gradient(sweep, value);
    for (size_t i = 0; i < value->size; i++)
        gradient[i] += dx[i];
}

void sweep_send(const struct sweep *sweep, const struct node *node)
{
    struct op_call call = *pass_call(&sweep->pass, node);
    call.dx = sweep->dx;
    call.add = sweep->overwrite;
    for (size_t k = 0; k < node->input_count; k++) {
        if (node->inputs[k] == NULL || sweep_gradient(sweep, node->inputs[k]) == NULL) continue;
        sweep->dx[k] = sweep->room;
        call.op->backward(&call);
        sweep->dx[k] = NULL;
        sweep_add(sweep, node, k, sweep->room);
    }
}

bool sweep_counts(const struct sweep *sweep, const struct node *node)
{
    return !sweep->s->flow.dead[node->index] && node->place.kind != PLACE_PENALTY;
}
