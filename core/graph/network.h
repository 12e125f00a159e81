/* A network: from its definition to nodes with shapes and parameters. */
#ifndef CORE_GRAPH_NETWORK_H
#define CORE_GRAPH_NETWORK_H

#include "core/ops/op.h"

enum reduction { REDUCTION_MEAN, REDUCTION_SUM, REDUCTION_BATCHMEAN };

extern const char *const reduction_names[]; /* ends with NULL */

struct layer {
    const struct op *op;
    const char *name; /* NULL where it has none */
    double attributes[OP_ATTRIBUTES_MAX];
};

/* What a user writes. All pointers stay the caller's and must outlive the network. */
struct definition {
    struct shape input; /* of one sample */
    const struct layer *layers;
    size_t layer_count;
    struct layer loss;
    enum reduction reduction;
    double l2;
};

/* The data itself, as the input of a node. */
#define NODE_INPUT ((size_t)-1)

struct node {
    const struct layer *layer;
    size_t input; /* the node whose output this one takes, or NODE_INPUT */
    struct shape in, out;
    size_t in_size, out_size;             /* elements of one sample */
    size_t parameters[OP_PARAMETERS_MAX]; /* into network->parameters, by role; PARAMETER_NONE where the op
                                             goes without */
};

#define PARAMETER_NONE ((size_t)-1)

struct parameter {
    size_t node;
    size_t number; /* k: counts the layers that have parameters, from 1 */
    const struct op_parameter *role;
    struct shape shape; /* inside: weights [in,out], biases [n] */
    size_t size;
};

struct network {
    const struct definition *definition;
    size_t input_size;
    struct node *nodes; /* nodes[i] is layers[i]; the last one's output is the prediction */
    size_t node_count;
    struct parameter *parameters; /* in layer order, the weight before the bias */
    size_t parameter_count;
    size_t *numbered; /* the node of the k-th layer that has parameters, at k - 1 */
    size_t numbered_count;
    size_t parameter_elements; /* of all parameters together */
    double work;               /* floating-point operations per sample, forward, loss and backward */
};

/* Checks the definition and fills in *network, with memory from the arena. CODE_SHAPE_MISMATCH or
 * CODE_OUT_OF_RANGE where layers do not fit, with a pointer relative to the network
 * ("/layers/2/in_features"). */
int network_build(struct arena *arena, const struct definition *definition, struct network *network,
                  struct error *error);

/* The last node. */
const struct node *network_output(const struct network *network);

/* Whether the loss does the last node's part, too (op->joins). */
bool network_joins(const struct network *network);

/* What the reduction multiplies the sum over a batch by. */
double network_scale(const struct network *network, size_t batch);

/* Whether targets of that shape (of any layout) are class indices, [batch]. */
bool network_takes_classes(const struct network *network, const struct shape *y);

/* Class indices [batch] as one-hot rows [batch, classes] into `to`. CODE_OUT_OF_RANGE, with a pointer to the
 * index, for what is not a whole number from 0 to classes - 1. */
int network_classes(const struct network *network, size_t batch, const double *index, double *to, struct error *error);

#endif
