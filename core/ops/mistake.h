/* What students do wrong: each mistake is an alternative rule for one step of the backward pass. Its entry and its rule
 * stand side by side: in the op's file under core/ops/ where it is one op's, in core/ops/activation_mistakes.c and
 * core/ops/loss_mistakes.c where it holds for all of them, in core/diagnosis/whole_mistakes.c where it is made behind
 * the pass. A new one is an entry there and a line in the table of core/ops/mistakes.h. */
#ifndef CORE_OPS_MISTAKE_H
#define CORE_OPS_MISTAKE_H

#include "core/ops/mistakes.h"
#include "core/ops/op.h"

/* What a mistake is made in. Notation at a layer: input x, z = x @ W + b, h = f(z); dh comes in, dz = dh * f'(z). */
enum step {
    STEP_LOSS,      /* the gradient of the loss at the network's output */
    STEP_INPUT,     /* what an op sends back to an input: dz from dh, dx from dz */
    STEP_PARAMETER, /* the gradient of an op's parameter: dW, db from dz */
    STEP_CONSUMER,  /* adding up what comes back to a value from several ops that take it */
    STEP_FINISHED,  /* the finished gradients */
    STEP_FORWARD,   /* a value of the forward pass */
    STEP_UPDATE,    /* an optimizer's update (core/train/update_mistakes.h) */
};

/* Another node of the network, for rules that take something from it. */
struct step_peer {
    const struct op_call *call;
    const double *dy; /* what comes in there, under the mistakes made so far; NULL where that is not known yet */
};

enum { PEERS_MAX = 8 };

/* One step of a backward pass as a rule sees it. All numbers are float64 in host memory, in the layout inside, and the
 * forward values are the right ones. */
struct step_call {
    const struct op_call *call;   /* the op's; its dy is what comes in, under the mistakes made so far */
    const struct op_call *before; /* of the op that made its first input; NULL where that is given */
    /* At a layer, the activation that alone takes its output, and what came into that; NULL without one. */
    const struct op_call *behind;
    const double *dh;
    unsigned maps_used; /* a bit for each enum map that an activation of the network is */
    double l2;          /* the loss's: dW holds l2 * W, where it is not 0 */
    const double *dW;   /* of the op's second input: what its gradient was taken for; NULL for rules about that one */
    const double *dW_unspoilt; /* what that would be without mistakes of its own; NULL where no tensor has any */
    size_t rows, in, out;      /* the first input as [rows, in], the output as [rows, out] */
    /* The op's first input, output and what comes in: the call's, or of some units alone (part): a rule that takes
     * whole rows does not apply then. */
    const double *x, *y, *dy;
    bool part;
    size_t input; /* whose gradient is to be made */
    /* The index-th node of the same kind, if it is another one. NULL where there are no peers. */
    bool (*peer)(const struct step_call *call, size_t index, struct step_peer *peer);
    const void *search;
    size_t node;
};

/* What a rule makes: value, or value + c * slope with a number c that is not known. */
struct alternative {
    const struct mistake *mistake; /* whose rule it is; a rule may put in another that this one looks like */
    size_t variant;                /* which one is wanted, below mistake->variants */
    double
        *value; /* the gradient of the input that the mistake is about, without l2's part; room given by the caller */
    double *slope; /* as much room, also for the rule to use */
    bool has_slope;
    unsigned rarer; /* what the rank of this way to make it is larger by: a function that nothing here uses */
};

/* The gradient of a loss as a rule sees it. */
struct loss_call {
    const struct op_call *call;   /* the loss's */
    const struct op_call *before; /* of the op that made the prediction */
    const double *right;          /* the right gradient there */
    double factor;                /* that it was multiplied by: loss_factor */
    size_t batch, elements;       /* of the prediction: samples, and numbers in all */
};

/* A direction in which a wrong gradient of the loss may point, up to its scale. */
enum { LOSS_SCALES_MAX = 8 };
struct loss_direction {
    const struct mistake *mistake;  /* NULL: the right one */
    size_t variant;                 /* which one is wanted */
    double *value;                  /* shaped like the prediction; room given by the caller */
    double *room;                   /* twice as much, for the rule to use */
    bool past;                      /* it is already the gradient at the input of the last activation */
    double scales[LOSS_SCALES_MAX]; /* with which the mistake alone is made */
    size_t scale_count;
    size_t sample; /* single_sample: which */
};

#define ANY_INPUT ((size_t)-1)

struct mistake {
    const char *id;
    enum step step;
    size_t input;        /* STEP_INPUT, STEP_PARAMETER: which of the op's, or ANY_INPUT */
    unsigned rank;       /* likelihood: the smaller, the likelier a student is to make it */
    const char *summary; /* one line: what was done */
    /* For the student: what was done and what the chain rule asks for, and where to look, without giving numbers. Words
     * in braces stand for the names and formulas of the place, in the request's convention; core/diagnosis/words.c
     * lists them. */
    const char *message, *hint;
    const char *in_line; /* the message where it was made in a line of a program; NULL: the summary says it there */
    const char *wrong, *right; /* the line of NumPy, for the documentation */
    const char *source;        /* a public case, or NULL */

    /* How it is made; none of them where the search looks for it in what was handed in. */
    /* ... instead of the step's right rule; false where it does not apply */
    bool (*alternative)(const struct step_call *call, struct alternative *made);
    /* ... instead of the loss's gradient; false where it does not apply */
    bool (*direction)(const struct loss_call *call, struct loss_direction *made);
    /* ... by a factor on the loss's gradient; 1 where it does not apply */
    double (*factor)(const struct loss_call *call, size_t variant);
    bool or_constant; /* somebody may just have such a factor: that it is a mere constant stays an alternative */

    /* How many wrong ways there are to make it, counted from 0; 0 stands for one. The same variant elsewhere is the
     * same mistake made again. */
    size_t variants;
    const char *(*variant_words)(size_t variant); /* NULL, or what a variant uses: "the derivative of tanh", or NULL */
    size_t per_peer; /* how many of them there are by the node that something is taken from; 0 where that is none */
    unsigned without_peer; /* bits: those of per_peer that take nothing from it after all */
    bool one_number; /* its unknown number is one for all places where it is made, and often one that is written down */
    bool unscaled;   /* what it makes is not a multiple of what comes in: a factor on the loss is none on it */
    bool takes_nothing; /* it does not depend on what comes in: no mistake behind it shows in what it makes */
    bool nonlinear;     /* the alternative is not linear in what comes in: not to be applied to value and slope apart */
};

/* What can be made at every activation, and with every loss: some are tried before what the op at hand has of its own
 * (op->mistakes), some after. Each list ends with NULL. */
struct mistake_family {
    const struct mistake *const *before, *const *after;
};
extern const struct mistake_family mistakes_of_activations, mistakes_of_losses;

/* The right gradient of the loss, without its factor, into direction->value. */
void direction_right(const struct loss_call *call, struct loss_direction *direction);

/* One scale more for a direction, if it is not there yet. */
void direction_add_scale(struct loss_direction *direction, double scale);

#endif
