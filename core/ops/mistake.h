/* What students do wrong: each mistake is an alternative rule for one step of the backward pass. Its entry and its rule
 * stand side by side: in the op's file under core/ops/ where it is one op's, in core/ops/activation_mistakes.c and
 * core/ops/loss_mistakes.c where it holds for all of them, in core/diagnosis/whole_mistakes.c where it is made behind
 * the pass. A new one is an entry there and a line in the table of core/ops/mistakes.c. */
#ifndef CORE_OPS_MISTAKE_H
#define CORE_OPS_MISTAKE_H

#include "core/pass/pass.h"

/* The steps, from the loss down. Notation at a layer: input x, z = x @ W + b, h = f(z); dh comes in, dz = dh * f'(z).
 */
enum step {
    STEP_LOSS,       /* the gradient of the loss at the network's output */
    STEP_ACTIVATION, /* dz from dh */
    STEP_SEND,       /* dx from dz, at a layer with parameters */
    STEP_WEIGHT,     /* dW from dz */
    STEP_BIAS,       /* db from dz */
    STEP_FINISHED,   /* the finished gradients */
};

/* One step of a backward pass as a rule sees it. All numbers are float64 in host memory, in the layout inside. */
struct step_call {
    const struct pass *pass; /* the right forward values */
    size_t node;             /* the activation, or the layer with parameters */
    const double *x, *y;     /* its input and its output */
    const double *dy;        /* what comes in, under the mistakes made so far */
    const double *dh; /* at a layer with parameters: what came into the activation right behind it; NULL without one */
    const double *dW; /* at a layer with parameters, but not for its weight's rules: its weight's gradient */
    size_t rows, in, out; /* x is [rows, in], dy [rows, out] */
    bool part;            /* x, y and dy are of some units alone: a rule that takes whole rows does not apply */
};

/* What a rule makes: value, or value + c * slope with a number c that is not known. */
struct alternative {
    const struct mistake *mistake; /* whose rule it is; a rule may put in another that this one looks like */
    size_t variant;                /* which one is wanted, below mistake->variants */
    double *value; /* dz or dx [rows, in], dW [in, out], db [out], without l2's part; room given by the caller */
    double *slope; /* as much room, also for the rule to use */
    bool has_slope;
};

/* A direction in which a wrong gradient of the loss may point, up to its scale. */
enum { LOSS_SCALES_MAX = 8 };
struct loss_direction {
    const struct mistake *mistake;  /* NULL: the right one */
    size_t variant;                 /* which one is wanted */
    double *value;                  /* [batch, ...out]; room given by the caller */
    double *room;                   /* twice as much, for the rule to use */
    bool past;                      /* it is already the gradient at the input of the last activation */
    double scales[LOSS_SCALES_MAX]; /* with which the mistake alone is made */
    size_t scale_count;
    size_t sample; /* single_sample: which */
};

struct mistake {
    const char *id;
    enum step step;
    unsigned rank;       /* likelihood: the smaller, the likelier a student is to make it */
    const char *summary; /* one line: what was done */
    /* For the student: what was done and what the chain rule asks for, and where to look, without giving numbers. Words
     * in braces stand for the names and formulas of the place, in the request's convention; core/diagnosis/words.c
     * lists them. */
    const char *message, *hint;
    const char *wrong, *right; /* the line of NumPy, for the documentation */
    const char *source;        /* a public case, or NULL */

    /* How it is made; none of them where the search looks for it in what was handed in. */
    /* ... instead of the step's right rule; false where it does not apply */
    bool (*alternative)(const struct step_call *call, struct alternative *made);
    /* ... instead of the loss's gradient; false where it does not apply */
    bool (*direction)(const struct pass *pass, struct loss_direction *made);
    /* ... by a factor on the loss's gradient; 1 where it does not apply */
    double (*factor)(const struct pass *pass, size_t variant);

    /* How many wrong ways there are to make it, counted from 0; 0 stands for one. The same variant elsewhere is the
     * same mistake made again. */
    size_t variants;
    bool nonlinear; /* the alternative is not linear in what comes in: not to be applied to value and slope apart */
};

/* All of them, in the order of the documentation; ends with NULL. */
extern const struct mistake *const mistakes[];

const struct mistake *mistake_find(const char *id); /* NULL where there is none */

/* What can be made at every activation, and with every loss: some are tried before what the op at hand has of its own
 * (op->mistakes), some after. Each list ends with NULL. */
struct mistake_family {
    const struct mistake *const *before, *const *after;
};
extern const struct mistake_family mistakes_of_activations, mistakes_of_losses;

/* The right gradient of the loss, without its scale, into direction->value. */
void direction_right(const struct pass *pass, struct loss_direction *direction);

/* One scale more for a direction, if it is not there yet. */
void direction_add_scale(struct loss_direction *direction, double scale);

/* Those that the search knows by name, */
extern const struct mistake mistake_wrong_activation_derivative, mistake_updated_weights_propagated, mistake_transposed,
    mistake_wrong_memory_order, mistake_input_ignored, mistake_parameter_as_gradient, mistake_bias_not_summed,
    mistake_bias_summed_over_units, mistake_not_averaged_over_batch, mistake_averaged_twice,
    mistake_wrong_normalization, mistake_missing_factor_two, mistake_sign_flipped, mistake_regularization_missing,
    mistake_regularization_sign, mistake_bias_regularized, mistake_gradient_accumulated, mistake_single_sample,
    mistake_swapped_parameters, mistake_clipped, mistake_low_precision, mistake_all_zero, mistake_constant_factor;
/* and those that several ops share. */
extern const struct mistake mistake_relu_gradient_at_zero, mistake_mask_from_gradient, mistake_output_formula_at_input,
    mistake_softmax_jacobian_diagonal, mistake_mse_shortcut, mistake_missing_bce_term, mistake_l1_sign_lost;

#endif
