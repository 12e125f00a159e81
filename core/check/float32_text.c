#include "core/check/float32_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* So many of a tensor's numbers tell; one of them at least has so many digits. */
enum { TELLING = 256, DIGITS_LEAST = 7 };

enum { TEXT = 32, DIGITS_MOST = 9 };

static double read_back(float number, int digits)
{
    char text[TEXT];
    snprintf(text, sizeof text, "%.*e", digits - 1, (double)number);
    return strtod(text, NULL);
}

/* The digits of the form that a number has; 0 where it has none of them. */
static int digits_of(double value)
{
    if (!(fabs(value) <= (double)FLT_MAX)) return 0;
    float nearest = (float)value;
    int digits = 1;
    while (digits < DIGITS_MOST && (float)read_back(nearest, digits) != nearest)
        digits++;
    if (read_back(nearest, digits) == value) return digits;
    return read_back(nearest, DIGITS_MOST) == value ? DIGITS_MOST : 0;
}

/* How many decimals of so many digits there are to a float32 next to it: one of them is its form. */
static double decimals_to_one(double value, int digits)
{
    double unit = pow(10, floor(log10(fabs(value))) + 1 - digits);
    float next = nextafterf((float)fabs(value), INFINITY);
    return fmax(1, ((double)next - (double)(float)fabs(value)) / unit);
}

bool float32_text(size_t n, const double *values, double *chance)
{
    int most = 0;
    for (size_t i = 0; i < n; i += n / TELLING + 1) {
        int digits = digits_of(values[i]);
        if (digits == 0) return false;
        most = digits > most ? digits : most;
        if (values[i] != 0) *chance /= decimals_to_one(values[i], digits);
    }
    return most >= DIGITS_LEAST;
}
