#include "core/diagnosis/match.h"

#include <float.h>
#include <math.h>

/* Rounding, relative to the tensor's largest number and to the whole gradient's, since sums cancel. */
#define EXACT_OWN 1e-9
#define EXACT_WHOLE 1e-13
#define FLOAT32_OWN 4e-6
#define FLOAT32_WHOLE 1e-7

/* Beside much larger gradients anything would be rounding: outside the tolerance it is none beyond this much of the
 * tensor's own largest number. */
#define ROUNDING_OWN 1e-5

/* What one element can add to the evidence at most. */
#define DIGITS_PER_ELEMENT 12.0

/* A zero is easily come by. */
#define DIGITS_OF_ZERO 3.0

/* Of so many elements the range is looked at: with more there are digits enough anyway. */
enum { RANGE_OF = 1024 };

/* After so many elements a comparison looks whether it is hopeless. */
enum { BLOCK = 64 };

/* More evidence than anybody needs; large tensors stop counting there. */
#define DIGITS_ENOUGH 1e3

static double clipped(const struct matching *matching, double p)
{
    return p > matching->clip ? matching->clip : p < -matching->clip ? -matching->clip : p;
}

/* How many decimal digits of evidence it can be to reproduce a number: as many numbers with its few decimals as lie
 * between -range and range, somebody may have typed instead. What was computed has all digits. */
static double digits_of(double x, double range)
{
    if (x == 0) return DIGITS_OF_ZERO;
    double magnitude = fabs(x), unit = pow(10, floor(log10(magnitude)));
    for (int digits = 1; digits < (int)DIGITS_PER_ELEMENT; digits++, unit /= 10)
        if (fabs(round(magnitude / unit) * unit - magnitude) <= 1e-14 * magnitude)
            return fmin(DIGITS_PER_ELEMENT, fmax(digits, log10(2 * fmax(range, magnitude) / unit)));
    return DIGITS_PER_ELEMENT;
}

/* A number at a limit shows little more than its sign. */
#define DIGITS_AT_LIMIT 0.3

/* The digits that the hypothesis is nearer by at one element, negative where it is further off. What the reference
 * accounts for speaks for no hypothesis, but may speak against it. */
static double digits_nearer(const struct matching *matching, struct tolerance tolerance, double student,
                            double predicted, double reference, double least, double range)
{
    double tolerated = tolerance.atol + tolerance.rtol * fabs(reference);
    double wrong = fabs(student - clipped(matching, reference)), left = fabs(student - clipped(matching, predicted));
    bool right = wrong <= tolerated;
    if (right && left <= tolerated) return 0;
    if (right) wrong = tolerated;
    if (wrong < least) wrong = least;
    if (left < least) left = least;
    double most = fabs(predicted) < matching->clip ? digits_of(student, range) : DIGITS_AT_LIMIT;
    if (wrong > left) return right ? 0 : fmin(log10(wrong / left), most);
    return fmax(log10(wrong / left), -DIGITS_PER_ELEMENT);
}

/* The digits of all elements together; own is the largest number predicted for the tensor. */
static double count_digits(const struct matching *matching, struct tolerance tolerance, size_t n, const double *student,
                           const double *predicted, const double *reference, double own)
{
    double digits = 0, least = 1e-15 * (own > DBL_MIN ? own : DBL_MIN), range = own;
    for (size_t i = 0; i < n && i < RANGE_OF; i++)
        range = fmax(range, fabs(reference[i]));
    for (size_t i = 0; i < n && digits < DIGITS_ENOUGH; i++)
        digits += digits_nearer(matching, tolerance, student[i], predicted[i], reference[i], least, range);
    return digits;
}

double match_bound(const struct matching *matching, struct tolerance tolerance, double largest)
{
    /* A prediction that fits has no number larger than `largest` by more than it may be off itself: a hair for
     * rounding; with an rtol below a half, no more than twice (largest + atol). */
    double rounding = 1.01 * fmin(FLOAT32_OWN * largest + FLOAT32_WHOLE * matching->scale, ROUNDING_OWN * largest);
    double atol = tolerance.atol, rtol = tolerance.rtol;
    double tolerated = rtol < 0.5 ? atol + rtol * 2 * (largest + atol) : HUGE_VAL;
    return rounding > tolerated ? rounding : tolerated;
}

struct match match_numbers(const struct matching *matching, struct tolerance tolerance, size_t n, const double *student,
                           const double *predicted, const double *reference, double bound)
{
    /* Plain comparisons instead of fmax: this loop is what a large search spends its time in. */
    struct match m = {.fit = FIT_NONE};
    double own = 0, residual = 0;
    size_t outside = 0, finite = 0;
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        size_t end = n - begin < BLOCK ? n : begin + BLOCK;
        for (size_t i = begin; i < end; i++) {
            double p = clipped(matching, predicted[i]), difference = fabs(student[i] - p), magnitude = fabs(p);
            finite += difference <= DBL_MAX;
            residual = difference > residual ? difference : residual;
            own = magnitude > own ? magnitude : own;
            outside += difference <= tolerance.atol + tolerance.rtol * magnitude ? 0 : 1; /* of a NaN 1 */
        }
        if (finite < end || residual > bound) return m; /* NaN and infinities are nobody's mistake */
    }
    m.residual = residual;
    if (outside > 0 && residual > ROUNDING_OWN * own) return m;
    if (residual <= EXACT_OWN * own + EXACT_WHOLE * matching->scale)
        m.fit = FIT_EXACT;
    else if (residual <= FLOAT32_OWN * own + FLOAT32_WHOLE * matching->scale)
        m.fit = FIT_FLOAT32;
    else if (outside == 0)
        m.fit = FIT_TOLERANCE;
    if (m.fit != FIT_NONE) m.digits = count_digits(matching, tolerance, n, student, predicted, reference, own);
    return m;
}

bool match_differs(size_t n, const double *right, const double *made)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < n; i++) {
        double magnitude = fabs(right[i]), off = fabs(right[i] - made[i]);
        largest = magnitude > largest ? magnitude : largest;
        difference = off > difference ? off : difference;
    }
    return difference > 1e-12 * largest;
}
