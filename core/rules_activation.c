/* Wrong ways from dh to dz. */
#include <math.h>

#include "core/mistake.h"
#include "core/ops/elementwise.h"

/* The variants: first those with a name of their own, then every other map's derivative. */
enum {
    MISSING,
    AT_OUTPUT,
    OUTPUT_FORMULA,
    ITSELF,
    OF_GRADIENT,
    UPSTREAM_DROPPED,
    AT_ZERO,
    MASK_FROM_GRADIENT,
    PRECEDENCE,
    SOFTMAX_DIAGONAL,
    SLOPE,             /* another slope left of 0: an unknown */
    SIGMOID_OF_OUTPUT, /* h (1-h), 1 - h**2 and h > 0 of an h that is not their function's */
    TANH_OF_OUTPUT,
    STEP_OF_OUTPUT,
    SCALED, /* another scale: an unknown */
    ALPHA,  /* an ELU's with another alpha: an unknown */
    OTHER_SOFTMAX,
    OTHER_LOG_SOFTMAX,
    OTHER_MAPS
};

bool rules_activation_linear(size_t variant)
{
    return variant != OF_GRADIENT && variant != MASK_FROM_GRADIENT && variant != PRECEDENCE &&
           variant != UPSTREAM_DROPPED && variant != SLOPE && variant != SCALED && variant != ALPHA;
}

extern const struct op op_softmax, op_log_softmax;

static const struct mistake *const named[OTHER_MAPS] = {
    &mistake_missing_activation_derivative,
    &mistake_derivative_at_output,
    &mistake_output_formula_at_input,
    &mistake_activation_instead_of_derivative,
    &mistake_derivative_of_gradient,
    &mistake_upstream_dropped,
    &mistake_relu_gradient_at_zero,
    &mistake_mask_from_gradient,
    &mistake_operator_precedence,
    &mistake_softmax_jacobian_diagonal,
    &mistake_wrong_activation_derivative,
    &mistake_wrong_activation_derivative,
    &mistake_wrong_activation_derivative,
    &mistake_wrong_activation_derivative,
    &mistake_constant_factor,
    &mistake_wrong_activation_derivative,
    &mistake_wrong_activation_derivative,
    &mistake_wrong_activation_derivative,
};

struct function {
    bool elementwise, softmax;
    enum map map;
    double attribute;
};

static struct function function_of(const struct step_call *call)
{
    const struct layer *layer = call->pass->network->nodes[call->node].layer;
    struct function f = {0};
    f.elementwise = elementwise_map(layer->op, layer->attributes, &f.map, &f.attribute);
    f.softmax = !f.elementwise;
    return f;
}

/* out = f'(at) or dy * f'(at); at may be dy. */
static void times_slope(const struct backend *b, enum map map, double a, size_t n, const double *at, const double *dy,
                        double *room, double *out)
{
    b->map(map, a, n, at, room); /* slopes of some maps want the output */
    b->map_gradient(map, a, n, at, room, dy, out);
}

static double default_attribute(enum map map)
{
    return map == MAP_leaky_relu ? 0.01 : map == MAP_elu ? 1 : 0;
}

static bool is_relu(const struct function *f)
{
    return f->elementwise && (f->map == MAP_relu || f->map == MAP_leaky_relu);
}

/* The derivative of an elementwise activation at some place, times what comes in. */
static enum rule_outcome make_slopes(const struct step_call *call, const struct function *f, size_t variant,
                                     double *out, double *room)
{
    const struct backend *b = call->pass->backend;
    size_t n = call->rows * call->in;
    const double *x = call->x, *y = call->y, *dy = call->dy;
    switch (variant) {
    case AT_OUTPUT:
        times_slope(b, f->map, f->attribute, n, y, dy, room, out);
        return RULE_MADE;
    case OF_GRADIENT:
        times_slope(b, f->map, f->attribute, n, dy, dy, room, out);
        return RULE_MADE;
    case UPSTREAM_DROPPED:
        for (size_t i = 0; i < n; i++)
            out[i] = 1;
        b->map_gradient(f->map, f->attribute, n, x, y, out, out);
        return RULE_MADE;
    case OUTPUT_FORMULA:
        if (f->map != MAP_sigmoid && f->map != MAP_tanh) return RULE_SKIP;
        for (size_t i = 0; i < n; i++)
            out[i] = dy[i] * (f->map == MAP_sigmoid ? x[i] * (1 - x[i]) : 1 - x[i] * x[i]);
        return RULE_MADE;
    case AT_ZERO:
        if (!is_relu(f)) return RULE_SKIP;
        for (size_t i = 0; i < n; i++)
            out[i] = x[i] >= 0 ? dy[i] : dy[i] * f->attribute;
        return RULE_MADE;
    case MASK_FROM_GRADIENT:
        if (!is_relu(f)) return RULE_SKIP;
        for (size_t i = 0; i < n; i++)
            out[i] = dy[i] > 0 ? dy[i] : dy[i] * f->attribute;
        return RULE_MADE;
    case PRECEDENCE:
        if (f->map != MAP_tanh) return RULE_SKIP;
        for (size_t i = 0; i < n; i++)
            out[i] = dy[i] - y[i] * y[i];
        return RULE_MADE;
    default:
        return RULE_SKIP;
    }
}

