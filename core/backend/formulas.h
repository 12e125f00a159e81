/* The scalar formulas of the elementwise ops and losses, once for every arithmetic and every backend.
 *
 * Include it with REAL (double or float), NAME(x) (x with a suffix) and FORMULA (storage and inline
 * specifiers, such as CUDA's
 * __device__) defined, after <tgmath.h> in C, where overloads of exp and its kin do the same in C++. */

/* Elementwise functions: y = f(x; a), with one attribute a that most of them ignore. NAME(f_slope)(a, x, y)
 * is df/dx. */
#define FORMULAS_OF_ACTIVATIONS(X)                                                                                     \
    X(relu) X(leaky_relu) X(elu) X(sigmoid) X(tanh) X(softplus) X(silu) X(gelu) X(gelu_tanh)
#define FORMULAS_OF_FUNCTIONS(X) X(exp)
#define FORMULAS_OF_MAPS(X) FORMULAS_OF_ACTIVATIONS(X) FORMULAS_OF_FUNCTIONS(X)

/* Elementwise losses: l(p, t; a) of a prediction p and its target t. NAME(l_slope) is dl/dp. */
#define FORMULAS_OF_LOSSES(X)                                                                                          \
    X(squared_error) X(absolute_error) X(smooth_l1) X(huber) X(bce) X(bce_with_logits) X(nll) X(cross_entropy)

#ifndef CORE_FORMULAS_ENUMS
#define CORE_FORMULAS_ENUMS
#define FORMULAS_ENUM(name) MAP_##name,
enum map { FORMULAS_OF_MAPS(FORMULAS_ENUM) MAP_COUNT, MAP_ACTIVATIONS = MAP_gelu_tanh + 1 };
#undef FORMULAS_ENUM
#define FORMULAS_ENUM(name) LOSS_##name,
enum elementwise_loss { FORMULAS_OF_LOSSES(FORMULAS_ENUM) LOSS_COUNT };
#undef FORMULAS_ENUM

/* On which side of a kink x is: -1 or 1, and 0 on it. */
#define FORMULA_SIDE(x, kink) ((signed char)(((x) > (kink)) - ((x) < (kink))))
#endif

#ifdef REAL

/* ---- maps ---- */

/* max(0, x); the slope at 0 is 0. Asked this way round, a NaN stays one. */
FORMULA REAL NAME(relu)(REAL a, REAL x)
{
    (void)a;
    return x <= 0 ? 0 : x;
}
FORMULA REAL NAME(relu_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    (void)a;
    return x > 0 ? 1 : 0;
}

/* a is negative_slope; the slope at 0 is a, as in PyTorch */
FORMULA REAL NAME(leaky_relu)(REAL a, REAL x)
{
    return x > 0 ? x : a * x;
}
FORMULA REAL NAME(leaky_relu_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    return x > 0 ? 1 : a;
}

/* a (e^x - 1) for x <= 0; a is alpha */
FORMULA REAL NAME(elu)(REAL a, REAL x)
{
    return x > 0 ? x : a * expm1(x);
}
FORMULA REAL NAME(elu_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    return x > 0 ? 1 : a * exp(x);
}

/* 1/(1+e^-x): where e^-x overflows the quotient is the 0 that it should be, and nowhere does a digit cancel
 */
FORMULA REAL NAME(sigmoid)(REAL a, REAL x)
{
    (void)a;
    return 1 / (1 + exp(-x));
}
/* y (1-y), from the output as PyTorch and every notebook have it: 0 where y has been rounded to 1 */
FORMULA REAL NAME(sigmoid_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)x;
    return y * (1 - y);
}

FORMULA REAL NAME(tanh)(REAL a, REAL x)
{
    (void)a;
    return tanh(x);
}
/* 1 - y^2 */
FORMULA REAL NAME(tanh_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)x;
    return 1 - y * y;
}

/* log(1+e^x), at any x: PyTorch's threshold of 20, beyond which it takes x, is an approximation */
FORMULA REAL NAME(softplus)(REAL a, REAL x)
{
    (void)a;
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}
FORMULA REAL NAME(softplus_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    return NAME(sigmoid)(a, x);
}

/* x s(x) */
FORMULA REAL NAME(silu)(REAL a, REAL x)
{
    return x * NAME(sigmoid)(a, x);
}
/* s (1 + x (1-s)) */
FORMULA REAL NAME(silu_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    REAL s = NAME(sigmoid)(a, x);
    return s * (1 + x * NAME(sigmoid)(a, -x));
}

/* x Phi(x), with Phi(x) = erfc(-x/sqrt 2)/2: no cancellation on the left (Hendrycks and Gimpel 2016) */
FORMULA REAL NAME(gelu)(REAL a, REAL x)
{
    (void)a;
    return x * ((REAL)0.5 * erfc(-x * (REAL)0.70710678118654752440));
}
/* Phi(x) + x phi(x) */
FORMULA REAL NAME(gelu_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    (void)a;
    REAL density = (REAL)0.39894228040143267794 * exp(-x * x / 2);
    return (REAL)0.5 * erfc(-x * (REAL)0.70710678118654752440) + x * density;
}

