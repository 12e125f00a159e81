/* A network: a list of layers and a loss, as a graph. */
#ifndef CORE_GRAPH_NETWORK_H
#define CORE_GRAPH_NETWORK_H

#include "core/graph/graph.h"

/* Members of `data` that layers take: x, which is the first, and others. */
struct feed {
    const char *name;
    struct shape sample; /* without the batch axis */
    bool wanted;         /* whether its gradient is */
};

/* What a layer takes: what another one makes, or a feed. */
struct source {
    const struct layer *layer; /* one of the layers before; NULL: the feed */
    size_t feed;
};

struct layer {
    const struct op *op;
    const char *name; /* NULL where it has none */
    double attributes[OP_ATTRIBUTES_MAX];
    const struct source *inputs; /* NULL: the layer before, or x */
    size_t input_count;
    const struct layer *shares; /* the layer before whose parameters it uses; NULL: it has its own */
};

/* What a user writes. All pointers stay the caller's and must outlive the network. */
struct definition {
    const struct feed *feeds; /* x, and what else the data has for layers */
    size_t feed_count;
    const struct layer *layers;
    size_t layer_count;
    struct layer loss;
    /* l2/2 * sum(W**2) and l1 * sum(|W|) on top of the loss, for every parameter that is regularized; or, where there
     * is a list, for each parameter by its own number there. */
    double l2, l1;
    const double *l2_of, *l1_of;
};

/* A value whose gradient is graded: a parameter, or a feed that is wanted. */
struct graded {
    struct value *value;
    const struct slot *slot; /* of the op that has the parameter; NULL for a feed */
    const struct node *node; /* that op's; NULL for a feed */
    size_t input;            /* which of its inputs */
    size_t layer;            /* the layer that has it; of a feed, as many as there are: behind all */
    size_t number;           /* of a parameter k: counts the layers that have parameters, from 1 */
    double fan_in, fan_out;  /* of a parameter: what its first values are drawn by */
    double l2, l1;           /* of a parameter: what the loss adds for it */
};

struct program;

struct network {
    const struct definition *definition;
    const struct program
        *program; /* the one that it was made of (core/language/program.h); NULL of a list of layers, */
    /* which has names of its own for its values; else this finds one; NULL where there is none. */
    const struct value *(*find)(const struct network *network, const char *name);
    struct graph graph;
    size_t batch;
    struct value **feeds;  /* by feed */
    struct value *target;  /* shaped like the output; of an upstream loss, what arrives there */
    struct value *output;  /* the prediction: what the last layer makes */
    struct node **layers;  /* by layer */
    struct node *loss;     /* without the parts of l2 and l1 */
    struct graded *graded; /* parameters in layer order, by slot; then feeds that are wanted */
    size_t parameter_count, graded_count;
    size_t *numbered; /* the k-th layer that has parameters, at k - 1 */
    size_t numbered_count;
    size_t parameter_elements; /* of all parameters together */
    double work;               /* floating-point operations, forward, loss and backward */
};

/* Checks the definition and fills in *network for a batch of so many samples, with memory from the arena.
 * CODE_SHAPE_MISMATCH or CODE_OUT_OF_RANGE where layers do not fit, with the way there from the network: "layers", 2,
 * "in_features". */
int network_build(struct arena *arena, const struct definition *definition, size_t batch, struct network *network,
                  struct error *error);

/* Elements of one sample of a value whose first axis is the batch. */
size_t network_sample_size(const struct network *network, const struct value *value);

/* The shape of one sample of it. */
struct shape network_sample(const struct value *value);

/* Whether the layers stand in one line: each takes what the one before makes, the first one x, and nobody else does. */
bool network_is_chain(const struct network *network);

/* Class indices [batch] as one-hot rows [batch, classes] into `to`. CODE_OUT_OF_RANGE, with the place of the index, for
 * what is not a whole number from 0 to classes - 1. */
int network_classes(const struct network *network, const double *index, double *to, struct error *error);

#endif
