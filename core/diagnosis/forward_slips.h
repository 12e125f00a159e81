/* What is done wrong in a forward pass, each as another way to make a node's output. */
#ifndef CORE_DIAGNOSIS_FORWARD_SLIPS_H
#define CORE_DIAGNOSIS_FORWARD_SLIPS_H

#include "core/ops/op.h"

enum slip_kind {
    SLIP_OVER_BATCH, /* an activation over the last axis, over the first one */
    SLIP_OVER_ALL,   /* ... over everything at once */
    SLIP_OTHER,      /* another activation */
    SLIP_LEFT_OUT,   /* none */
    SLIP_TWICE,      /* the same one once more */
    SLIP_NEGATED,    /* f(-x): a sign in its formula */
    SLIP_DOUBLED,    /* f(2 x): a factor in it */
    SLIP_NO_BIAS,
    SLIP_BIAS_BEFORE, /* (x + b) @ W */
    SLIP_TRANSPOSED,  /* x @ W.T + b */
    SLIP_KINDS,
};

struct slip {
    enum slip_kind kind;
    const struct op *other; /* SLIP_OTHER */
};

/* Those of the ops, likelier first; false where there are no more. */
bool slip_next(struct slip *slip);

/* What may be looked for where gradients alone were handed in. */
bool slip_shows_in_gradients(const struct slip *slip);

/* Rooms are of the largest value of the graph. */
struct slip_room {
    double *x, *y, *dy, *dx;
};

/* Whether it can be made at a node of that kind and shape. */
bool slip_applies(const struct slip *slip, const struct op_call *call);

/* The node's output under the slip into y; false where it does not apply there. */
bool slip_forward(const struct slip *slip, const struct op_call *call, const struct slip_room *room, double *y);

/* How the way back goes on at the node of a slip. */
enum slip_derivative {
    SLIP_ITS_OWN,   /* by the derivative of what was done */
    SLIP_ASKED_FOR, /* by that of what was asked for, at what was computed */
    SLIP_RIGHT,     /* by that of what was asked for, at what should have been computed */
    SLIP_DERIVATIVES,
};

/* The gradient of the first input, y being what slip_forward made; false where there is none of that kind. */
bool slip_backward(const struct slip *slip, enum slip_derivative how, const struct op_call *call,
                   const struct slip_room *room, double *dx);

/* At a layer x @ W + b the gradient of one of its inputs by the derivative of what was done. */
bool slip_backward_layer(const struct slip *slip, size_t input, const struct op_call *call,
                         const struct slip_room *room, double *dx);

/* "softmax over the batch". */
enum { SLIP_TEXT_MAX = 96 };
void slip_text(const struct slip *slip, const struct op *op, char text[SLIP_TEXT_MAX]);

#endif