/* Formulas in terms of the output that belong to another function. */
static void make_of_output(size_t variant, size_t n, const double *y, const double *dy, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double slope = variant == SIGMOID_OF_OUTPUT ? y[i] * (1 - y[i])
                       : variant == TANH_OF_OUTPUT  ? 1 - y[i] * y[i]
                                                    : y[i] > 0;
        out[i] = dy[i] * slope;
    }
}

/* Those that hold for any activation, a softmax too. */
static enum rule_outcome make_general(const struct step_call *call, const struct function *f, size_t variant,
                                      struct alternative *alternative)
{
    size_t n = call->rows * call->in;
    double *out = alternative->value;
    for (size_t i = 0; variant == MISSING && i < n; i++)
        out[i] = call->dy[i];
    for (size_t i = 0; variant == ITSELF && i < n; i++)
        out[i] = call->dy[i] * call->y[i];
    for (size_t i = 0; variant == SOFTMAX_DIAGONAL && f->softmax && i < n; i++)
        out[i] = call->dy[i] * call->y[i] * (1 - call->y[i]);
    if (variant == SOFTMAX_DIAGONAL) return f->softmax ? RULE_MADE : RULE_SKIP;
    if (f->softmax && variant == SIGMOID_OF_OUTPUT) return RULE_SKIP; /* the diagonal of its Jacobian, above */
    if (variant >= SIGMOID_OF_OUTPUT && variant <= STEP_OF_OUTPUT) make_of_output(variant, n, call->y, call->dy, out);
    return RULE_MADE;
}

/* The Jacobian of a softmax, or of its logarithm, taken at some place, times what comes in. */
static void softmax_jacobian(const struct step_call *call, bool logarithm, const double *at,
                             struct alternative *alternative)
{
    const struct node *node = &call->pass->network->nodes[call->node];
    size_t n = call->rows * call->in, width = node->in.rank > 0 ? node->in.dim[node->in.rank - 1] : 1;
    const struct backend *b = call->pass->backend;
    b->softmax(logarithm, n / width, width, at, alternative->slope);
    b->softmax_gradient(logarithm, n / width, width, alternative->slope, call->dy, alternative->value);
}

static enum rule_outcome make_softmax_at_output(const struct step_call *call, struct alternative *alternative)
{
    bool logarithm = call->pass->network->nodes[call->node].layer->op == &op_log_softmax;
    softmax_jacobian(call, logarithm, call->y, alternative);
    return RULE_MADE;
}

static enum rule_outcome make_other_softmax(const struct step_call *call, bool logarithm,
                                            struct alternative *alternative)
{
    const struct op *op = call->pass->network->nodes[call->node].layer->op;
    if (op == (logarithm ? &op_log_softmax : &op_softmax)) return RULE_SKIP;
    softmax_jacobian(call, logarithm, call->x, alternative);
    return RULE_MADE;
}

/* value + c * slope: another slope left of 0, or another scale. */
static enum rule_outcome make_unknown(const struct step_call *call, const struct function *f, size_t variant,
                                      struct alternative *alternative)
{
    size_t n = call->rows * call->in;
    if (!f->elementwise) return RULE_SKIP;
    alternative->has_slope = true;
    double *value = alternative->value, *slope = alternative->slope;
    if (variant == SCALED)
        call->pass->backend->map_gradient(f->map, f->attribute, n, call->x, call->y, call->dy, slope);
    for (size_t i = 0; i < n; i++) {
        bool left = call->x[i] <= 0;
        value[i] = variant != SCALED && !left ? call->dy[i] : 0;
        if (variant == SLOPE) slope[i] = left ? call->dy[i] : 0;
        if (variant == ALPHA) slope[i] = left ? call->dy[i] * exp(call->x[i]) : 0;
    }
    return RULE_MADE;
}

bool rules_activation_elementwise(const struct step_call *call, size_t variant)
{
    return function_of(call).elementwise && variant != OTHER_SOFTMAX && variant != OTHER_LOG_SOFTMAX;
}

size_t rules_activation_variants(void)
{
    return OTHER_MAPS + MAP_COUNT;
}

enum rule_outcome rules_activation(const struct step_call *call, size_t variant, struct alternative *alternative)
{
    if (variant >= OTHER_MAPS + MAP_COUNT) return RULE_END;
    struct function f = function_of(call);
    alternative->has_slope = false;
    alternative->mistake = variant < OTHER_MAPS ? named[variant] : &mistake_wrong_activation_derivative;
    if (variant >= OTHER_MAPS) {
        enum map other = (enum map)(variant - OTHER_MAPS);
        if (f.elementwise && other == f.map && f.attribute == default_attribute(other)) return RULE_SKIP;
        times_slope(call->pass->backend, other, default_attribute(other), call->rows * call->in, call->x, call->dy,
                    alternative->slope, alternative->value);
        return RULE_MADE;
    }
    if (variant == SLOPE || variant == SCALED || variant == ALPHA) return make_unknown(call, &f, variant, alternative);
    if (variant == OTHER_SOFTMAX || variant == OTHER_LOG_SOFTMAX)
        return make_other_softmax(call, variant == OTHER_LOG_SOFTMAX, alternative);
    bool general = variant == MISSING || variant == ITSELF || variant == SOFTMAX_DIAGONAL ||
                   (variant >= SIGMOID_OF_OUTPUT && variant <= STEP_OF_OUTPUT);
    if (general) return make_general(call, &f, variant, alternative);
    if (!f.elementwise) return variant == AT_OUTPUT ? make_softmax_at_output(call, alternative) : RULE_SKIP;
    return make_slopes(call, &f, variant, alternative->value, alternative->slope);
}
