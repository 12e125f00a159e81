/* Wrong ways from dh to dz that any activation knows. */
#include <math.h>
#include <string.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/rows.h"

static size_t elements(const struct step_call *call)
{
    return call->rows * call->in;
}

/* An elementwise activation. */
struct function {
    enum map map;
    double attribute;
};

/* The one here; false where it is a softmax. */
static bool function_of(const struct step_call *call, struct function *f)
{
    return elementwise_map(call->call->op, call->call->attributes, &f->map, &f->attribute);
}

/* dz = dh * f'(at) */
static bool derivative_at(const struct step_call *call, struct function f, const double *at, struct alternative *made)
{
    const struct backend *b = call->call->backend;
    double *y = made->slope; /* some derivatives want the output */
    b->map(f.map, f.attribute, elements(call), at, y);
    b->map_gradient(f.map, f.attribute, elements(call), at, y, call->dy, made->value);
    return true;
}

/* The same with the Jacobian of a softmax or its logarithm. */
static bool jacobian_at(const struct step_call *call, const struct op *softmax, const double *at,
                        struct alternative *made)
{
    if (call->part) return false;
    struct op_call op_call = *call->call;
    const void *x[] = {at};
    void *dx[] = {made->value};
    op_call.op = softmax;
    op_call.x = x;
    op_call.y = made->slope;
    op_call.dy = call->dy;
    op_call.dx = dx;
    return softmax->forward(&op_call) == CODE_OK && softmax->backward(&op_call) == CODE_OK;
}

static bool missing(const struct step_call *call, struct alternative *made)
{
    memcpy(made->value, call->dy, elements(call) * sizeof *made->value);
    return true;
}

const struct mistake mistake_missing_activation_derivative = {
    .id = "missing_activation_derivative",
    .step = STEP_INPUT,
    .rank = 1,
    .summary = "dz = dh: the activation's derivative is missing",
    .message = "The gradient was passed through {f} unchanged: {dz} was set to {dh}. The chain rule asks for "
               "{dz} = {dh} * {f}'({z}).",
    .hint = "Multiply by the derivative of {f} before you go on to {onward}.",
    .wrong = "dz = dh",
    .right = "dz = dh * f_prime(z)",
    .source = "casper-hansen/Neural-Network-From-Scratch#1",
    .alternative = missing,
};

static bool at_output(const struct step_call *call, struct alternative *made)
{
    struct function f;
    if (function_of(call, &f)) return derivative_at(call, f, call->y, made);
    return jacobian_at(call, call->call->op, call->y, made);
}

const struct mistake mistake_derivative_at_output = {
    .id = "derivative_at_output",
    .step = STEP_INPUT,
    .rank = 4,
    .summary = "dz = dh * f'(h): the derivative is taken at the output",
    .message = "The derivative of {f} was taken at its output {h} instead of its input: {dz} = {dh} * "
               "{f}'({h}). The chain rule asks for {f}'({z}).",
    .hint = "Your derivative function expects {z}; if you hand it {h}, it must be written in terms of the "
            "output.",
    .wrong = "dz = dh * sigmoid_prime(h)  # sigmoid_prime applies sigmoid itself",
    .right = "dz = dh * sigmoid_prime(z)",
    .source = "dwhitena/gophernet#6",
    .alternative = at_output,
};

static bool itself(const struct step_call *call, struct alternative *made)
{
    for (size_t i = 0; i < elements(call); i++)
        made->value[i] = call->dy[i] * call->y[i];
    return true;
}

const struct mistake mistake_activation_instead_of_derivative = {
    .id = "activation_instead_of_derivative",
    .step = STEP_INPUT,
    .rank = 10,
    .summary = "dz = dh * f(z): the activation itself instead of its derivative",
    .message = "{dh} was multiplied by {f} itself instead of its derivative: {dz} = {dh} * {f}({z}). The chain "
               "rule asks for {dz} = {dh} * {f}'({z}).",
    .hint = "The backward pass needs the derivative of {f}; check which of the two functions is called.",
    .wrong = "dz = dh * relu(z)",
    .right = "dz = dh * (z > 0)",
    .source = "denggaoshan/DeepLearningStudy#1",
    .alternative = itself,
};

static bool of_gradient(const struct step_call *call, struct alternative *made)
{
    struct function f;
    return function_of(call, &f) && derivative_at(call, f, call->dy, made);
}

const struct mistake mistake_derivative_of_gradient = {
    .id = "derivative_of_gradient",
    .step = STEP_INPUT,
    .rank = 7,
    .summary = "dz = dh * f'(dh): the derivative is taken at the gradient",
    .message = "The derivative of {f} was taken at the incoming gradient: {dz} = {dh} * {f}'({dh}). The chain "
               "rule asks for {f}'({z}).",
    .hint = "The derivative belongs at the value that went into {f} in the forward pass; keep it in a cache.",
    .wrong = "dz = dh * relu_prime(dh)",
    .right = "dz = dh * relu_prime(z)",
    .source = "yizt/numpy_neural_network#3",
    .alternative = of_gradient,
    .nonlinear = true,
    .unscaled = true,
};

