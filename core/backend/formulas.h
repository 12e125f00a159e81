/* The scalar formulas of the elementwise ops and losses, once for every arithmetic and every backend.
 *
 * Include it with REAL (double or float), NAME(x) (x with a suffix) and FORMULA (storage and inline
 * specifiers, such as CUDA's
 * __device__) defined, after <tgmath.h> in C, where overloads of exp and its kin do the same in C++. */

/* Elementwise functions: y = f(x; a), with one attribute a that most of them ignore. NAME(f_slope)(a, x, y)
 * is df/dx. */
#define FORMULAS_OF_ACTIVATIONS(X)                                                                                     \
    X(relu) X(leaky_relu) X(elu) X(sigmoid) X(tanh) X(softplus) X(silu) X(gelu) X(gelu_tanh)
/* clang-format off */
#define FORMULAS_OF_FUNCTIONS(X)                                                                                       \
    X(exp) X(expm1) X(log) X(log1p) X(sqrt) X(square) X(cube) X(absolute) X(sin) X(cos) X(reciprocal) X(negative)      \
    X(power) X(at_least) X(at_most) X(erf) X(arctan)
/* clang-format on */
/* Flat but where they jump: their slope is 0. */
#define FORMULAS_OF_STEPS(X) X(sign) X(floor) X(ceil) X(rint) X(trunc) X(logical_not)
#define FORMULAS_OF_MAPS(X) FORMULAS_OF_ACTIVATIONS(X) FORMULAS_OF_FUNCTIONS(X) FORMULAS_OF_STEPS(X)

/* Functions of two numbers: y = f(a, b). Of those that have a gradient NAME(f_first)(a, b, y, dy) is what the gradient
 * dy at y sends to a, and f_second what it sends to b: where that is a choice it is one, and no product with 0, which
 * would make a NaN of an infinity. The others are flat but where they jump. */
#define FORMULAS_OF_ARITHMETIC(X)                                                                                      \
    X(plus) X(minus) X(times) X(divided) X(raised) X(maximum) X(minimum) X(kept_where) X(kept_unless)
/* clang-format off */
#define FORMULAS_OF_COMPARISONS(X)                                                                                     \
    X(less) X(less_equal) X(greater) X(greater_equal) X(equal) X(not_equal) X(logical_and) X(logical_or)               \
    X(floor_divide) X(mod)
/* clang-format on */
#define FORMULAS_OF_BINARIES(X) FORMULAS_OF_ARITHMETIC(X) FORMULAS_OF_COMPARISONS(X)

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
#define FORMULAS_ENUM(name) BINARY_##name,
enum binary { FORMULAS_OF_BINARIES(FORMULAS_ENUM) BINARY_COUNT, BINARY_ARITHMETIC = BINARY_kept_unless + 1 };
#undef FORMULAS_ENUM

/* On which side of a kink x is: -1 or 1, and 0 on it. */
#define FORMULA_SIDE(x, kink) ((signed char)(((x) > (kink)) - ((x) < (kink))))
#endif

#ifdef REAL

#include <string.h>

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

#if !defined(CORE_FORMULAS_TANH) && !defined(__CUDACC__)
#define CORE_FORMULAS_TANH
/* The hyperbolic tangent without a branch, so that compilers take several elements at once, which the library's cannot
 * do; within 1.4 units of the last place (the library's is within 2.1). Near 0 a quotient of polynomials in x^2, beyond
 * it 1 - 2/(e^2x + 1); e^2x = 2^n e^r with r within half a logarithm of 2. Coefficients: Cephes (S. L. Moshier, 1984).
 */
