#include "core/check/tolerance.h"

#include <float.h>
#include <math.h>

#include "core/base/numbers.h"

/* The lab's rule; and for tensors all of whose elements are below SMALL, so that zeros do not pass for them, a part of
 * their largest, and of the largest gradient of all what rounding leaves of it. */
#define ORDINARY 1e-6
#define SMALL 1e-3
#define OF_OWN 1e-3
#define OF_LARGEST 1e-12

/* For what is smaller float32 has no normal number: 1e-241 is nothing that somebody could have got wrong. */
#define LEAST FLT_MIN

/* Below this |s| + |r| CS231n's relative error is an absolute one. */
#define RELATIVE_FLOOR 1e-8

/* A number that was rounded to d decimals lies within half a unit but for the rounding of the decimal itself. */
#define HALF_A_UNIT (0.5 * (1 + 1e-9))

const char *const tolerance_names[] = {
    [TOLERANCE_AUTO] = NULL,
    [TOLERANCE_PLAIN] = NULL,
    [TOLERANCE_RELATIVE_NORM] = "relative_norm",
    [TOLERANCE_RELATIVE_ERROR] = "relative_error",
    [TOLERANCE_DECIMALS] = "decimals",
};

static bool is_small(size_t n, const double *reference)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(reference[i]) >= SMALL) return false;
    return true;
}

struct tolerance tolerance_of(const struct tolerance_rule *rule, size_t n, const double *reference, double largest)
{
    switch (rule->kind) {
    case TOLERANCE_AUTO:
        if (!is_small(n, reference)) return (struct tolerance){.atol = ORDINARY};
        return (struct tolerance){
            .atol = fmin(fmax(OF_OWN * numbers_largest(n, reference) + OF_LARGEST * largest, LEAST), ORDINARY)};
    case TOLERANCE_RELATIVE_NORM:
        return (struct tolerance){.atol = rule->limit * numbers_largest(n, reference)};
    case TOLERANCE_RELATIVE_ERROR:
        return (struct tolerance){.atol = rule->limit * RELATIVE_FLOOR, .rtol = 2 * rule->limit};
    case TOLERANCE_DECIMALS:
        return (struct tolerance){.atol = HALF_A_UNIT * pow(10, -rule->limit)};
    case TOLERANCE_PLAIN:
        break;
    }
    return rule->plain;
}

/* Whether 0 passes for a number. */
static bool passes_for(const struct tolerance_rule *rule, double r)
{
    switch (rule->kind) {
    case TOLERANCE_RELATIVE_ERROR:
        return r <= rule->limit * fmax(r, RELATIVE_FLOOR);
    case TOLERANCE_DECIMALS:
        return r <= HALF_A_UNIT * pow(10, -rule->limit);
    default:
        return r <= rule->plain.atol + rule->plain.rtol * r;
    }
}

bool tolerance_is_weak(const struct tolerance_rule *rule, size_t n, const double *reference)
{
    if (rule->kind == TOLERANCE_AUTO) return false;
    if (rule->kind == TOLERANCE_RELATIVE_NORM) return rule->limit >= 1; /* zeros are as far off as ||r|| / ||r|| */
    for (size_t i = 0; i < n; i++)
        if (!passes_for(rule, fabs(reference[i]))) return false;
    return true;
}
