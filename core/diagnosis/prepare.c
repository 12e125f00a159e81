#include "core/diagnosis/prepare.h"

#include "core/diagnosis/factors.h"
#include "core/diagnosis/sketch.h"
#include "core/diagnosis/steps.h"

/* Parameters times samples from which on the search is spared what seldom leads anywhere. */
#define LARGE 1e6

/* Room for every choice that a hypothesis can make: two at every tensor, one at every input and at every value of each
 * node, and two at the loss. */
static bool prepare_path(struct search *s)
{
    size_t n = search_count(s), most = 2 * n + 4;
    for (size_t i = 0; i < s->network->graph.node_count; i++)
        most += s->network->graph.nodes[i]->input_count + 2;
    s->now.path_max = most;
    s->now.path = arena_array(s->arena, most, sizeof *s->now.path);
    s->now.matches = arena_zeroed(s->arena, n, sizeof *s->now.matches);
    return s->now.path != NULL && s->now.matches != NULL;
}

/* Who depends on what is graded, and the flow towards it. */
static bool prepare_flow(struct search *s)
{
    const struct graph *graph = &s->network->graph;
    struct value **graded = arena_array(s->arena, search_count(s), sizeof *graded);
    s->graded_of = arena_array(s->arena, graph->value_count, sizeof *s->graded_of);
    if (graded == NULL || s->graded_of == NULL) return false;
    for (size_t v = 0; v < graph->value_count; v++)
        s->graded_of[v] = PARAMETER_NONE;
    for (size_t p = 0; p < search_count(s); p++) {
        graded[p] = s->network->graded[p].value;
        s->graded_of[graded[p]->index] = p;
    }
    return graph_ancestry(s->arena, graph, graded, search_count(s), &s->ancestry) &&
           flow_new(s->arena, graph, &s->ancestry, s->pass, &s->flow);
}

/* Where many layers take one large value, this is most of the search. */
static void fill_flow(struct search *s)
{
    for (size_t i = 0; i < s->network->graph.node_count && !search_looks(s); i++)
        if (s->flow.needed[i]) flow_fill_right(&s->flow, s->network->graph.nodes[i]);
}

static bool take_room(struct search *s)
{
    size_t largest = 1, largest_graded = 1;
    for (size_t i = 0; i < s->network->graph.node_count; i++) {
        const struct node *node = s->network->graph.nodes[i];
        for (size_t k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL && node->inputs[k]->kind != VALUE_PARAMETER && node->inputs[k]->size > largest)
                largest = node->inputs[k]->size;
        if (node->output->size > largest) largest = node->output->size;
    }
    for (size_t p = 0; p < search_count(s); p++)
        if (search_size(s, p) > largest_graded) largest_graded = search_size(s, p);
    double **const of_graded[] = {&s->room, &s->room_slope, &s->room_turned, &s->room_under};
    double **const of_values[] = {&s->spare, &s->local_value, &s->local_slope};
    for (size_t i = 0; i < sizeof of_graded / sizeof *of_graded; i++)
        if ((*of_graded[i] = arena_doubles(s->arena, largest_graded)) == NULL) return false;
    for (size_t i = 0; i < sizeof of_values / sizeof *of_values; i++)
        if ((*of_values[i] = arena_doubles(s->arena, largest)) == NULL) return false;
    s->loss_room = arena_doubles(s->arena, 5 * s->loss.elements);
    s->taken = arena_zeroed(s->arena, search_count(s), sizeof *s->taken);
    return s->loss_room != NULL && s->taken != NULL;
}

/* The gradient of the loss as its mistakes see it. */
static struct loss_call loss_call_of(const struct search *s)
{
    const struct network *network = s->network;
    const struct op_call *call = pass_call(s->pass, network->loss);
    return (struct loss_call){.call = call,
                              .before = pass_call(s->pass, network->output->made_by),
                              .right = s->pass->gradients[network->output->index],
                              .factor = loss_factor(call->op, call->attributes, call->in[LOSS_PREDICTION]),
                              .batch = network->batch,
                              .elements = network->output->size};
}

bool prepare_search(struct search *s)
{
    s->large = (double)s->network->parameter_elements * (double)s->network->batch > LARGE;
    s->loss = loss_call_of(s);
    s->best = NULL;
    s->other_count = 0;
    if (!prepare_flow(s) || !step_prepare(s) || !take_room(s) || !prepare_path(s) || !sketch_prepare(s)) return false;
    fill_flow(s);
    factors_prepare(s);
    return true;
}
