#include "core/base/numbers.h"

#include <math.h>

enum { PARTS = 4 };

static double larger(double largest, double value)
{
    return fabs(value) > largest ? fabs(value) : largest;
}

double numbers_largest(size_t n, const double *values)
{
    double part[PARTS] = {0};
    size_t i = 0;
    for (; i + PARTS <= n; i += PARTS)
        for (size_t k = 0; k < PARTS; k++)
            part[k] = larger(part[k], values[i + k]);
    for (; i < n; i++)
        part[0] = larger(part[0], values[i]);
    return larger(larger(part[0], part[1]), larger(part[2], part[3]));
}

double numbers_dot(size_t n, const double *a, const double *b)
{
    double part[PARTS] = {0};
    size_t i = 0;
    for (; i + PARTS <= n; i += PARTS)
        for (size_t k = 0; k < PARTS; k++)
            part[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        part[0] += a[i] * b[i];
    return part[0] + part[1] + (part[2] + part[3]);
}

int numbers_compare_sizes(const void *a, const void *b)
{
    const size_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}