/* x/2 (1 + tanh u), u = sqrt(2/pi) (x + 0.044715 x^3): PyTorch's approximate="tanh".
 * (1 + tanh u)/2 = s(2u), which has no cancellation on the left. */
FORMULA REAL NAME(gelu_tanh)(REAL a, REAL x)
{
    REAL u = (REAL)0.79788456080286535588 * (x + (REAL)0.044715 * x * x * x);
    return x * NAME(sigmoid)(a, 2 * u);
}
FORMULA REAL NAME(gelu_tanh_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    REAL u = (REAL)0.79788456080286535588 * (x + (REAL)0.044715 * x * x * x);
    REAL du = (REAL)0.79788456080286535588 * (1 + 3 * (REAL)0.044715 * x * x);
    REAL s = NAME(sigmoid)(a, 2 * u), slope = s * NAME(sigmoid)(a, -2 * u);
    /* Far out u overflows where the slope is long 0: 0 * inf must not make a NaN. */
    return slope > 0 ? s + x * slope * 2 * du : s;
}

FORMULA REAL NAME(exp)(REAL a, REAL x)
{
    (void)a;
    return exp(x);
}
FORMULA REAL NAME(exp_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)x;
    return y;
}

/* ---- losses ---- */

FORMULA REAL NAME(squared_error)(REAL a, REAL p, REAL t)
{
    (void)a;
    return (p - t) * (p - t);
}
FORMULA REAL NAME(squared_error_slope)(REAL a, REAL p, REAL t)
{
    (void)a;
    return 2 * (p - t);
}

/* |p-t|; the slope at 0 is 0 */
FORMULA REAL NAME(absolute_error)(REAL a, REAL p, REAL t)
{
    (void)a;
    return fabs(p - t);
}
FORMULA REAL NAME(absolute_error_slope)(REAL a, REAL p, REAL t)
{
    (void)a;
    return (REAL)((p > t) - (p < t));
}

/* d^2/(2a) for |d| < a, else |d| - a/2; a is beta, and 0 makes it |d|, with PyTorch's slope of -1 at 0 */
FORMULA REAL NAME(smooth_l1)(REAL a, REAL p, REAL t)
{
    REAL d = fabs(p - t);
    return d < a ? d * d / (2 * a) : d - a / 2;
}
FORMULA REAL NAME(smooth_l1_slope)(REAL a, REAL p, REAL t)
{
    REAL d = p - t;
    return fabs(d) < a ? d / a : d > 0 ? 1 : -1;
}

/* d^2/2 for |d| <= a, else a(|d| - a/2); a is delta */
FORMULA REAL NAME(huber)(REAL a, REAL p, REAL t)
{
    REAL d = fabs(p - t);
    return d <= a ? d * d / 2 : a * (d - a / 2);
}
FORMULA REAL NAME(huber_slope)(REAL a, REAL p, REAL t)
{
    REAL d = p - t;
    return fabs(d) <= a ? d : (d > 0 ? a : -a);
}

/* -(t log p + (1-t) log(1-p)), each log clamped at -100 as in PyTorch */
FORMULA REAL NAME(bce)(REAL a, REAL p, REAL t)
{
    (void)a;
    REAL log_p = fmax(log(p), (REAL)-100), log_q = fmax(log1p(-p), (REAL)-100);
    return (t - 1) * log_q - t * log_p;
}
/* (p-t) / (p(1-p)), the denominator at least 1e-12 as in PyTorch, where that number is a float32 */
FORMULA REAL NAME(bce_slope)(REAL a, REAL p, REAL t)
{
    (void)a;
    return (p - t) / fmax((1 - p) * p, (REAL)1e-12f);
}

/* max(p,0) - p t + log(1+e^-|p|): the same on logits, without a sigmoid that saturates */
FORMULA REAL NAME(bce_with_logits)(REAL a, REAL p, REAL t)
{
    (void)a;
    return (p > 0 ? p : 0) - p * t + log1p(exp(-fabs(p)));
}
/* s(p) - t, as s(p) (1 - t) - s(-p) t: nothing is lost where s(p) is nearly t */
FORMULA REAL NAME(bce_with_logits_slope)(REAL a, REAL p, REAL t)
{
    return NAME(sigmoid)(a, p) * (1 - t) - NAME(sigmoid)(a, -p) * t;
}

/* -t p for log-probabilities p, t being 1 at the class and 0 elsewhere */
FORMULA REAL NAME(nll)(REAL a, REAL p, REAL t)
{
    (void)a;
    return t != 0 ? -t * p : 0;
}
FORMULA REAL NAME(nll_slope)(REAL a, REAL p, REAL t)
{
    (void)a;
    (void)p;
    return -t;
}

/* -t log p for probabilities p. a is the smallest normal number: a softmax that has underflowed to 0 counts
 * as that much. */
FORMULA REAL NAME(cross_entropy)(REAL a, REAL p, REAL t)
{
    return t != 0 ? -t * log(fmax(p, a)) : 0;
}
FORMULA REAL NAME(cross_entropy_slope)(REAL a, REAL p, REAL t)
{
    return t != 0 ? -t / fmax(p, a) : 0;
}

#endif
