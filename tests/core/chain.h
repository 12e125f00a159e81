/* Networks for tests: chains of ops with the defaults of their attributes, and problems made of them. */
#ifndef TESTS_CORE_CHAIN_H
#define TESTS_CORE_CHAIN_H

#include <check.h>
#include <math.h>

#include "core/graph/network.h"
#include "core/ops/ops.h"
#include "core/pass/problem.h"

enum { CHAIN_LAYERS_MAX = 16 };

struct test_chain {
    struct feed feed;
    struct layer layers[CHAIN_LAYERS_MAX];
    struct definition definition;
    struct network network;
};

static inline struct layer chain_layer(const char *name, double first_attribute, bool loss)
{
    const struct op *op = ops_find(name, loss);
    ck_assert_msg(op != NULL, "no op %s", name);
    struct layer layer = {.op = op};
    for (size_t a = 0; attribute_stands(&op->attributes[a]); a++)
        layer.attributes[a] = op->attributes[a].fallback;
    if (first_attribute > 0) layer.attributes[0] = first_attribute;
    if (loss) layer.attributes[LOSS_SCALE] = 1;
    return layer;
}

/* {"linear", 3}, {"relu", 0}, ..., {NULL}: names with their first attribute (0: its default). */
struct link {
    const char *name;
    double attribute;
};

/* The definition alone, for tests that change something in it. The chain must stay where it is. */
static inline void chain_define(size_t input, const struct link *links, const char *loss, struct test_chain *chain)
{
    *chain = (struct test_chain){.feed = {.name = "x", .sample = {1, {input}}}};
    chain->definition = (struct definition){.feeds = &chain->feed, .feed_count = 1, .layers = chain->layers};
    for (; links->name != NULL; links++)
        chain->layers[chain->definition.layer_count++] = chain_layer(links->name, links->attribute, false);
    chain->definition.loss = chain_layer(loss, 0, true);
}

/* The definition as a network for that many samples; network_build's code. */
static inline int chain_build_defined(struct arena *arena, size_t batch, struct test_chain *chain, struct error *error)
{
    return network_build(arena, &chain->definition, batch, &chain->network, error);
}

static inline int chain_build(struct arena *arena, size_t input, size_t batch, const struct link *links,
                              const char *loss, struct test_chain *chain, struct error *error)
{
    chain_define(input, links, loss, chain);
    return chain_build_defined(arena, batch, chain, error);
}

/* Elements of one sample of the network's output. */
static inline size_t chain_width(const struct test_chain *chain)
{
    return network_sample_size(&chain->network, chain->network.output);
}

/* The network with its data, and its parameters one by one; what `given` is made of comes from the arena. False when
 * that is short: threads of a test's own cannot assert. */
static inline bool chain_pose(struct arena *arena, const struct test_chain *chain, const struct backend *backend,
                              double *x, double *target, double *const *parameters, struct problem *problem)
{
    const struct network *network = &chain->network;
    *problem = (struct problem){.network = network, .backend = backend};
    problem->given = arena_zeroed(arena, network->graph.value_count, sizeof *problem->given);
    if (problem->given == NULL) return false;
    problem->given[network->feeds[0]->index] = x;
    problem->given[network->target->index] = target;
    for (size_t p = 0; p < network->parameter_count; p++)
        problem->given[network->graded[p].value->index] = parameters[p];
    return true;
}

static inline struct problem chain_problem(struct arena *arena, const struct test_chain *chain,
                                           const struct backend *backend, double *x, double *target,
                                           double *const *parameters)
{
    struct problem problem;
    ck_assert(chain_pose(arena, chain, backend, x, target, parameters, &problem));
    return problem;
}

#endif
