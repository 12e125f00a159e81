/* What a search needs before it can begin: room, and a first look at the numbers. */
#include <math.h>

#include "core/diagnosis/sketch.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/rules.h"

/* Parameters times samples from which on the search is spared what seldom leads anywhere. */
#define LARGE 1e6

static void add_factor(struct search *s, const struct mistake *mistake, double value)
{
    if (hypothesis_near(value, 1) || s->factor_count == FACTORS_MAX) return;
    s->factors[s->factor_count++] = (struct factor_name){mistake, value};
}

static void prepare_factors(struct search *s)
{
    const struct op *loss = s->network->definition->loss.op;
    s->factor_count = 0;
    for (struct rule rule = rule_first_factor(loss); rule.mistake != NULL; rule_next(&rule))
        add_factor(s, rule.mistake, rule.mistake->factor(s->pass, rule.variant));
}

/* Room for every choice that a hypothesis can make: at most three at a node, and two at the loss. */
static bool prepare_pool(struct search *s)
{
    size_t n = s->network->parameter_count;
    s->path_max = 3 * s->network->node_count + 4;
    s->path = arena_array(s->arena, s->path_max, sizeof *s->path);
    for (size_t i = 0; i < 1 + SOLUTIONS_MAX; i++) {
        s->pool[i].path = arena_array(s->arena, s->path_max, sizeof *s->path);
        s->pool[i].matches = arena_array(s->arena, n, sizeof *s->matches);
        if (s->pool[i].path == NULL || s->pool[i].matches == NULL) return false;
    }
    return s->path != NULL;
}

bool search_prepare(struct search *s)
{
    const struct network *network = s->network;
    size_t nodes = network->node_count, largest = 1, largest_parameter = 1;
    s->large = (double)network->parameter_elements * (double)s->pass->batch > LARGE;
    double ***lists[] = {&s->value, &s->slope, &s->right_value, &s->right_slope, &s->resolved, &s->dW};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if ((*lists[i] = arena_zeroed(s->arena, nodes, sizeof(double *))) == NULL) return false;
    s->g = arena_zeroed(s->arena, nodes, sizeof *s->g);
    s->gs = arena_zeroed(s->arena, nodes, sizeof *s->gs);
    s->matches = arena_zeroed(s->arena, network->parameter_count, sizeof *s->matches);
    s->taken = arena_zeroed(s->arena, network->parameter_count, sizeof *s->taken);
    if (s->g == NULL || s->gs == NULL || s->matches == NULL || s->taken == NULL) return false;
    for (size_t i = 0; i < nodes; i++) {
        size_t n = s->pass->batch * network->nodes[i].out_size, own = 1;
        if (n > largest) largest = n;
        for (size_t r = 0; r < OP_PARAMETERS_MAX; r++)
            if (network->nodes[i].parameters[r] != PARAMETER_NONE)
                own += network->parameters[network->nodes[i].parameters[r]].size;
        if (own > largest_parameter) largest_parameter = own;
        for (size_t l = 0; l < 5; l++)
            if (((*lists[l])[i] = arena_doubles(s->arena, n)) == NULL) return false;
        if ((s->dW[i] = arena_doubles(s->arena, own)) == NULL) return false;
    }
    s->room = arena_doubles(s->arena, largest);
    s->local_value = arena_doubles(s->arena, largest);
    s->local_slope = arena_doubles(s->arena, largest);
    s->weight_room = arena_doubles(s->arena, largest_parameter);
    s->weight_slope = arena_doubles(s->arena, largest_parameter);
    s->weight_turned = arena_doubles(s->arena, largest_parameter);
    s->loss_room = arena_doubles(s->arena, 3 * s->pass->batch * network_output(network)->out_size);
    if (!prepare_pool(s) || !sketch_prepare(s)) return false;
    s->best = NULL;
    s->other_count = 0;
    prepare_factors(s);
    return s->room != NULL && s->local_value != NULL && s->local_slope != NULL && s->weight_room != NULL &&
           s->weight_slope != NULL && s->weight_turned != NULL && s->loss_room != NULL;
}