/* Matrix products in place of both that go element by element, over the samples or over the units: of tanh and sigmoid,
 * whose derivatives are written in terms of the output. */
enum { OVER_SAMPLES, OVER_UNITS, PRODUCTS };

static const char *product_words(size_t variant)
{
    return variant == OVER_SAMPLES ? "over the samples" : "over the units";
}

/* Whether all rows, or all columns, are the same: then h says but one number in such a product, and a bias's gradient
 * is off by a factor that is likelier something else. */
static bool are_alike(size_t rows, size_t columns, const double *y, bool by_rows)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            if (fabs(y[i * columns + j] - y[by_rows ? j : i * columns]) > 1e-12) return false;
    return true;
}

/* h @ h.T @ dh, or dh @ h.T @ h, into value, by the smaller of the two matrices on the way. */
static int product_with_itself(const struct step_call *call, struct rows shape, bool samples, struct alternative *made)
{
    const struct backend *b = call->call->backend;
    size_t rows = shape.count, units = shape.width, small = rows <= units ? rows : units;
    const double *h = call->y, *dh = call->dy;
    double *between = made->slope; /* has room for rows * units, and so for the smaller one's square */
    bool by_rows = small == rows;
    const double *left = by_rows && !samples ? dh : h, *right = by_rows || !samples ? h : dh;
    int code = by_rows ? b->gemm(false, true, rows, rows, units, 1, left, right, 0, between)
                       : b->gemm(true, false, units, units, rows, 1, left, right, 0, between);
    if (code != CODE_OK) return code;
    const double *other = samples == by_rows ? dh : h;
    return by_rows ? b->gemm(false, false, rows, units, rows, 1, between, other, 0, made->value)
                   : b->gemm(false, false, rows, units, units, 1, other, between, 0, made->value);
}

/* Over the samples tanh: (1 - h @ h.T) @ dh; sigmoid: (1 - h) @ h.T @ dh. Over the units dh @ (1 - h.T @ h) and
 * dh @ ((1 - h).T @ h). Both are sum(w * dh) less h @ h.T @ dh, or less dh @ h.T @ h, w being 1 or a sum of h. */
static bool products(const struct step_call *call, struct alternative *made)
{
    struct function f;
    bool samples = made->variant == OVER_SAMPLES;
    struct rows shape = rows_of(call->call->in[0]); /* the call has it in one column where nothing else is asked for */
    size_t rows = shape.count, units = shape.width, lines = samples ? units : rows, others = samples ? rows : units;
    size_t step = samples ? units : 1, line_step = samples ? 1 : units; /* along a line, and from one to the next */
    if (call->part || !function_of(call, &f) || (f.map != MAP_tanh && f.map != MAP_sigmoid)) return false;
    if (are_alike(rows, units, call->y, samples)) return false;
    if (product_with_itself(call, shape, samples, made) != CODE_OK) return false;
    double *sums = made->slope; /* of h, over the lines */
    for (size_t i = 0; i < others; i++) {
        sums[i] = f.map == MAP_tanh;
        for (size_t line = 0; line < lines && f.map == MAP_sigmoid; line++)
            sums[i] += call->y[i * step + line * line_step];
    }
    for (size_t line = 0; line < lines; line++) {
        double *value = made->value + line * line_step, sum = 0;
        for (size_t i = 0; i < others; i++)
            sum += (samples ? sums[i] : 1) * call->dy[line * line_step + i * step];
        for (size_t i = 0; i < others; i++)
            value[i * step] = (samples ? 1 : sums[i]) * sum - value[i * step];
    }
    return true;
}

const struct mistake mistake_product_for_elementwise = {
    .id = "product_for_elementwise",
    .step = STEP_INPUT,
    .rank = 15,
    .summary = "matrix products where the derivative belongs element by element",
    .message = "The derivative of {f} and its product with {dh} were computed by matrix products (@, np.dot), {used}, "
               "where both go element by element: {dz} = {dh} * {f}'({z}).",
    .hint = "Between a gradient and a derivative belongs *, not @ or np.dot; and {h} * {h}, not a product of the two.",
    .wrong = "dz = dh @ (1 - h.T @ h)",
    .right = "dz = dh * (1 - h * h)",
    .alternative = products,
    .variants = PRODUCTS,
    .variant_words = product_words,
};