FORMULA double formula_tanh(double x)
{
    const double a = x < 0 ? -x : x, z = x * x, round = 0x1.8p52; /* to a whole number, by being added and taken off */
    const double small =
        x + x * z * ((-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z - 1.61468768441708447952e3) /
                (((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z + 4.84406305325125486048e3);
    const double b = 2 * (a > 20 ? 20 : a); /* from 19.1 on it is 1 */
    const double shifted = b * 1.44269504088896340736 + round, n = shifted - round;
    const double r = (b - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6, rr = r * r;
    const double p =
        r * ((1.26177193074810590878e-4 * rr + 3.02994407707441961300e-2) * rr + 9.99999999999999999910e-1);
    const double q =
        ((3.00198505138664455042e-6 * rr + 2.52448340349684104192e-3) * rr + 2.27265548208155028766e-1) * rr + 2;
    unsigned long long bits;
    double power; /* 2^n: n stands in the last bits of `shifted` */
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(&power, &bits, sizeof power);
    const double large = 1 - 2 / ((1 + 2 * p / (q - p)) * power + 1);
    return copysign(a < 0.625 ? small : large, x);
}
#endif

FORMULA REAL NAME(tanh)(REAL a, REAL x)
{
    (void)a;
#ifdef __CUDACC__
    return tanh(x);
#else
    return (REAL)formula_tanh((double)x);
#endif
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

FORMULA REAL NAME(expm1)(REAL a, REAL x)
{
    (void)a;
    return expm1(x);
}
FORMULA REAL NAME(expm1_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)x;
    return y + 1;
}

FORMULA REAL NAME(log)(REAL a, REAL x)
{
    (void)a;
    return log(x);
}
FORMULA REAL NAME(log_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return 1 / x;
}

FORMULA REAL NAME(log1p)(REAL a, REAL x)
{
    (void)a;
    return log1p(x);
}
FORMULA REAL NAME(log1p_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return 1 / (1 + x);
}

FORMULA REAL NAME(sqrt)(REAL a, REAL x)
{
    (void)a;
    return sqrt(x);
}
FORMULA REAL NAME(sqrt_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)x;
    return (REAL)0.5 / y;
}

FORMULA REAL NAME(square)(REAL a, REAL x)
{
    (void)a;
    return x * x;
}
FORMULA REAL NAME(square_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return 2 * x;
}

FORMULA REAL NAME(cube)(REAL a, REAL x)
{
    (void)a;
    return x * x * x;
}
FORMULA REAL NAME(cube_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return 3 * (x * x);
}

/* |x|; the slope at 0 is 0 */
FORMULA REAL NAME(absolute)(REAL a, REAL x)
{
    (void)a;
    return fabs(x);
}
FORMULA REAL NAME(absolute_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return (REAL)((x > 0) - (x < 0));
}

FORMULA REAL NAME(sin)(REAL a, REAL x)
{
    (void)a;
    return sin(x);
}
FORMULA REAL NAME(sin_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return cos(x);
}

FORMULA REAL NAME(cos)(REAL a, REAL x)
{
    (void)a;
    return cos(x);
}
FORMULA REAL NAME(cos_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return -sin(x);
}

FORMULA REAL NAME(erf)(REAL a, REAL x)
{
    (void)a;
    return erf(x);
}
/* 2/sqrt(pi) e^(-x^2) */
FORMULA REAL NAME(erf_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return (REAL)1.12837916709551257390 * exp(-x * x);
}

FORMULA REAL NAME(arctan)(REAL a, REAL x)
{
    (void)a;
    return atan(x);
}
FORMULA REAL NAME(arctan_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)y;
    return 1 / (1 + x * x);
}

FORMULA REAL NAME(reciprocal)(REAL a, REAL x)
{
    (void)a;
    return 1 / x;
}
FORMULA REAL NAME(reciprocal_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)x;
    return -y * y;
}

FORMULA REAL NAME(negative)(REAL a, REAL x)
{
    (void)a;
    return -x;
}
FORMULA REAL NAME(negative_slope)(REAL a, REAL x, REAL y)
{
    (void)a;
    (void)x;
    (void)y;
    return -1;
}

/* x^a; a negative x has powers of whole exponents only. x^0 is 1 everywhere, also where x^-1 is infinite. */
FORMULA REAL NAME(power)(REAL a, REAL x)
{
    return pow(x, a);
}
FORMULA REAL NAME(power_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    return a == 0 ? 0 : a * pow(x, a - 1);
}

/* The larger and the smaller of x and a; the slope at a is 1, as in PyTorch's clamp. A NaN stays one. The slopes are
 * sums: of a choice compilers make a branch, which is guessed wrong at every other element. */
FORMULA REAL NAME(at_least)(REAL a, REAL x)
{
    return x < a ? a : x;
}
FORMULA REAL NAME(at_least_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    return (REAL)((x > a) + (x == a));
}
FORMULA REAL NAME(at_most)(REAL a, REAL x)
{
    return x > a ? a : x;
}
FORMULA REAL NAME(at_most_slope)(REAL a, REAL x, REAL y)
{
    (void)y;
    return (REAL)((x < a) + (x == a));
}

/* ---- maps that are flat ---- */

#define FLAT(slope)                                                                                                    \
    FORMULA REAL NAME(slope)(REAL a, REAL x, REAL y)                                                                   \
    {                                                                                                                  \
        (void)a;                                                                                                       \
        (void)x;                                                                                                       \
        (void)y;                                                                                                       \
        return 0;                                                                                                      \
    }
FLAT(sign_slope)
FLAT(floor_slope)
FLAT(ceil_slope)
FLAT(rint_slope)
FLAT(trunc_slope)
FLAT(logical_not_slope)
#undef FLAT

/* 0 of 0, and a NaN of a NaN */
FORMULA REAL NAME(sign)(REAL a, REAL x)
{
    (void)a;
    return x > 0 ? 1 : x < 0 ? -1 : x;
}
FORMULA REAL NAME(floor)(REAL a, REAL x)
{
    (void)a;
    return floor(x);
}
FORMULA REAL NAME(ceil)(REAL a, REAL x)
{
    (void)a;
    return ceil(x);
}
/* a half to the even number beside it */
FORMULA REAL NAME(rint)(REAL a, REAL x)
{
    (void)a;
    return rint(x);
}
FORMULA REAL NAME(trunc)(REAL a, REAL x)
{
    (void)a;
    return trunc(x);
}
/* Of truth values, as NumPy takes them of numbers: 0 is false, and everything else true, a NaN too. */
FORMULA REAL NAME(logical_not)(REAL a, REAL x)
{
    (void)a;
    return x == 0 ? 1 : 0;
}

/* ---- binaries ---- */

FORMULA REAL NAME(plus)(REAL a, REAL b)
{
    return a + b;
}
FORMULA REAL NAME(plus_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    (void)b;
    (void)y;
    return dy;
}
FORMULA REAL NAME(plus_second)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    (void)b;
    (void)y;
    return dy;
}

