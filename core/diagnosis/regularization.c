/* What is done wrong with l2's part of a gradient. */
#include <math.h>
#include <string.h>

#include "core/diagnosis/candidates.h"
#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"

/* l2's part times another number: l2 * W / batch, 2 * l2 * W. No mistake has that for its name, but it is a constant
 * factor: not on the gradient, which the words for it must not say, but on one of its terms. */
static void offer_l2_factor(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = search_size(s, c->p), before = c->count;
    const double *student = s->observed[c->p].values;
    double *part = s->room_slope, *left = s->room_turned;
    memset(part, 0, n * sizeof *part);
    search_add_l2(s, c->p, 1, part);
    for (size_t i = 0; i < n; i++)
        left[i] = student[i] - predicted[i];
    double factor = 1 + candidates_fit(n, 1, left, part);
    /* 0 and -1 have names of their own, and whatever number is left of a single one is explained by some factor. */
    bool named = fabs(factor) < NO_FACTOR || fabs(factor - 1) < NO_FACTOR || fabs(factor + 1) < NO_FACTOR;
    if (n < 2 || isnan(factor) || named || s->matching.clip < HUGE_VAL) return;
    for (size_t i = 0; i < n; i++)
        s->room[i] = predicted[i] + (factor - 1) * part[i];
    candidates_offer(c, &mistake_constant_factor, factors_variant(OF_L2, factor), search_match(s, c->p, s->room),
                     factor);
    for (size_t i = before; i < c->count; i++)
        c->list[i].of_l2 = true;
}

/* l2 * W on top of a gradient whose loss has none: with a number that somebody wrote down. */
static void offer_unasked(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = search_size(s, c->p);
    const double *student = s->observed[c->p].values, *W = search_given(s, c->p);
    double *left = s->room_turned;
    if (!search_is_regularized(s, c->p) || n < 2 || s->matching.clip < HUGE_VAL) return;
    for (size_t i = 0; i < n; i++)
        left[i] = student[i] - predicted[i];
    double factor = candidates_fit(n, 1, left, W);
    if (isnan(written_round(fabs(factor)))) return;
    for (size_t i = 0; i < n; i++)
        s->room[i] = predicted[i] + factor * W[i];
    candidates_offer(c, &mistake_regularization_unasked, factors_variant(OF_L2, factor), search_match(s, c->p, s->room),
                     factor);
}

/* What l2 is where a parameter without it is taken for one with it: that of all, or else of the same layer. */
static double l2_beside(const struct search *s, size_t p)
{
    const struct network *network = s->network;
    double l2 = network->definition->l2_of == NULL ? network->definition->l2 : 0;
    for (size_t q = 0; q < network->parameter_count && network->definition->l2_of != NULL; q++)
        if (network->graded[q].layer == network->graded[p].layer && network->graded[q].l2 > 0)
            l2 = network->graded[q].l2;
    return l2;
}

/* l2's part left out, with the wrong sign or another factor; or put on a bias. */
void candidates_offer_l2(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = search_size(s, c->p);
    if (!search_any_l2(s)) {
        offer_unasked(c, predicted);
        return;
    }
    memcpy(s->room, predicted, n * sizeof(double));
    if (!search_has_l2(s, c->p)) {
        double l2 = l2_beside(s, c->p);
        if (l2 == 0) return;
        for (size_t i = 0; i < n; i++)
            s->room[i] += l2 * search_given(s, c->p)[i];
        candidates_offer_numbers(c, &mistake_bias_regularized, 0, s->room);
        return;
    }
    search_add_l2(s, c->p, -1, s->room);
    candidates_offer_numbers(c, &mistake_regularization_missing, 0, s->room);
    search_add_l2(s, c->p, -1, s->room);
    candidates_offer_numbers(c, &mistake_regularization_sign, 0, s->room);
    offer_l2_factor(c, predicted);
}
