#include "core/diagnosis/explain.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/sketch.h"
#include "core/graph/intermediates.h"

/* The variants of a factor on one tensor, and of one on l2's part of it: other kinds than the same factor on the loss.
 */
enum { OF_ONE_TENSOR = 1000, OF_L2 = 2000 };

/* Beside the largest gradient of all, less than that is rounding. */
#define NOTHING 1e-13

/* So many numbers of a large tensor are looked at before all of them. */
enum { FEW = 64 };

/* What may account for one tensor alone. */
struct candidate {
    const struct mistake *mistake;
    size_t variant;
    struct match match;
    double factor;           /* NaN where there is none */
    unsigned rarer;          /* added to the mistake's rank */
    bool of_l2;              /* it is on l2's part alone */
    const struct node *node; /* where it was made, if that is not where the tensor belongs; */
    const struct edge *kept; /* made at all edges to the tensor but this one; NULL: at one place */
};

enum { CANDIDATES_MAX = 64 };

struct candidates {
    struct search *s;
    const struct node *at;   /* where what is offered now is done; NULL: where the tensor belongs */
    const struct edge *kept; /* of what is offered now, made at all edges but this one; NULL: at one place */
    size_t p, count;
    struct candidate list[CANDIDATES_MAX];
};

/* None yet. The list is not set to zeros: that would take longer than most of what follows. */
static void begin(struct candidates *c, struct search *s, size_t p)
{
    c->s = s;
    c->p = p;
    c->at = NULL;
    c->kept = NULL;
    c->count = 0;
}

static void offer(struct candidates *c, const struct mistake *mistake, size_t variant, struct match match,
                  double factor)
{
    if (match.fit == FIT_NONE || c->count == CANDIDATES_MAX) return;
    c->list[c->count++] = (struct candidate){
        .mistake = mistake, .variant = variant, .match = match, .factor = factor, .node = c->at, .kept = c->kept};
}

static bool is_on_path(const struct search *s, const struct candidate *candidate)
{
    return hypothesis_makes(s, candidate->mistake, candidate->variant);
}

/* Whether a is the better account: nearer; the same as elsewhere; no mere factor; likelier. */
static bool is_better(const struct search *s, const struct candidate *a, const struct candidate *b)
{
    if (a->match.fit != b->match.fit) return a->match.fit < b->match.fit;
    if (is_on_path(s, a) != is_on_path(s, b)) return is_on_path(s, a);
    if (isnan(a->factor) != isnan(b->factor)) return isnan(a->factor);
    return a->mistake->rank + a->rarer < b->mistake->rank + b->rarer;
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

/* Takes the best of the candidates as a choice, the others that fit as well as its alternatives. */
static bool settle(struct candidates *c)
{
    struct search *s = c->s;
    const struct candidate *best = c->count > 0 ? &c->list[0] : NULL;
    for (size_t i = 1; i < c->count; i++)
        if (is_better(s, &c->list[i], best)) best = &c->list[i];
    if (best == NULL) return false;
    size_t length = s->now.length;
    struct choice *choice = hypothesis_push_own(s, best->mistake, best->variant, c->p);
    if (choice == NULL) return false;
    choice->has_factor = !isnan(best->factor);
    choice->fitted = choice->has_factor &&
                     (best->mistake == &mistake_constant_factor || best->mistake == &mistake_regularization_unasked);
    choice->factor = best->factor;
    bool is_multiple = choice->has_factor && !best->of_l2 && best->mistake != &mistake_regularization_unasked;
    choice->times = is_multiple ? best->factor : 0;
    choice->of_l2 = best->of_l2;
    choice->rarer = best->rarer;
    if (best->node != NULL) choice->node = best->node;
    if (best->kept != NULL && !settle_others(c, best, choice)) {
        hypothesis_pop_to(s, length);
        return false;
    }
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].match.fit == best->match.fit) hypothesis_add_alternative(choice, c->list[i].mistake);
    s->now.matches[c->p] = best->match;
    return true;
}

/* Whether a tensor is zero but for rounding: then it says that nothing came there, and not by which mistake. */
static bool is_nothing(const struct candidates *c, const double *predicted)
{
    double least = NOTHING * c->s->matching.scale;
    for (size_t i = 0; i < search_size(c->s, c->p); i++)
        if (!(fabs(predicted[i]) <= least)) return false;
    return true;
}

