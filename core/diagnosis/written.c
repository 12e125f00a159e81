#include "core/diagnosis/written.h"

#include <math.h>

/* What a number may be off by and still be taken for the round one that it looks like: a fit to numbers that were
 * rounded to float32. */
#define FACTOR_PRECISION 2e-6

bool written_near(double a, double b)
{
    return fabs(a - b) <= FACTOR_PRECISION * fabs(b);
}

/* Numbers of two digits are 1 to 10 % apart: between numbers further apart than that, of their size, there may lie one
 * by chance. */
#define WIDEST 1e-3

double written_between(double least, double most)
{
    double x = least + (most - least) / 2;
    if (!(x > 0 && x < 1e12) || most - least > WIDEST * x) return NAN;
    double unit = pow(10, floor(log10(x)) - 1), round_x = round(x / unit) * unit;
    return fabs(x - round_x) <= FACTOR_PRECISION * round_x + (most - least) / 2 ? round_x : NAN;
}

double written_round(double x)
{
    return written_between(x, x);
}