static bool derivative_alone(const struct step_call *call, struct alternative *made)
{
    struct function f;
    if (!function_of(call, &f)) return false; /* the rows of a softmax's Jacobian sum to 0 */
    for (size_t i = 0; i < elements(call); i++)
        made->value[i] = 1;
    call->call->backend->map_gradient(f.map, f.attribute, elements(call), call->x, call->y, made->value, made->value);
    return true;
}

const struct mistake mistake_upstream_dropped = {
    .id = "upstream_dropped",
    .step = STEP_INPUT,
    .rank = 6,
    .summary = "dz = f'(z): the gradient from above is left out",
    .message = "{dz} is the derivative of {f} alone: {dz} = {f}'({z}). The gradient from above, {dh}, is "
               "missing as a factor.",
    .hint = "The chain rule multiplies: what comes from above times the local derivative.",
    .wrong = "dz = f_prime(z)",
    .right = "dz = dh * f_prime(z)",
    .source = "mratsim/Arraymancer#222",
    .alternative = derivative_alone,
    .takes_nothing = true,
    .nonlinear = true,
    .unscaled = true,
};

/* ---- another derivative ---- */

enum { ROW_ACTIVATIONS_MAX = 4 };

enum {
    SLOPE,             /* another slope left of 0: an unknown */
    SIGMOID_OF_OUTPUT, /* h (1-h), 1 - h**2 and h > 0 of an h that is not their function's */
    TANH_OF_OUTPUT,
    STEP_OF_OUTPUT,
    SCALED,                                       /* another scale: an unknown */
    ALPHA,                                        /* an ELU's with another alpha: an unknown */
    OTHER_ROWS,                                   /* those that work on rows, of which there may be so many; */
    OTHER_MAPS = OTHER_ROWS + ROW_ACTIVATIONS_MAX /* and every elementwise function from there on */
};

/* Formulas in terms of the output that belong to another function. */
static bool of_output(const struct step_call *call, struct alternative *made)
{
    static const enum map whose[] = {
        [SIGMOID_OF_OUTPUT] = MAP_sigmoid, [TANH_OF_OUTPUT] = MAP_tanh, [STEP_OF_OUTPUT] = MAP_relu};
    struct function f;
    bool is_map = function_of(call, &f);
    /* of a softmax h (1-h) is the diagonal of its Jacobian, which has a name of its own */
    if ((made->variant == SIGMOID_OF_OUTPUT && !is_map) || (is_map && f.map == whose[made->variant])) return false;
    const double *y = call->y;
    for (size_t i = 0; i < elements(call); i++) {
        double slope = made->variant == SIGMOID_OF_OUTPUT ? y[i] * (1 - y[i])
                       : made->variant == TANH_OF_OUTPUT  ? 1 - y[i] * y[i]
                                                          : y[i] > 0;
        made->value[i] = call->dy[i] * slope;
    }
    return true;
}

/* value + c * slope: another slope left of 0. */
static bool other_slope(const struct step_call *call, struct alternative *made)
{
    struct function f;
    if (!function_of(call, &f)) return false;
    made->has_slope = true;
    for (size_t i = 0; i < elements(call); i++) {
        bool left = call->x[i] <= 0;
        made->value[i] = left ? 0 : call->dy[i];
        made->slope[i] = !left ? 0 : made->variant == SLOPE ? call->dy[i] : call->dy[i] * exp(call->x[i]);
    }
    return true;
}

/* c * slope: another scale, which may as well have come in elsewhere. */
static bool other_scale(const struct step_call *call, struct alternative *made)
{
    struct function f;
    if (!function_of(call, &f)) return false;
    made->mistake = &mistake_constant_factor;
    made->has_slope = true;
    memset(made->value, 0, elements(call) * sizeof *made->value);
    call->call->backend->map_gradient(f.map, f.attribute, elements(call), call->x, call->y, call->dy, made->slope);
    return true;
}

/* The n-th activation that works on rows: a softmax, its logarithm. */
static bool other_rows(const struct step_call *call, size_t n, struct alternative *made)
{
    for (size_t i = 0; ops[i] != NULL; i++) {
        if (ops[i]->kind != OP_ACTIVATION || ops[i]->forward == elementwise_forward || n-- > 0) continue;
        return call->call->op != ops[i] && jacobian_at(call, ops[i], call->x, made);
    }
    return false;
}

/* The attribute that an elementwise function has where nothing is said: a leaky ReLU's slope, an ELU's alpha. */
static double usual_attribute(enum map map)
{
    for (size_t i = 0; ops[i] != NULL; i++)
        if (ops[i]->forward == elementwise_forward && ops[i]->map == map && !ops[i]->map_by_choice)
            return ops[i]->attributes[0].fallback;
    return 0;
}

/* A function that no layer here uses is less often taken for this one's; one that few programs use, less often than
 * any slip in this one's own formula. */
