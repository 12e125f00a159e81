/* What an op is: a layer, an activation or a loss. One `static const struct op` in a file of its own under
 * core/ops/, and one line in the table of core/ops/ops.c: names in reports and capabilities and the tests all
 * come from there. */
#ifndef CORE_OPS_OP_H
#define CORE_OPS_OP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/ops/attribute.h"
#include "core/backend/backend.h"
#include "core/base/error.h"
#include "core/base/tensor.h"

enum { OP_ATTRIBUTES_MAX = 4, OP_PARAMETERS_MAX = 2 };

enum op_kind { OP_LAYER, OP_ACTIVATION, OP_LOSS };

/* The role of a parameter of an op. */
struct op_parameter {
    const char *symbol; /* "W": the name is W<k> */
    const char *member; /* "weight": the name in PyTorch is <layer>.weight */
    bool weight;        /* counts for l2, is drawn by the init schemes, is laid out by the convention; else a bias */
};

/* What an op needs for an input of a given shape. All shapes are of one sample, without the batch. */
struct op_plan {
    struct shape out;
    bool has[OP_PARAMETERS_MAX];
    struct shape parameters[OP_PARAMETERS_MAX];
    double work; /* floating-point operations per sample, forward and backward together */
};

struct op;
struct mistake;

/* One call of an op's forward or backward on a batch. */
struct op_call {
    const struct op *op;
    const struct backend *backend;
    const double *attributes; /* in the order of op->attributes */
    size_t batch;
    const struct shape *in, *out; /* of one sample; a loss has no out */
    void *const *parameters;      /* W, b; NULL where the op goes without */
    const void *x;                /* [batch, ...in]; for a loss the prediction */
    void *y;                      /* [batch, ...out] */
    const void *dy;               /* [batch, ...out] */
    void *dx;                     /* [batch, ...in]; NULL where nobody needs it */
    void *const *gradients;       /* dW, db */
    /* a loss only: */
    const void *target; /* [batch, ...in]; classes one-hot */
    double scale;       /* of the reduction: loss = scale * sum */
    double *loss;       /* host; forward puts the scaled loss there */
};

/* Where a derivative jumps: tests and central differences keep away from it. */
enum kink {
    KINK_NONE,
    KINK_INPUT,  /* an element of the input is op->kink_at */
    KINK_ERROR,  /* prediction and target are equal */
    KINK_MARGIN, /* a class's score is 1 below the right one's, as in hinge */
};

enum target {
    TARGET_LIKE_OUTPUT,
    TARGET_CLASSES,         /* indices [batch] */
    TARGET_CLASSES_OR_SOFT, /* indices [batch] or probabilities [batch, classes] */
};

/* How core/pass/fused.h takes an op that does not work element by element. */
enum plain {
    PLAIN_NOT,
    PLAIN_SAME,                  /* the output is the input, in another shape */
    PLAIN_LINEAR,                /* x @ W + b over the last axis */
    PLAIN_SOFTMAX_CROSS_ENTROPY, /* a loss on logits, or on_probabilities and joined; else LOSS_cross_entropy */
};

struct op {
    const char *name;
    const char *summary; /* one line, with the formula */
    enum op_kind kind;
    struct attribute attributes[OP_ATTRIBUTES_MAX + 1];    /* ends with a NULL name */
    struct op_parameter parameters[OP_PARAMETERS_MAX + 1]; /* ends with a NULL symbol */

    /* Fills in *plan for an input of shape *in; CODE_SHAPE_MISMATCH or CODE_OUT_OF_RANGE where it doesn't
     * fit, with the pointer relative to the layer. */
    int (*plan)(const double *attributes, const struct shape *in, struct op_plan *plan, struct error *error);
    int (*forward)(const struct op_call *call);
    /* Overwrites call->dx (if not NULL) and call->gradients. */
    int (*backward)(const struct op_call *call);

    /* What students do wrong in it, beyond what can be done wrong in any op of its kind (core/ops/mistake.h). Ends with
     * NULL; NULL where there is nothing. */
    const struct mistake *const *mistakes;

    /* what core/ops/elementwise.h works by, where forward and backward are its functions */
    enum map map;
    bool map_by_choice; /* the first attribute counts on from map, instead of being the map's own */
    enum elementwise_loss loss;
    enum plain plain; /* of every other op */

    /* a loss only: */
    enum target target;
    bool mean_over_batch; /* what reduction "mean" divides by: the samples, else every element */
    bool (*on_probabilities)(const double *attributes); /* NULL, or whether predictions must lie within [0,1] */
    /* The activation that turns logits into its probabilities, inside it or (on probabilities) before it: at that one's
     * input the gradient is output minus target. NULL where there is none. */
    const char *goes_with;

    /* optional: where the op right before the loss is `joins`, these do its part too, because the two in one are
     * accurate where one after the other they underflow. forward_joined puts the scaled loss into *loss->loss,
     * backward_joined fills before->dx. */
    const char *joins;
    bool (*joins_when)(const double *attributes);
    int (*forward_joined)(const struct op_call *loss, const struct op_call *before);
    int (*backward_joined)(const struct op_call *loss, const struct op_call *before);

    /* how it is to be tested: inputs (predictions) within [test_low, test_high]; both 0 mean [-2, 2] */
    double test_low, test_high;
    enum kink kink;
    double kink_at;
};

/* The product of a shape's dimensions, which network_build has found not to overflow. */
size_t op_elements(const struct shape *shape);

#endif