FORMULA REAL NAME(minus)(REAL a, REAL b)
{
    return a - b;
}
FORMULA REAL NAME(minus_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    (void)b;
    (void)y;
    return dy;
}
FORMULA REAL NAME(minus_second)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    (void)b;
    (void)y;
    return -dy;
}

FORMULA REAL NAME(times)(REAL a, REAL b)
{
    return a * b;
}
FORMULA REAL NAME(times_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    (void)y;
    return dy * b;
}
FORMULA REAL NAME(times_second)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)b;
    (void)y;
    return dy * a;
}

FORMULA REAL NAME(divided)(REAL a, REAL b)
{
    return a / b;
}
FORMULA REAL NAME(divided_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    (void)y;
    return dy / b;
}
FORMULA REAL NAME(divided_second)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    return -dy * (y / b);
}

/* a^b. What comes to a is 0 where b is 0, whatever a^-1 is; what comes to b is 0 where a is 0 and b is not negative:
 * a^b stays 0 there, and only its formula has a logarithm. Both as in PyTorch. */
FORMULA REAL NAME(raised)(REAL a, REAL b)
{
    return pow(a, b);
}
FORMULA REAL NAME(raised_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)y;
    return b == 0 ? 0 : dy * (b * pow(a, b - 1));
}
FORMULA REAL NAME(raised_second)(REAL a, REAL b, REAL y, REAL dy)
{
    return a == 0 && b >= 0 ? 0 : dy * (y * log(a));
}

