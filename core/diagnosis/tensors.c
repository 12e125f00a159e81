#include "core/diagnosis/tensors.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/sketch.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/rules.h"

/* The variants of a factor on one tensor, and of one on l2's part of it: other kinds than the same factor on the loss.
 */
enum { OF_ONE_TENSOR = 1000, OF_L2 = 2000 };

/* So many numbers of a large tensor are looked at before all of them. */
enum { FEW = 64 };

struct step_call layer_call(const struct search *s, size_t node)
{
    const struct pass *pass = s->pass;
    const struct node *n = &s->network->nodes[node];
    struct step_call call = {.pass = pass, .node = node, .y = pass->y[node], .dy = s->g[node]};
    call.x = n->input == NODE_INPUT ? pass->x : pass->y[n->input];
    call.in = n->in.rank > 0 ? n->in.dim[n->in.rank - 1] : 1;
    call.out = n->out.rank > 0 ? n->out.dim[n->out.rank - 1] : 1;
    call.rows = pass->batch * (n->in_size / call.in);
    bool activated = node + 1 < s->network->node_count && s->network->nodes[node + 1].layer->op->kind == OP_ACTIVATION;
    if (activated && s->gs[node + 1] == NULL) call.dh = s->g[node + 1];
    return call;
}

bool layer_has_l2(const struct search *s, size_t p)
{
    return s->network->parameters[p].role->weight && s->network->definition->l2 > 0;
}

void layer_add_l2(const struct search *s, size_t p, double times, double *dW)
{
    const struct parameter *parameter = &s->network->parameters[p];
    double l2 = parameter->role->weight ? s->network->definition->l2 : 0;
    for (size_t i = 0; l2 > 0 && i < parameter->size; i++)
        dW[i] += times * l2 * s->parameters[p][i];
}

/* dW or db from a dz, with l2's part. */
void layer_gradient(const struct search *s, const struct step_call *call, size_t p, const double *dz, double *out)
{
    if (s->network->parameters[p].role->weight)
        call->pass->backend->gemm(true, false, call->in, call->out, call->rows, 1, call->x, dz, 0, out);
    else
        call->pass->backend->sum_rows(call->rows, call->out, dz, out);
    layer_add_l2(s, p, 1, out);
}

struct match layer_match(const struct search *s, size_t p, const double *predicted)
{
    return match_numbers(&s->matching, s->network->parameters[p].size, s->observed[p].values, predicted,
                         s->pass->gradients[p], s->observed[p].bound);
}

/* What may account for one tensor alone. */
struct candidate {
    const struct mistake *mistake;
    size_t variant;
    struct match match;
    double factor; /* NaN where there is none */
    bool of_l2;    /* it is on l2's part alone */
};

enum { CANDIDATES_MAX = 64 };

struct candidates {
    struct search *s;
    size_t p, count;
    struct candidate list[CANDIDATES_MAX];
};

static void offer(struct candidates *c, const struct mistake *mistake, size_t variant, struct match match,
                  double factor)
{
    if (match.fit == FIT_NONE || c->count == CANDIDATES_MAX) return;
    c->list[c->count++] = (struct candidate){.mistake = mistake, .variant = variant, .match = match, .factor = factor};
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
    return a->mistake->rank < b->mistake->rank;
}

/* Takes the best of the candidates as a choice, the others that fit as well as its alternatives. */
static bool settle(struct candidates *c)
{
    struct search *s = c->s;
    const struct candidate *best = c->count > 0 ? &c->list[0] : NULL;
    for (size_t i = 1; i < c->count; i++)
        if (is_better(s, &c->list[i], best)) best = &c->list[i];
    if (best == NULL) return false;
    struct choice *choice = hypothesis_push_own(s, best->mistake, best->variant, c->p);
    if (choice == NULL) return false;
    choice->has_factor = !isnan(best->factor);
    choice->fitted = choice->has_factor && best->mistake == &mistake_constant_factor;
    choice->factor = best->factor;
    choice->times = choice->has_factor && !best->of_l2 ? best->factor : 0;
    choice->of_l2 = best->of_l2;
    if (best->mistake->step == STEP_ACTIVATION) choice->layer++; /* the activation right behind the layer */
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].match.fit == best->match.fit) hypothesis_add_alternative(choice, c->list[i].mistake);
    s->matches[c->p] = best->match;
    return true;
}

