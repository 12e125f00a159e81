#include "core/diagnosis/explain.h"

#include <math.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/diagnosis/candidates.h"
#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/sketch.h"
#include "core/graph/intermediates.h"

/* Beside the largest gradient of all, less than that is rounding. */
#define NOTHING 1e-13

/* Whether a tensor is zero but for rounding: then it says that nothing came there, and not by which mistake. */
static bool is_nothing(const struct candidates *c, const double *predicted)
{
    double least = NOTHING * c->s->matching.scale;
    for (size_t i = 0; i < search_size(c->s, c->p); i++)
        if (!(fabs(predicted[i]) <= least)) return false;
    return true;
}

/* Whether a wrong step of that activation is on the path: then no other one was taken for one tensor alone. */
static bool is_wrong_at(const struct search *s, const struct node *activation)
{
    for (size_t i = 0; i < s->now.length; i++)
        if (s->now.path[i].node == activation && s->now.path[i].parameter == PARAMETER_NONE) return true;
    return false;
}

/* Another step of the activation behind the layer, used for this tensor alone. */
static void offer_local(struct candidates *c, const struct edge *edge, const struct step_call *call,
                        const double *predicted)
{
    struct search *s = c->s;
    if (call->dh == NULL) return;
    const struct node *above = network_activation(edge->node->output);
    if (is_wrong_at(s, above)) return;
    struct step_call activation = step_at_activation(s, above);
    struct alternative made = {.value = s->local_value, .slope = s->local_slope};
    activation.rows = call->rows;
    activation.in = call->out;
    struct sketch sketch = sketch_new(s, edge->node, edge->node, call, &activation);
    struct rule rule = rule_first(above->op, STEP_INPUT, 0);
    c->at = above;
    for (; rule.mistake != NULL; rule_next(&rule)) {
        if (!sketch_local(s, &sketch, &rule, c->p)) continue;
        if (!rule_make(&rule, &activation, &made) || made.has_slope) continue;
        if (op_slot(edge->node->op, edge->input)->product && !sketch_line(s, c->p, call, made.value, NULL)) continue;
        flow_send(&s->flow, edge->node, edge->input, made.value, s->room);
        search_add_l2(s, c->p, 1, s->room);
        if (is_nothing(c, s->room)) continue;
        if (!match_differs(search_size(s, c->p), predicted, s->room)) continue;
        size_t before = c->count;
        candidates_offer_numbers(c, made.mistake, made.variant, s->room);
        if (c->count > before) c->list[before].rarer = made.rarer;
    }
    c->at = NULL;
}

/* Adds what the other edges send, and l2's part: all that is predicted but what this edge sends. Adding them up anew
 * for every edge would take the square of their number. */
static void add_others(const struct candidates *c, const struct edge *edge, const double *predicted, double *gradient)
{
    const struct search *s = c->s;
    size_t count, n = search_size(s, c->p);
    flow_into(&s->flow, search_value(s, c->p), &count);
    if (count == 1) {
        search_add_l2(s, c->p, 1, gradient);
        return;
    }
    for (size_t i = 0; i < n; i++)
        gradient[i] += predicted[i] - edge->g[i];
}

/* Whether the right numbers are all next to 1: a 1 was printed then. */
static bool is_nearly_ones(const struct search *s, size_t p)
{
    for (size_t i = 0; i < search_size(s, p); i++)
        if (!(fabs(search_right(s, p)[i] - 1) <= 0.01)) return false;
    return true;
}

/* The rules of the op that an edge comes from. */
static void offer_rules(struct candidates *c, const struct edge *edge, const struct step_call *call,
                        const double *predicted)
{
    struct search *s = c->s;
    struct alternative made = {.value = s->room, .slope = s->room_slope};
    struct rule rule = rule_first(edge->node->op, STEP_PARAMETER, edge->input);
    c->at = edge->node;
    for (; rule.mistake != NULL; rule_next(&rule)) {
        if (!rule_make(&rule, call, &made)) continue;
        add_others(c, edge, predicted, made.value);
        struct match match = search_match(s, c->p, made.value);
        match.shape = s->observed[c->p].one_number && made.mistake == &mistake_bias_summed_over_units;
        if (match.fit == FIT_NONE) candidates_compose(c, made.mistake, made.variant, made.rarer, made.value, predicted);
        if (made.mistake == &mistake_bias_of_ones && match.residual == 0 && !s->now.partial && !is_nearly_ones(s, c->p))
            match.digits += DIGITS_NEEDED;
        candidates_offer(c, made.mistake, made.variant, match, NAN);
    }
    c->at = NULL;
}

/* Where a tensor is used in several places: what one of them sends is missing, or added twice, or is all there is. */
static void offer_consumers(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t count, n = search_size(s, c->p);
    struct edge *const *into = flow_into(&s->flow, search_value(s, c->p), &count);
    for (size_t k = 0; count > 1 && k < count && !search_is_over(s); k++) {
        c->at = into[k]->node;
        memset(s->room, 0, n * sizeof *s->room);
        add_others(c, into[k], predicted, s->room);
        candidates_offer_numbers(c, &mistake_contribution_missing, 0, s->room);
        for (size_t i = 0; i < n; i++)
            s->room[i] += 2 * into[k]->g[i];
        candidates_offer_numbers(c, &mistake_sent_twice, 0, s->room);
        /* The one that comes last on the way back is assigned last; where it is another, the others are missing. */
        memcpy(s->room, into[k]->g, n * sizeof *s->room);
        search_add_l2(s, c->p, 1, s->room);
        c->kept = k > 0 && count > 2 ? into[k] : NULL;
        if (k == 0) candidates_offer_numbers(c, &mistake_gradient_overwritten, 0, s->room);
        if (c->kept != NULL) candidates_offer_numbers(c, &mistake_contribution_missing, 0, s->room);
        c->kept = NULL;
    }
    c->at = NULL;
}