/* Of two that are equal the first is taken, and gets all of the gradient; of a number and a NaN the NaN. */
FORMULA REAL NAME(maximum)(REAL a, REAL b)
{
    return b > a || isnan(b) ? b : a;
}
FORMULA REAL NAME(maximum_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)y;
    return b > a || isnan(b) ? 0 : dy;
}
FORMULA REAL NAME(maximum_second)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)y;
    return b > a || isnan(b) ? dy : 0;
}
FORMULA REAL NAME(minimum)(REAL a, REAL b)
{
    return b < a || isnan(b) ? b : a;
}
FORMULA REAL NAME(minimum_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)y;
    return b < a || isnan(b) ? 0 : dy;
}
FORMULA REAL NAME(minimum_second)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)y;
    return b < a || isnan(b) ? dy : 0;
}

/* The second where the first is true, or false, else 0: what goes back through a choice between two. */
FORMULA REAL NAME(kept_where)(REAL a, REAL b)
{
    return a != 0 ? b : 0;
}
FORMULA REAL NAME(kept_where_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    (void)b;
    (void)y;
    (void)dy;
    return 0;
}
FORMULA REAL NAME(kept_where_second)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)b;
    (void)y;
    return a != 0 ? dy : 0;
}
FORMULA REAL NAME(kept_unless)(REAL a, REAL b)
{
    return a != 0 ? 0 : b;
}
FORMULA REAL NAME(kept_unless_first)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)a;
    (void)b;
    (void)y;
    (void)dy;
    return 0;
}
FORMULA REAL NAME(kept_unless_second)(REAL a, REAL b, REAL y, REAL dy)
{
    (void)b;
    (void)y;
    return a != 0 ? 0 : dy;
}

/* ---- binaries that are flat ---- */

FORMULA REAL NAME(less)(REAL a, REAL b)
{
    return a < b ? 1 : 0;
}
FORMULA REAL NAME(less_equal)(REAL a, REAL b)
{
    return a <= b ? 1 : 0;
}
FORMULA REAL NAME(greater)(REAL a, REAL b)
{
    return a > b ? 1 : 0;
}
FORMULA REAL NAME(greater_equal)(REAL a, REAL b)
{
    return a >= b ? 1 : 0;
}
FORMULA REAL NAME(equal)(REAL a, REAL b)
{
    return a == b ? 1 : 0;
}
FORMULA REAL NAME(not_equal)(REAL a, REAL b)
{
    return a != b ? 1 : 0;
}
FORMULA REAL NAME(logical_and)(REAL a, REAL b)
{
    return a != 0 && b != 0 ? 1 : 0;
}
FORMULA REAL NAME(logical_or)(REAL a, REAL b)
{
    return a != 0 || b != 0 ? 1 : 0;
}

/* The remainder with b's sign, as in Python and NumPy: C's has a's. fmod is exact, and where its sign is the other one,
 * b is added once. */
FORMULA REAL NAME(mod)(REAL a, REAL b)
{
    REAL rest = fmod(a, b);
    if (b == 0 || isnan(rest)) return rest;
    if (rest == 0) return copysign((REAL)0, b);
    return (b < 0) != (rest < 0) ? rest + b : rest;
}

/* floor(a / b) as if a / b were exact, as in Python and NumPy: a less the remainder is a multiple of b, and the
 * quotient of the two within half of the whole number that it should be. */
FORMULA REAL NAME(floor_divide)(REAL a, REAL b)
{
    REAL rest = fmod(a, b);
    if (b == 0) return a / b;
    REAL quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
    if (quotient == 0) return copysign((REAL)0, a / b);
    REAL whole = floor(quotient);
    return quotient - whole > (REAL)0.5 ? whole + 1 : whole;
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