enum { RARER_HERE = 4, RARE = 12 };

static bool is_common(enum map map)
{
    return map == MAP_relu || map == MAP_sigmoid || map == MAP_tanh;
}

static bool is_used(const struct step_call *call, enum map map)
{
    return (call->maps_used >> map & 1) != 0;
}

/* The derivative of an elementwise function with its usual attribute. */
static bool other_map(const struct step_call *call, enum map other, struct alternative *made)
{
    struct function here, usual = {other, usual_attribute(other)};
    bool same = function_of(call, &here) && here.map == other && here.attribute == usual.attribute;
    made->rarer = is_used(call, other) ? 0 : is_common(other) ? RARER_HERE : RARE;
    return !same && derivative_at(call, usual, call->x, made);
}

static bool another(const struct step_call *call, struct alternative *made)
{
    switch (made->variant) {
    case SLOPE:
    case ALPHA:
        return other_slope(call, made);
    case SCALED:
        return other_scale(call, made);
    case SIGMOID_OF_OUTPUT:
    case TANH_OF_OUTPUT:
    case STEP_OF_OUTPUT:
        return of_output(call, made);
    default:
        return made->variant < OTHER_MAPS ? other_rows(call, made->variant - OTHER_ROWS, made)
                                          : other_map(call, (enum map)(made->variant - OTHER_MAPS), made);
    }
}

#define MAP_WORDS(name) [OTHER_MAPS + MAP_##name] = "the derivative of " #name,

static const char *derivative_words(size_t variant)
{
    static const char *const words[OTHER_MAPS + MAP_ACTIVATIONS] = {[SLOPE] = "the derivative of leaky_relu",
                                                                    [SIGMOID_OF_OUTPUT] = "h * (1 - h)",
                                                                    [TANH_OF_OUTPUT] = "1 - h**2",
                                                                    [STEP_OF_OUTPUT] = "h > 0",
                                                                    [SCALED] = "another scale",
                                                                    [ALPHA] = "the derivative of elu",
                                                                    [OTHER_ROWS] = "the derivative of softmax",
                                                                    [OTHER_ROWS + 1] = "the derivative of log_softmax",
                                                                    FORMULAS_OF_ACTIVATIONS(MAP_WORDS)};
    return words[variant];
}

const struct mistake mistake_wrong_activation_derivative = {
    .id = "wrong_activation_derivative",
    .step = STEP_INPUT,
    .rank = 2,
    .summary = "another activation's derivative, or another slope or scale",
    .message = "{dz} was computed with {used}{detail}, which is not the derivative of {f}. The chain rule asks for "
               "{dz} = {dh} * {f}'({z}).",
    .hint = "Look up the derivative of {f}, and check which function your backward pass calls for this "
            "layer.",
    .wrong = "dz = dh * sigmoid_prime(z)  # but the layer uses tanh",
    .right = "dz = dh * tanh_prime(z)",
    .alternative = another,
    .variants = OTHER_MAPS + MAP_ACTIVATIONS,
    .variant_words = derivative_words,
};

/* The derivative of another activation, at its own input. */
static bool of_another(const struct step_call *call, struct alternative *made)
{
    struct step_peer peer;
    struct function f;
    if (call->part || call->peer == NULL || !call->peer(call, made->variant, &peer)) return false;
    if (!shape_equal(call->call->out, peer.call->out)) return false;
    if (!elementwise_map(peer.call->op, peer.call->attributes, &f.map, &f.attribute)) return false;
    return derivative_at(call, f, peer.call->x[0], made);
}

const struct mistake mistake_derivative_of_other_layer = {
    .id = "wrong_layer_used",
    .step = STEP_INPUT,
    .rank = 14,
    .summary = "dz = dh * f'(z) with the activation and the z of another layer",
    .message = "The derivative{of_other} was taken, at that one's input, instead of that of {f} at {z}. The chain rule "
               "asks for {dz} = {dh} * {f}'({z}).",
    .hint = "Check the index of the cached z: the activation of layer k was applied to what layer k put out.",
    .wrong = "dz1 = dh1 * f_prime(z2)",
    .right = "dz1 = dh1 * f_prime(z1)",
    .source = "unda-ml/unda#1",
    .alternative = of_another,
    .variants = PEERS_MAX,
    .per_peer = 1,
};

const struct mistake_family mistakes_of_activations = {
    .before = (const struct mistake *const[]){&mistake_missing_activation_derivative, &mistake_derivative_at_output,
                                              &mistake_activation_instead_of_derivative,
                                              &mistake_derivative_of_gradient, &mistake_upstream_dropped, NULL},
    .after =
        (const struct mistake *const[]){&mistake_wrong_activation_derivative, &mistake_derivative_of_other_layer, NULL},
};