static void offer_numbers(struct candidates *c, const struct mistake *mistake, size_t variant, const double *predicted)
{
    offer(c, mistake, variant, layer_match(c->s, c->p, predicted), NAN);
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
    size_t n = s->network->parameters[p].size, stride = n / FEW + 1, count = 0;
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
    size_t n = s->network->parameters[c->p].size, nonzero = 0;
    if (!may_be_multiple(s, c->p, predicted)) return;
    for (size_t i = 0; i < n && nonzero < 2; i++)
        nonzero += predicted[i] != 0;
    double factor = fit_factor(n, 1, s->observed[c->p].values, predicted);
    if (nonzero < 2 || !(fabs(factor) >= 1e-9) || fabs(factor - 1) < NO_FACTOR) return;
    for (size_t i = 0; i < n; i++)
        s->weight_slope[i] = factor * predicted[i];
    struct match match = layer_match(s, c->p, s->weight_slope);
    size_t variant = hypothesis_factor_variant(OF_ONE_TENSOR, factor);
    struct choice named = {.mistake = NULL};
    hypothesis_name_factor(s, factor, true, &named);
    bool fits = match.fit != FIT_EXACT || named.off <= EXACT_FACTOR;
    if (fits && named.mistake != &mistake_clipped) offer(c, named.mistake, variant, match, factor);
    for (size_t i = 0; fits && i < named.alternative_count; i++)
        if (named.alternatives[i] != &mistake_clipped) offer(c, named.alternatives[i], variant, match, factor);
    offer(c, &mistake_constant_factor, variant, match, factor);
}

/* Another activation's step used for this tensor alone. */
static void offer_local(struct candidates *c, const struct step_call *call, const double *predicted)
{
    struct search *s = c->s;
    if (call->dh == NULL) return;
    size_t above = call->node + 1;
    struct step_call activation = layer_call(s, above);
    activation.in = call->out;
    activation.rows = call->rows;
    struct alternative made = {.value = s->local_value, .slope = s->local_slope};
    struct sketch sketch = sketch_new(s, call->node, call, &activation);
    bool weight = s->network->parameters[c->p].role->weight;
    struct rule rule = rule_first(s->network->nodes[above].layer->op, STEP_ACTIVATION);
    for (; rule.mistake != NULL; rule_next(&rule)) {
        if (!sketch_local(s, &sketch, &rule, weight ? SKETCH_WEIGHT : SKETCH_BIAS)) continue;
        if (!rule_make(&rule, &activation, &made) || made.has_slope) continue;
        if (weight && !sketch_weight(s, call, made.value)) continue;
        layer_gradient(s, call, c->p, made.value, s->weight_room);
        if (!match_differs(s->network->parameters[c->p].size, predicted, s->weight_room)) continue;
        offer_numbers(c, made.mistake, made.variant, s->weight_room);
    }
}

static void offer_rules(struct candidates *c, const struct step_call *call, bool weight)
{
    struct search *s = c->s;
    struct alternative made = {.value = s->weight_room, .slope = s->weight_slope};
    const struct op *op = s->network->nodes[call->node].layer->op;
    struct rule rule = rule_first(op, weight ? STEP_WEIGHT : STEP_BIAS);
    for (; rule.mistake != NULL; rule_next(&rule)) {
        if (!rule_make(&rule, call, &made)) continue;
        layer_add_l2(s, c->p, 1, made.value);
        struct match match = layer_match(s, c->p, made.value);
        if (s->observed[c->p].one_number && made.mistake == &mistake_bias_summed_over_units)
            match.digits = DIGITS_OF_A_SHAPE;
        offer(c, made.mistake, made.variant, match, NAN);
    }
}