/* Nothing was computed, or nothing but l2's part. */
static void offer_nothing(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = search_size(s, c->p), before;
    memset(s->room, 0, n * sizeof *s->room);
    bool is_zero = numbers_largest(n, predicted) == 0; /* that is right: it is the shape that is not */
    bool zeros = numbers_largest(n, s->observed[c->p].values) == 0;
    if (zeros && !is_zero) candidates_offer_plain(c, &mistake_all_zero, 0, s->room);
    if (zeros || !search_has_l2(s, c->p)) return;
    before = c->count;
    search_add_l2(s, c->p, 1, s->room);
    candidates_offer_plain(c, &mistake_all_zero, 1, s->room);
    for (size_t i = before; i < c->count; i++)
        c->list[i].but_l2 = true;
}

/* What holds for weights and biases alike. */
static void offer_common(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    offer_nothing(c, predicted);
    candidates_offer_plain(c, &mistake_parameter_as_gradient, 0, search_given(s, c->p));
    candidates_offer_multiple(c, predicted);
    candidates_offer_multiple_but_l2(c, predicted);
}

/* Whether the factor on the loss is one on the finished gradient, l2's part included. */
static bool is_multiple_with_l2(struct search *s, size_t p, const double *predicted)
{
    double times = factors_of_loss(s);
    if (!search_has_l2(s, p) || times == 1) return false;
    memcpy(s->room, predicted, search_size(s, p) * sizeof(double));
    search_add_l2(s, p, times - 1, s->room);
    struct match match = search_match(s, p, s->room);
    match.with_l2 = true;
    if (match.fit != FIT_NONE) s->now.matches[p] = match;
    return match.fit != FIT_NONE;
}

/* All that may account for numbers of the right shape, other than that they are right. */
static void offer_all(struct candidates *c, const struct step_call *call, const double *predicted)
{
    struct search *s = c->s;
    size_t count;
    struct edge *const *into = flow_into(&s->flow, search_value(s, c->p), &count);
    candidates_offer_layouts(c, predicted);
    for (size_t k = 0; k < count && !search_is_over(s); k++) {
        struct step_call other = count > 1 ? step_at(s, into[k]->node) : *call;
        other.input = into[k]->input;
        const struct edge *weight = count > 1 && into[k]->input != 1 ? flow_edge(&s->flow, into[k]->node, 1) : NULL;
        if (weight != NULL) other.dW = weight->g;
        if (s->network->graded[c->p].slot != NULL) offer_rules(c, into[k], &other, predicted);
    }
    if (s->network->graded[c->p].slot != NULL) candidates_offer_l2(c, predicted);
    offer_common(c, predicted);
    offer_consumers(c, predicted);
    if (count == 1 && into[0]->node->op->kind != OP_ACTIVATION && s->network->graded[c->p].slot != NULL)
        offer_local(c, into[0], call, predicted);
}

bool explain_tensor(struct search *s, const struct step_call *call, size_t p, const double *predicted)
{
    const struct observed *o = &s->observed[p];
    const struct slot *slot = s->network->graded[p].slot;
    s->now.matches[p] = (struct match){.fit = FIT_EXACT};
    struct candidates c;
    candidates_begin(&c, s, p);
    if (o->absent) {
        s->now.matches[p].fit = FIT_NONE;
        return true; /* says nothing for or against */
    }
    size_t count;
    flow_into(&s->flow, search_value(s, p), &count);
    if (o->per_sample && slot != NULL && slot->summed && count == 1) {
        const double *right = flow_right(&s->flow, s->network->graded[p].node->output);
        struct match match =
            match_numbers(&s->matching, o->tolerance, call->rows * call->out, o->values, call->dy, right, o->bound);
        match.shape = true;
        candidates_offer(&c, &mistake_bias_not_summed, 0, match, NAN);
    } else if (o->flattened) {
        candidates_offer_flattened(&c, predicted);
    } else if (o->stacked != NULL) {
        candidates_offer_stacked(&c, call, predicted);
    } else if (o->transposed) {
        candidates_offer_layouts(&c, predicted);
    } else if (o->values != NULL && !o->per_sample) {
        s->now.matches[p] = search_match(s, p, predicted);
        if (s->now.matches[p].fit != FIT_NONE && !o->one_number) return true;
        if (is_multiple_with_l2(s, p, predicted)) return true;
        if (!hypothesis_may_explain(s)) {
            s->now.matches[p].fit = FIT_NONE;
            return false;
        }
        offer_all(&c, call, predicted);
    }
    s->now.matches[p].fit = FIT_NONE;
    return candidates_settle(&c);
}
