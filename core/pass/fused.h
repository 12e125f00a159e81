/* A network of few steps as plain numbers, such as can be handed to a device whole: linear layers and elementwise
 * activations, one after the other, and an elementwise loss or a softmax cross-entropy. */
#ifndef CORE_PASS_FUSED_H
#define CORE_PASS_FUSED_H

#include <stdbool.h>
#include <stddef.h>

#include "core/backend/formulas.h"

enum { FUSED_STEPS_MAX = 32 };

/* Larger networks (the elements of all layers in a whole batch, or the parameters) keep a device busy by themselves. */
#define FUSED_ELEMENTS_MAX ((unsigned)1 << 20)

/* Operations that are handed to a device at once, where there are many evaluations: from some ten milliseconds to a
 * second. Longer ones would keep a screen waiting, until a watchdog ends them, and a request that is cancelled, too.
 * But so many evaluations at least as keep most devices busy. */
#define FUSED_WORK_AT_ONCE 1e10
enum { FUSED_AT_ONCE_MIN = 128 };

/* No bias; no parameter. */
#define FUSED_NONE ((unsigned)-1)

struct fused_step {
    bool linear; /* y = x @ W + b, else y = f(x; attribute) */
    bool kinked; /* an activation whose slope jumps at kink_at */
    enum map f;
    unsigned rows, in, out; /* of the whole batch: x [rows, in], y [rows, out]; an activation's are equal */
    unsigned weight, bias;  /* offsets into the parameters */
    double attribute, kink_at;
};

struct fused {
    unsigned step_count, batch;
    unsigned input, output; /* elements of one sample */
    unsigned parameters;    /* elements of all, one behind the other, without gaps */
    unsigned widest;        /* the most elements of a step's output, of the whole batch */
    unsigned outputs;       /* the sum of those of all steps */
    unsigned sides;         /* elements at which something may be kinked */
    struct fused_step steps[FUSED_STEPS_MAX];
    bool softmax;                        /* the loss is -sum T log softmax(P) by rows of `output`, else loss */
    bool on_probabilities, kinked_error; /* predictions must be within [0,1]; the slope jumps at P = T */
    enum elementwise_loss loss;
    double loss_attribute; /* not of LOSS_cross_entropy: there it is backend->smallest */
    double scale, l2;      /* scale * sum + l2/2 * sum(W**2) */
    double work;           /* operations of a forward pass, some; with the backward pass three times as many */
};

struct network;

/* False where the network is none of those. */
bool fused_of(const struct network *network, struct fused *fused);

#endif