/* What holds for weights and biases alike. */
static void offer_common(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = s->network->parameters[c->p].size;
    bool all_zero = true;
    for (size_t i = 0; i < n && all_zero; i++)
        all_zero = s->observed[c->p].values[i] == 0;
    if (all_zero) {
        memset(s->weight_room, 0, n * sizeof(double));
        offer_numbers(c, &mistake_all_zero, 0, s->weight_room);
    }
    offer_numbers(c, &mistake_parameter_as_gradient, 0, s->parameters[c->p]);
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
static void offer_transposed(struct candidates *c, const struct step_call *call, const double *predicted)
{
    struct search *s = c->s;
    const struct observed *o = &s->observed[c->p];
    size_t n = call->in * call->out;
    bool l2 = s->network->definition->l2 > 0 && !o->transposed;
    if (!l2 && !may_be_turned(s, call->in, call->out, predicted, o->values, o->bound)) return;
    tensor_transpose(call->in, call->out, predicted, s->weight_room);
    struct match match = match_numbers(&s->matching, n, o->values, s->weight_room, s->pass->gradients[c->p], o->bound);
    if (o->transposed) match.digits = DIGITS_OF_A_SHAPE;
    offer(c, &mistake_transposed, 0, match, NAN);
    /* Of a square matrix the same numbers come from writing it out in the wrong order. */
    if (!o->transposed) offer(c, &mistake_wrong_memory_order, 0, match, NAN);
    if (!l2) return;
    /* Transposed before l2's part was added. */
    memcpy(s->weight_slope, predicted, n * sizeof(double));
    layer_add_l2(s, c->p, -1, s->weight_slope);
    tensor_transpose(call->in, call->out, s->weight_slope, s->weight_room);
    layer_add_l2(s, c->p, 1, s->weight_room);
    offer_numbers(c, &mistake_transposed, 0, s->weight_room);
}

/* In memory as it was handed in: what is right there, rows by columns, is read column by column, or written so. */
static void offer_memory_orders(struct candidates *c, const struct step_call *call, const double *predicted)
{
    struct search *s = c->s;
    const struct observed *o = &s->observed[c->p];
    bool same_layout = o->values == o->raw;
    size_t n = call->in * call->out;
    size_t rows = same_layout ? call->in : call->out, columns = same_layout ? call->out : call->in;
    const double *ours = predicted, *reference = s->pass->gradients[c->p];
    if (!same_layout) {
        tensor_transpose(call->in, call->out, predicted, s->weight_room);
        tensor_transpose(call->in, call->out, reference, s->weight_slope);
        ours = s->weight_room;
        reference = s->weight_slope;
    }
    for (size_t variant = 0; variant < 2; variant++) {
        size_t r = variant == 0 ? rows : columns, k = variant == 0 ? columns : rows;
        if (!may_be_turned(s, r, k, ours, o->raw, o->bound)) continue;
        tensor_transpose(r, k, ours, s->weight_turned);
        struct match match = match_numbers(&s->matching, n, o->raw, s->weight_turned, reference, o->bound);
        offer(c, &mistake_wrong_memory_order, variant, match, NAN);
    }
}

static void offer_layouts(struct candidates *c, const struct step_call *call, const double *predicted)
{
    size_t n = call->in * call->out;
    if (c->s->observed[c->p].transposed || (call->in == call->out && n > 1))
        offer_transposed(c, call, predicted);
    else if (n != call->in && n != call->out) /* one row or column reads the same both ways */
        offer_memory_orders(c, call, predicted);
}

/* l2's part times another number: l2 * W / batch, 2 * l2 * W. No mistake has that for its name, but it is a constant
 * factor: not on the gradient, which the words for it must not say, but on one of its terms. */
static void offer_l2_factor(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = s->network->parameters[c->p].size, before = c->count;
    const double *student = s->observed[c->p].values;
    double *part = s->weight_slope, *left = s->weight_turned;
    memset(part, 0, n * sizeof *part);
    layer_add_l2(s, c->p, 1, part);
    for (size_t i = 0; i < n; i++)
        left[i] = student[i] - predicted[i];
    double factor = 1 + fit_factor(n, 1, left, part);
    /* 0 and -1 have names of their own, and whatever number is left of a single one is explained by some factor. */
    bool named = fabs(factor) < NO_FACTOR || fabs(factor - 1) < NO_FACTOR || fabs(factor + 1) < NO_FACTOR;
    if (n < 2 || isnan(factor) || named || s->matching.clip < HUGE_VAL) return;
    for (size_t i = 0; i < n; i++)
        s->weight_room[i] = predicted[i] + (factor - 1) * part[i];
    offer(c, &mistake_constant_factor, hypothesis_factor_variant(OF_L2, factor), layer_match(s, c->p, s->weight_room),
          factor);
    for (size_t i = before; i < c->count; i++)
        c->list[i].of_l2 = true;
}

/* l2's part left out, with the wrong sign or another factor; or put on a bias. */
static void offer_regularization(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    const struct parameter *parameter = &s->network->parameters[c->p];
    double l2 = s->network->definition->l2;
    if (l2 == 0) return;
    memcpy(s->weight_room, predicted, parameter->size * sizeof(double));
    if (!parameter->role->weight) {
        for (size_t i = 0; i < parameter->size; i++)
            s->weight_room[i] += l2 * s->parameters[c->p][i];
        offer_numbers(c, &mistake_bias_regularized, 0, s->weight_room);
        return;
    }
    layer_add_l2(s, c->p, -1, s->weight_room);
    offer_numbers(c, &mistake_regularization_missing, 0, s->weight_room);
    layer_add_l2(s, c->p, -1, s->weight_room);
    offer_numbers(c, &mistake_regularization_sign, 0, s->weight_room);
    offer_l2_factor(c, predicted);
}

/* Whether the factor on the loss is one on the finished gradient, l2's part included. */
static bool is_multiple_with_l2(struct search *s, size_t p, const double *predicted)
{
    double times = hypothesis_loss_times(s);
    if (!layer_has_l2(s, p) || times == 1) return false;
    memcpy(s->weight_room, predicted, s->network->parameters[p].size * sizeof(double));
    layer_add_l2(s, p, times - 1, s->weight_room);
    struct match match = layer_match(s, p, s->weight_room);
    if (match.fit != FIT_NONE) s->matches[p] = match;
    return match.fit != FIT_NONE;
}

bool layer_explain(struct search *s, const struct step_call *call, size_t p, const double *predicted)
{
    const struct observed *o = &s->observed[p];
    s->matches[p] = (struct match){.fit = FIT_EXACT};
    struct candidates c = {.s = s, .p = p};
    if (o->absent) {
        s->matches[p].fit = FIT_NONE;
        return true; /* says nothing for or against */
    }
    if (o->per_sample) {
        struct match match =
            match_numbers(&s->matching, call->rows * call->out, o->values, call->dy, call->dy, o->bound);
        match.digits = DIGITS_OF_A_SHAPE;
        offer(&c, &mistake_bias_not_summed, 0, match, NAN);
    } else if (o->transposed) {
        offer_layouts(&c, call, predicted);
    } else if (o->values != NULL) {
        s->matches[p] = layer_match(s, p, predicted);
        if (s->matches[p].fit != FIT_NONE && !o->one_number) return true;
        if (is_multiple_with_l2(s, p, predicted)) return true;
        if (!hypothesis_may_explain(s)) {
            s->matches[p].fit = FIT_NONE;
            return false;
        }
        bool weight = s->network->parameters[p].role->weight;
        if (weight) offer_layouts(&c, call, predicted);
        offer_rules(&c, call, weight);
        offer_regularization(&c, predicted);
        offer_common(&c, predicted);
        offer_local(&c, call, predicted);
    }
    s->matches[p].fit = FIT_NONE;
    return settle(&c);
}
