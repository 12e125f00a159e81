#include "core/diagnosis/candidates.h"

#include <math.h>

#include "core/base/numbers.h"
#include "core/diagnosis/hypothesis.h"

/* None yet. The list is not set to zeros: that would take longer than most of what follows. */
void candidates_begin(struct candidates *c, struct search *s, size_t p)
{
    c->s = s;
    c->p = p;
    c->at = NULL;
    c->kept = NULL;
    c->under.mistake = NULL;
    c->count = 0;
}

void candidates_offer(struct candidates *c, const struct mistake *mistake, size_t variant, struct match match,
                      double factor)
{
    if (match.fit == FIT_NONE || c->count == CANDIDATES_MAX) return;
    c->list[c->count++] = (struct candidate){.mistake = mistake,
                                             .variant = variant,
                                             .match = match,
                                             .factor = factor,
                                             .node = c->at,
                                             .kept = c->kept,
                                             .under = c->under};
}

static bool is_on_path(const struct search *s, const struct candidate *candidate)
{
    return hypothesis_makes(s, candidate->mistake, candidate->variant);
}

static unsigned rank_of(const struct candidate *candidate)
{
    unsigned rank = candidate->mistake->rank + candidate->rarer;
    return candidate->under.mistake == NULL ? rank : rank + candidate->under.mistake->rank + candidate->under.rarer;
}

/* Whether a is the better account: nearer; one mistake; the same as elsewhere; no mere factor; likelier. */
static bool is_better(const struct search *s, const struct candidate *a, const struct candidate *b)
{
    if (a->match.fit != b->match.fit) return a->match.fit < b->match.fit;
    if ((a->under.mistake == NULL) != (b->under.mistake == NULL)) return a->under.mistake == NULL;
    if (is_on_path(s, a) != is_on_path(s, b)) return is_on_path(s, a);
    if (isnan(a->factor) != isnan(b->factor)) return isnan(a->factor);
    return rank_of(a) < rank_of(b);
}

/* A mistake at all edges to a tensor but one: the choice is its first, the others follow. */
static bool settle_others(struct candidates *c, const struct candidate *best, struct choice *choice)
{
    size_t count;
    struct edge *const *into = flow_into(&c->s->flow, search_value(c->s, c->p), &count);
    for (size_t k = 0; choice != NULL && k < count; k++) {
        if (into[k] == best->kept) continue;
        if (choice->node != best->node) choice = hypothesis_push_own(c->s, best->mistake, best->variant, c->p);
        if (choice != NULL) choice->node = into[k]->node;
    }
    return choice != NULL;
}

/* What lies under the best of them, as a choice of its own: whatever else may lie there is its alternative. */
static bool settle_under(struct candidates *c, const struct candidate *best)
{
    const struct under *under = &best->under;
    struct choice *choice = hypothesis_push_own(c->s, under->mistake, under->variant, c->p);
    if (choice == NULL) return false;
    choice->rarer = under->rarer;
    if (under->node != NULL) choice->node = under->node;
    for (size_t i = 0; i < c->count; i++) {
        const struct candidate *other = &c->list[i];
        bool same_top = other->mistake == best->mistake && other->variant == best->variant;
        if (same_top && other->under.mistake != NULL && other->match.fit == best->match.fit)
            hypothesis_add_alternative(choice, other->under.mistake);
    }
    return true;
}

/* Whether a candidate fits as well as the best, with the same under it. */
static bool is_as_good(const struct candidate *other, const struct candidate *best)
{
    return other->match.fit == best->match.fit && other->under.mistake == best->under.mistake &&
           (best->under.mistake == NULL || other->under.variant == best->under.variant);
}

/* Takes the best of the candidates as a choice, the others that fit as well as its alternatives. */
bool candidates_settle(struct candidates *c)
{
    struct search *s = c->s;
    const struct candidate *best = c->count > 0 ? &c->list[0] : NULL;
    for (size_t i = 1; i < c->count; i++)
        if (is_better(s, &c->list[i], best)) best = &c->list[i];
    /* What is right has no mistake that undoes another, unless that is but an alternative to a single one. */
    bool beside = s->best != NULL && s->best->distinct < s->now.budget && !s->now.partial;
    if (best == NULL || (!s->observed[c->p].failing && !beside)) return false;
    size_t length = s->now.length;
    bool made = best->under.mistake == NULL || settle_under(c, best);
    struct choice *choice = made ? hypothesis_push_own(s, best->mistake, best->variant, c->p) : NULL;
    if (choice == NULL) {
        hypothesis_pop_to(s, length);
        return false;
    }
    choice->has_factor = !isnan(best->factor);
    choice->fitted = choice->has_factor &&
                     (best->mistake == &mistake_constant_factor || best->mistake == &mistake_regularization_unasked);
    choice->factor = best->factor;
    bool is_multiple = choice->has_factor && !best->of_l2 && best->mistake != &mistake_regularization_unasked;
    choice->times = is_multiple ? best->factor : 0;
    choice->of_l2 = best->of_l2;
    choice->but_l2 = best->but_l2;
    choice->rarer = best->rarer;
    if (best->node != NULL) choice->node = best->node;
    if (best->kept != NULL && !settle_others(c, best, choice)) {
        hypothesis_pop_to(s, length);
        return false;
    }
    for (size_t i = 0; i < c->count; i++)
        if (is_as_good(&c->list[i], best)) hypothesis_add_alternative(choice, c->list[i].mistake);
    s->now.matches[c->p] = best->match;
    return true;
}

/* Numbers that nothing was computed for, to the last digit, are evidence enough, however few they are. */
void candidates_offer_plain(struct candidates *c, const struct mistake *mistake, size_t variant, const double *numbers)
{
    struct match match = search_match(c->s, c->p, numbers);
    if (match.residual == 0 && match.digits < DIGITS_NEEDED && !c->s->now.partial) match.digits = DIGITS_NEEDED;
    candidates_offer(c, mistake, variant, match, NAN);
}

void candidates_offer_numbers(struct candidates *c, const struct mistake *mistake, size_t variant,
                              const double *predicted)
{
    candidates_offer(c, mistake, variant, search_match(c->s, c->p, predicted), NAN);
}

/* Squares between these have lost nothing that matters. */
#define LEAST_SQUARE 1e-200
#define MOST_SQUARE 1e200

/* The factor of the least squares fit of the student's numbers to the prediction, looking at one number in `stride`;
 * NaN where there is none. Where squares of very large numbers overflow, or of very small ones vanish, all are divided
 * by the largest. */
double candidates_fit(size_t n, size_t stride, const double *student, const double *predicted)
{
    double largest = 0, sp = 0, pp = stride == 1 ? numbers_dot(n, predicted, predicted) : 0;
    if (pp > LEAST_SQUARE && pp < MOST_SQUARE) {
        double factor = numbers_dot(n, student, predicted) / pp;
        if (isfinite(factor)) return factor;
    }
    pp = 0;
    for (size_t i = 0; i < n; i += stride)
        largest = fabs(predicted[i]) > largest ? fabs(predicted[i]) : largest;
    for (size_t i = 0; i < n && largest > 0; i += stride) {
        double unit = predicted[i] / largest;
        sp += student[i] / largest * unit;
        pp += unit * unit;
    }
    return pp > 0 && isfinite(sp) ? sp / pp : NAN;
}
