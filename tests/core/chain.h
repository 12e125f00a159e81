/* Networks for tests: chains of ops with the defaults of their attributes. */
#ifndef TESTS_CORE_CHAIN_H
#define TESTS_CORE_CHAIN_H

#include <check.h>
#include <math.h>

#include "core/graph/network.h"
#include "core/ops/ops.h"

enum { CHAIN_LAYERS_MAX = 16 };

struct chain {
    struct layer layers[CHAIN_LAYERS_MAX];
    struct definition definition;
    struct network network;
};

static inline struct layer chain_layer(const char *name, double first_attribute, bool loss)
{
    const struct op *op = ops_find(name, loss);
    ck_assert_msg(op != NULL, "no op %s", name);
    struct layer layer = {.op = op};
    for (size_t a = 0; op->attributes[a].name != NULL; a++)
        layer.attributes[a] = op->attributes[a].fallback;
    if (first_attribute > 0) layer.attributes[0] = first_attribute;
    return layer;
}

/* {"linear", 3}, {"relu", 0}, ..., {NULL}: names with their first attribute (0: its default). The code of
 * network_build. */
struct link {
    const char *name;
    double attribute;
};

static inline int chain_build(struct arena *arena, size_t input, const struct link *links, const char *loss,
                              struct chain *chain, struct error *error)
{
    *chain = (struct chain){.definition = {.input = {1, {input}}, .layers = chain->layers}};
    for (; links->name != NULL; links++)
        chain->layers[chain->definition.layer_count++] = chain_layer(links->name, links->attribute, false);
    chain->definition.loss = chain_layer(loss, 0, true);
    return network_build(arena, &chain->definition, &chain->network, error);
}

#endif