/* Numbers that nothing was computed for, to the last digit, are evidence enough, however few they are. */
static void offer_plain(struct candidates *c, const struct mistake *mistake, size_t variant, const double *numbers)
{
    struct match match = search_match(c->s, c->p, numbers);
    if (match.residual == 0 && match.digits < DIGITS_NEEDED && !c->s->now.partial) match.digits = DIGITS_NEEDED;
    offer(c, mistake, variant, match, NAN);
}

static void offer_numbers(struct candidates *c, const struct mistake *mistake, size_t variant, const double *predicted)
{
    offer(c, mistake, variant, search_match(c->s, c->p, predicted), NAN);
}

/* The factor of the least squares fit of the student's numbers to the prediction, looking at one number in `stride`;
 * NaN where there is none. Divided by the largest, since squares of very large numbers overflow, and of very small ones
 * vanish. */
static double fit_factor(size_t n, size_t stride, const double *student, const double *predicted)
{
    double largest = 0, sp = 0, pp = 0;
    for (size_t i = 0; i < n; i += stride)
        largest = fabs(predicted[i]) > largest ? fabs(predicted[i]) : largest;
    for (size_t i = 0; i < n && largest > 0; i += stride) {
        double unit = predicted[i] / largest;
        sp += student[i] / largest * unit;
        pp += unit * unit;
    }
    return pp > 0 && isfinite(sp) ? sp / pp : NAN;
}

/* Whether a few numbers may be a multiple of what they should be. */
static bool may_be_multiple(const struct search *s, size_t p, const double *predicted)
{
    const double *student = s->observed[p].values;
    size_t n = search_size(s, p), stride = n / FEW + 1, count = 0;
    double factor = fit_factor(n, stride, student, predicted), bound = s->observed[p].bound, left = 0;
    for (size_t i = 0; i < n; i += stride, count++) {
        double off = (student[i] - (isnan(factor) ? 0 : factor * predicted[i])) / bound;
        left += off * off;
    }
    /* The best factor leaves no more, in squares, than the right one, which leaves at most the bound everywhere. */
    return s->matching.clip < HUGE_VAL || !(left > (double)count);
}

/* A tensor that is a multiple of what it should be. */
static void offer_factor(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = search_size(s, c->p), nonzero = 0;
    if (!may_be_multiple(s, c->p, predicted)) return;
    for (size_t i = 0; i < n && nonzero < 2; i++)
        nonzero += predicted[i] != 0;
    double factor = fit_factor(n, 1, s->observed[c->p].values, predicted);
    if (nonzero < 2 || !(fabs(factor) >= 1e-9) || fabs(factor - 1) < NO_FACTOR) return;
    for (size_t i = 0; i < n; i++)
        s->room_slope[i] = factor * predicted[i];
    struct match match = search_match(s, c->p, s->room_slope);
    size_t variant = factors_variant(OF_ONE_TENSOR, factor);
    struct choice named = {.mistake = NULL};
    factors_name(s, factor, true, &named);
    bool fits = match.fit != FIT_EXACT || named.off <= EXACT_FACTOR;
    if (fits && named.mistake != &mistake_clipped) offer(c, named.mistake, variant, match, factor);
    for (size_t i = 0; fits && i < named.alternative_count; i++)
        if (named.alternatives[i] != &mistake_clipped) offer(c, named.alternatives[i], variant, match, factor);
    offer(c, &mistake_constant_factor, variant, match, factor);
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
        offer_numbers(c, made.mistake, made.variant, s->room);
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
        if (s->observed[c->p].one_number && made.mistake == &mistake_bias_summed_over_units)
            match.digits = DIGITS_OF_A_SHAPE;
        if (made.mistake == &mistake_bias_of_ones && match.residual == 0 && !s->now.partial)
            match.digits += DIGITS_NEEDED;
        offer(c, made.mistake, made.variant, match, NAN);
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
        offer_numbers(c, &mistake_contribution_missing, 0, s->room);
        for (size_t i = 0; i < n; i++)
            s->room[i] += 2 * into[k]->g[i];
        offer_numbers(c, &mistake_sent_twice, 0, s->room);
        /* The one that comes last on the way back is assigned last; where it is another, the others are missing. */
        memcpy(s->room, into[k]->g, n * sizeof *s->room);
        search_add_l2(s, c->p, 1, s->room);
        c->kept = k > 0 && count > 2 ? into[k] : NULL;
        if (k == 0) offer_numbers(c, &mistake_gradient_overwritten, 0, s->room);
        if (c->kept != NULL) offer_numbers(c, &mistake_contribution_missing, 0, s->room);
        c->kept = NULL;
    }
    c->at = NULL;
}

