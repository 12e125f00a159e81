/* Networks at random: some fifty layers with fan-out, several feeds, shared parameters and layers that nobody uses. */
#ifndef TESTS_CORE_RANDOM_NETWORK_H
#define TESTS_CORE_RANDOM_NETWORK_H

#include "core/ops/ops.h"
#include "core/pass/problem.h"

enum { RANDOM_LAYERS_MAX = 60, RANDOM_INPUTS_MAX = 4, RANDOM_FEEDS = 3 };

struct random_network {
    unsigned long long state; /* of the generator */
    struct feed feeds[RANDOM_FEEDS];
    struct layer layers[RANDOM_LAYERS_MAX];
    struct source inputs[RANDOM_LAYERS_MAX][RANDOM_INPUTS_MAX];
    size_t widths[RANDOM_LAYERS_MAX]; /* of one sample of each layer's output */
    size_t uses[RANDOM_LAYERS_MAX];
    struct definition definition;
};

/* A definition from a seed. It holds pointers into itself, and must stay where it is. */
void random_network(struct random_network *r, unsigned seed);

/* Numbers for all that a network is given, from the arena. */
struct problem random_problem(struct arena *arena, struct random_network *r, const struct network *network,
                              const struct backend *backend);

/* The next number of the generator, within [low, high). */
double random_number(struct random_network *r, double low, double high);

#endif
