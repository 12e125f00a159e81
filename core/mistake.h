/* What students do wrong: each mistake is an alternative rule for one step of the backward pass. */
#ifndef CORE_MISTAKE_H
#define CORE_MISTAKE_H

#include "core/pass.h"

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

struct mistake {
    const char *id;
    enum step step;
    unsigned rank;       /* likelihood: the smaller, the likelier a student is to make it */
    const char *summary; /* one line: what was done */
    /* For the student: what was done and what the chain rule asks for, and where to look, without giving numbers. Words
     * in braces stand for the names and formulas of the place, in the request's convention; core/mistake_text.c lists
     * them. */
    const char *message, *hint;
    const char *wrong, *right; /* the line of NumPy, for the documentation */
    const char *source;        /* a public case, or NULL */
};

/* All of them, in the order of the documentation; ends with NULL. */
extern const struct mistake *const mistakes[];

/* Each by its name, for the rules that make it. */
extern const struct mistake mistake_missing_activation_derivative, mistake_wrong_activation_derivative,
    mistake_derivative_at_output, mistake_output_formula_at_input, mistake_activation_instead_of_derivative,
    mistake_derivative_of_gradient, mistake_upstream_dropped, mistake_relu_gradient_at_zero, mistake_mask_from_gradient,
    mistake_operator_precedence, mistake_softmax_jacobian_diagonal, mistake_raw_error_propagated,
    mistake_weight_not_transposed, mistake_updated_weights_propagated, mistake_weight_gradient_as_weight,
    mistake_weight_skipped, mistake_transposed, mistake_wrong_memory_order, mistake_input_not_activated,
    mistake_own_output_as_input, mistake_input_ignored, mistake_weight_as_input, mistake_parameter_as_gradient,
    mistake_bias_not_summed, mistake_bias_averaged, mistake_bias_summed_over_units, mistake_bias_from_weight_gradient,
    mistake_not_averaged_over_batch, mistake_averaged_twice, mistake_wrong_normalization, mistake_missing_factor_two,
    mistake_sign_flipped, mistake_cross_entropy_shortcut, mistake_mse_shortcut, mistake_missing_bce_term,
    mistake_l1_sign_lost, mistake_target_broadcast, mistake_regularization_missing, mistake_regularization_sign,
    mistake_bias_regularized, mistake_gradient_accumulated, mistake_single_sample, mistake_swapped_parameters,
    mistake_clipped, mistake_low_precision, mistake_all_zero, mistake_constant_factor;

const struct mistake *mistake_find(const char *id); /* NULL where there is none */

/* ---- rules ---- */

/* One step of a backward pass as a rule sees it. All numbers are float64 in host memory, in the layout inside. */
struct step_call {
    const struct pass *pass; /* the right forward values */
    size_t node;             /* the activation, or the layer with parameters */
    const double *x, *y;     /* its input and its output */
    const double *dy;        /* what comes in, under the mistakes made so far */
    const double *dh; /* at a layer with parameters: what came into the activation right behind it; NULL without one */
    const double *dW; /* at a layer with parameters, for rules_send: its weight's gradient */
    size_t rows, in, out; /* x is [rows, in], dy [rows, out] */
};

/* What a rule makes: value, or value + c * slope with a number c that is not known. The caller gives room for both. */
struct alternative {
    const struct mistake *mistake;
    double *value, *slope;
    bool has_slope;
};

/* A family makes the `variant`-th alternative of its step. RULE_SKIP: this one does not apply here; RULE_END: no more.
 */
enum rule_outcome { RULE_MADE, RULE_SKIP, RULE_END };

/* dz from dh at an activation, and dx from dz at a layer with parameters. */
size_t rules_activation_variants(void);
/* Whether that variant takes each element by itself. */
bool rules_activation_elementwise(const struct step_call *call, size_t variant);
enum rule_outcome rules_activation(const struct step_call *call, size_t variant, struct alternative *alternative);
enum { SEND_UPDATED = 2, SEND_VARIANTS = 5 }; /* updated_weights_propagated, whose slope is the learning rate; all */
enum rule_outcome rules_send(const struct step_call *call, size_t variant, struct alternative *alternative);

/* Whether a variant is linear in what comes in, so that it may be applied to value and slope apart. */
bool rules_activation_linear(size_t variant);

/* What can stand in place of dW [in, out] and db [out], without l2's part: value only. */
enum rule_outcome rules_weight(const struct step_call *call, size_t variant, struct alternative *alternative);
enum rule_outcome rules_bias(const struct step_call *call, size_t variant, struct alternative *alternative);

/* A direction in which a wrong gradient of the loss may point, up to its scale. */
enum { LOSS_SCALES_MAX = 8 };
struct loss_direction {
    const struct mistake *mistake;  /* NULL: the right one */
    double *value;                  /* [batch, ...out]; room given by the caller */
    double *room;                   /* twice as much, for the rule to use */
    bool past;                      /* it is already the gradient at the input of the last activation */
    double scales[LOSS_SCALES_MAX]; /* with which the mistake alone is made */
    size_t scale_count;
    size_t sample; /* single_sample: which */
};
enum rule_outcome rules_loss(const struct pass *pass, size_t variant, struct loss_direction *direction);

#endif