/* What holds for weights and biases alike. */
static void offer_common(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = search_size(s, c->p);
    bool all_zero = true;
    for (size_t i = 0; i < n && all_zero; i++)
        all_zero = s->observed[c->p].values[i] == 0;
    if (all_zero) {
        memset(s->room, 0, n * sizeof(double));
        offer_plain(c, &mistake_all_zero, 0, s->room);
    }
    offer_plain(c, &mistake_parameter_as_gradient, 0, search_given(s, c->p));
    offer_factor(c, predicted);
}

/* Whether a few numbers of a matrix [rows, columns], taken column by column, are what was handed in: a large one is not
 * turned for nothing. */
static bool may_be_turned(const struct search *s, size_t rows, size_t columns, const double *matrix,
                          const double *student, double bound)
{
    size_t n = rows * columns, stride = n / FEW + 1;
    for (size_t i = 0; i < n && s->matching.clip == HUGE_VAL; i += stride)
        if (!(fabs(student[i] - matrix[i % rows * columns + i / rows]) <= bound)) return false;
    return true;
}

/* A square weight's gradient, or one that was handed in in the transpose's shape. */
static void offer_transposed(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    const size_t *dim = search_value(s, c->p)->shape.dim;
    const struct observed *o = &s->observed[c->p];
    size_t n = dim[0] * dim[1];
    bool l2 = search_has_l2(s, c->p) && !o->transposed;
    if (!l2 && !may_be_turned(s, dim[0], dim[1], predicted, o->values, o->bound)) return;
    tensor_transpose(dim[0], dim[1], predicted, s->room);
    struct match match =
        match_numbers(&s->matching, o->tolerance, n, o->values, s->room, search_right(s, c->p), o->bound);
    if (o->transposed) match.digits = DIGITS_OF_A_SHAPE;
    offer(c, &mistake_transposed, 0, match, NAN);
    /* Of a square matrix the same numbers come from writing it out in the wrong order. */
    if (!o->transposed) offer(c, &mistake_wrong_memory_order, 0, match, NAN);
    if (!l2) return;
    /* Transposed before l2's part was added. */
    memcpy(s->room_slope, predicted, n * sizeof(double));
    search_add_l2(s, c->p, -1, s->room_slope);
    tensor_transpose(dim[0], dim[1], s->room_slope, s->room);
    search_add_l2(s, c->p, 1, s->room);
    offer_numbers(c, &mistake_transposed, 1, s->room);
}

/* In memory as it was handed in: what is right there, rows by columns, is read column by column, or written so. */
static void offer_memory_orders(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    const size_t *dim = search_value(s, c->p)->shape.dim;
    const struct observed *o = &s->observed[c->p];
    bool same_layout = o->values == o->raw;
    size_t n = dim[0] * dim[1];
    size_t rows = same_layout ? dim[0] : dim[1], columns = same_layout ? dim[1] : dim[0];
    const double *ours = predicted, *reference = search_right(s, c->p);
    if (!same_layout) {
        tensor_transpose(dim[0], dim[1], predicted, s->room);
        tensor_transpose(dim[0], dim[1], reference, s->room_slope);
        ours = s->room;
        reference = s->room_slope;
    }
    for (size_t variant = 0; variant < 2; variant++) {
        size_t r = variant == 0 ? rows : columns, k = variant == 0 ? columns : rows;
        if (!may_be_turned(s, r, k, ours, o->raw, o->bound)) continue;
        tensor_transpose(r, k, ours, s->room_turned);
        struct match match = match_numbers(&s->matching, o->tolerance, n, o->raw, s->room_turned, reference, o->bound);
        offer(c, &mistake_wrong_memory_order, variant, match, NAN);
    }
}

