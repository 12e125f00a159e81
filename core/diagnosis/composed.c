/* A tensor that is a multiple of what it should be; and two mistakes in one tensor: a wrong rule, and on top of what
 * that makes a factor, another layout, or l2's part done wrong. */
#include <math.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/diagnosis/candidates.h"
#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"

/* Whether a few numbers may be a multiple of what they should be. */
static bool may_be_multiple(const struct search *s, size_t p, const double *student, const double *predicted)
{
    size_t n = search_size(s, p), stride = n / FEW + 1, count = 0;
    double factor = candidates_fit(n, stride, student, predicted), bound = s->observed[p].bound, left = 0;
    for (size_t i = 0; i < n; i += stride, count++) {
        double off = (student[i] - (isnan(factor) ? 0 : factor * predicted[i])) / bound;
        left += off * off;
    }
    /* The best factor leaves no more, in squares, than the right one, which leaves at most the bound everywhere. */
    return s->matching.clip < HUGE_VAL || !(left > (double)count);
}

/* Nobody multiplies by more, or by less than one part of it: what is nearly 0 is no number to multiply. */
#define FACTOR_MOST 1e9

/* The factor by which numbers are off; NaN where they are no multiple, or too few to tell. */
static double factor_of(const struct candidates *c, const double *student, const double *predicted)
{
    const struct search *s = c->s;
    size_t n = search_size(s, c->p), nonzero = 0;
    if (!may_be_multiple(s, c->p, student, predicted)) return NAN;
    for (size_t i = 0; i < n && nonzero < 2; i++)
        nonzero += predicted[i] != 0;
    double factor = candidates_fit(n, 1, student, predicted);
    if (nonzero == 1 && c->under.mistake == NULL && fabs(factor + 1) <= EXACT_FACTOR) nonzero = 2; /* a sign shows */
    bool sensible = fabs(factor) >= 1 / FACTOR_MOST && fabs(factor) <= FACTOR_MOST && fabs(factor - 1) >= NO_FACTOR;
    return nonzero >= 2 && sensible ? factor : NAN;
}

/* A factor, by all names that it has, which makes these numbers. */
static void offer_factor(struct candidates *c, double factor, const double *numbers)
{
    struct search *s = c->s;
    struct match match = search_match(s, c->p, numbers);
    size_t variant = factors_variant(OF_ONE_TENSOR, factor);
    struct choice named = {.mistake = NULL};
    factors_name(s, factor, true, &named);
    bool fits = match.fit != FIT_EXACT || named.off <= EXACT_FACTOR;
    if (fits && named.mistake != &mistake_clipped) candidates_offer(c, named.mistake, variant, match, factor);
    for (size_t i = 0; fits && i < named.alternative_count; i++)
        if (named.alternatives[i] != &mistake_clipped)
            candidates_offer(c, named.alternatives[i], variant, match, factor);
    candidates_offer(c, &mistake_constant_factor, variant, match, factor);
}

void candidates_offer_multiple(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    double factor = factor_of(c, s->observed[c->p].values, predicted);
    if (isnan(factor)) return;
    for (size_t i = 0; i < search_size(s, c->p); i++)
        s->room_slope[i] = factor * predicted[i];
    offer_factor(c, factor, s->room_slope);
}

void candidates_offer_multiple_but_l2(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = search_size(s, c->p), before = c->count;
    if (!search_has_l2(s, c->p) || s->matching.clip < HUGE_VAL) return;
    memcpy(s->room, predicted, n * sizeof *s->room);
    memcpy(s->room_turned, s->observed[c->p].values, n * sizeof *s->room_turned);
    search_add_l2(s, c->p, -1, s->room);
    search_add_l2(s, c->p, -1, s->room_turned);
    double factor = factor_of(c, s->room_turned, s->room);
    if (isnan(factor)) return;
    for (size_t i = 0; i < n; i++)
        s->room[i] *= factor;
    search_add_l2(s, c->p, 1, s->room);
    offer_factor(c, factor, s->room);
    for (size_t i = before; i < c->count; i++)
        c->list[i].but_l2 = true;
}

/* ---- two mistakes ---- */

bool candidates_may_compose(const struct candidates *c, const struct mistake *mistake, size_t variant)
{
    const struct search *s = c->s;
    size_t distinct = s->now.distinct + !hypothesis_makes(s, mistake, variant);
    return c->under.mistake == NULL && distinct < s->now.budget && s->observed[c->p].failing && !s->now.partial;
}

/* What is offered from now on is made on top of these numbers, which are kept in room_under. */
static const double *lay_under(struct candidates *c, const struct mistake *mistake, size_t variant, unsigned rarer,
                               const double *numbers)
{
    c->under = (struct under){mistake, variant, c->at, rarer};
    c->at = NULL;
    return memcpy(c->s->room_under, numbers, search_size(c->s, c->p) * sizeof *numbers);
}

static void lift(struct candidates *c)
{
    c->at = c->under.node;
    c->under.mistake = NULL;
}

/* Whether numbers are a multiple of others: a mistake that is a factor, on which another one is but one more. */
static bool is_multiple(size_t n, const double *numbers, const double *of)
{
    double factor = candidates_fit(n, 1, numbers, of), largest = numbers_largest(n, numbers);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(numbers[i] - factor * of[i]) <= EXACT_FACTOR * largest)) return false;
    return true;
}

void candidates_compose(struct candidates *c, const struct mistake *mistake, size_t variant, unsigned rarer,
                        const double *numbers, const double *predicted)
{
    if (!candidates_may_compose(c, mistake, variant)) return;
    if (is_multiple(search_size(c->s, c->p), numbers, predicted)) return;
    const double *made = lay_under(c, mistake, variant, rarer, numbers);
    candidates_offer_multiple(c, made);
    candidates_offer_layouts(c, made);
    if (search_has_l2(c->s, c->p)) candidates_offer_l2(c, made);
    lift(c);
}

void candidates_compose_multiple(struct candidates *c, const struct mistake *mistake, size_t variant,
                                 const double *numbers)
{
    if (!candidates_may_compose(c, mistake, variant)) return;
    candidates_offer_multiple(c, lay_under(c, mistake, variant, 0, numbers));
    lift(c);
}