/* The right numbers in one axis: in the order of the rows, as they are handed in, or of the columns. */
static void offer_flattened(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    const struct observed *o = &s->observed[c->p];
    const size_t *dim = search_value(s, c->p)->shape.dim;
    size_t n = dim[0] * dim[1];
    bool outside_is_turned = o->turned;
    for (size_t variant = 0; variant < 2; variant++) {
        bool turned = (variant == 1) != outside_is_turned;
        memcpy(s->room, predicted, n * sizeof *s->room);
        if (turned) tensor_transpose(dim[0], dim[1], predicted, s->room);
        struct match match = match_numbers(&s->matching, o->tolerance, n, o->values, s->room, s->room, o->bound);
        match.digits = DIGITS_OF_A_SHAPE;
        offer(c, &mistake_flattened, variant, match, NAN);
    }
}

/* Of a matrix: the same numbers in other places. */
static void offer_layouts(struct candidates *c, const double *predicted)
{
    const struct shape *shape = &search_value(c->s, c->p)->shape;
    if (shape->rank != 2) return;
    size_t rows = shape->dim[0], columns = shape->dim[1], n = rows * columns;
    if (c->s->observed[c->p].transposed || (rows == columns && n > 1))
        offer_transposed(c, predicted);
    else if (n != rows && n != columns) /* one row or column reads the same both ways */
        offer_memory_orders(c, predicted);
}

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
    double factor = 1 + fit_factor(n, 1, left, part);
    /* 0 and -1 have names of their own, and whatever number is left of a single one is explained by some factor. */
    bool named = fabs(factor) < NO_FACTOR || fabs(factor - 1) < NO_FACTOR || fabs(factor + 1) < NO_FACTOR;
    if (n < 2 || isnan(factor) || named || s->matching.clip < HUGE_VAL) return;
    for (size_t i = 0; i < n; i++)
        s->room[i] = predicted[i] + (factor - 1) * part[i];
    offer(c, &mistake_constant_factor, factors_variant(OF_L2, factor), search_match(s, c->p, s->room), factor);
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
    double factor = fit_factor(n, 1, left, W);
    if (isnan(factors_round(fabs(factor)))) return;
    for (size_t i = 0; i < n; i++)
        s->room[i] = predicted[i] + factor * W[i];
    offer(c, &mistake_regularization_unasked, factors_variant(OF_L2, factor), search_match(s, c->p, s->room), factor);
}

/* l2's part left out, with the wrong sign or another factor; or put on a bias. */
static void offer_regularization(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    double l2 = s->network->definition->l2;
    size_t n = search_size(s, c->p);
    if (l2 == 0) {
        offer_unasked(c, predicted);
        return;
    }
    memcpy(s->room, predicted, n * sizeof(double));
    if (!search_has_l2(s, c->p)) {
        for (size_t i = 0; i < n; i++)
            s->room[i] += l2 * search_given(s, c->p)[i];
        offer_numbers(c, &mistake_bias_regularized, 0, s->room);
        return;
    }
    search_add_l2(s, c->p, -1, s->room);
    offer_numbers(c, &mistake_regularization_missing, 0, s->room);
    search_add_l2(s, c->p, -1, s->room);
    offer_numbers(c, &mistake_regularization_sign, 0, s->room);
    offer_l2_factor(c, predicted);
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
    offer_layouts(c, predicted);
    for (size_t k = 0; k < count && !search_is_over(s); k++) {
        struct step_call other = count > 1 ? step_at(s, into[k]->node) : *call;
        other.input = into[k]->input;
        const struct edge *weight = count > 1 && into[k]->input != 1 ? flow_edge(&s->flow, into[k]->node, 1) : NULL;
        if (weight != NULL) other.dW = weight->g;
        if (s->network->graded[c->p].slot != NULL) offer_rules(c, into[k], &other, predicted);
    }
    if (s->network->graded[c->p].slot != NULL) offer_regularization(c, predicted);
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
    begin(&c, s, p);
    if (o->absent) {
        s->now.matches[p].fit = FIT_NONE;
        return true; /* says nothing for or against */
    }
    size_t count;
    flow_into(&s->flow, search_value(s, p), &count);
    if (o->per_sample && slot != NULL && slot->summed && count == 1) {
        struct match match =
            match_numbers(&s->matching, o->tolerance, call->rows * call->out, o->values, call->dy, call->dy, o->bound);
        match.digits = DIGITS_OF_A_SHAPE;
        offer(&c, &mistake_bias_not_summed, 0, match, NAN);
    } else if (o->flattened) {
        offer_flattened(&c, predicted);
    } else if (o->transposed) {
        offer_layouts(&c, predicted);
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
    return settle(&c);
}
