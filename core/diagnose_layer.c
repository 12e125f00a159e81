#include "core/diagnose_layer.h"

#include <math.h>
#include <string.h>

#include "core/diagnose_path.h"

/* The variant of a factor on one tensor: another kind than the same factor on the loss. */
enum { OF_ONE_TENSOR = 1000 };

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

static struct match match_at(const struct search *s, size_t p, const double *predicted)
{
    return match_numbers(&s->matching, s->network->parameters[p].size, s->observed[p].values, predicted,
                         s->pass->gradients[p]);
}

/* What may account for one tensor alone. */
struct candidate {
    const struct mistake *mistake;
    size_t variant;
    struct match match;
    double factor; /* NaN where there is none */
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
    c->list[c->count++] = (struct candidate){mistake, variant, match, factor};
}

static bool is_on_path(const struct search *s, const struct candidate *candidate)
{
    for (size_t i = 0; i < s->length; i++)
        if (path_same_kind(&s->path[i], candidate->mistake, candidate->variant)) return true;
    return false;
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
    struct choice *choice = path_push(s, best->mistake, best->variant, s->network->parameters[c->p].node);
    if (choice == NULL) return false;
    choice->parameter = c->p;
    choice->has_factor = !isnan(best->factor);
    choice->fitted = choice->has_factor && best->mistake == &mistake_constant_factor;
    choice->factor = best->factor;
    if (best->mistake->step == STEP_ACTIVATION) choice->layer++; /* the activation right behind the layer */
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].match.fit == best->match.fit) path_add_alternative(choice, c->list[i].mistake);
    s->matches[c->p] = best->match;
    return true;
}

static void offer_numbers(struct candidates *c, const struct mistake *mistake, size_t variant, const double *predicted)
{
    offer(c, mistake, variant, match_at(c->s, c->p, predicted), NAN);
}

/* A tensor that is a multiple of what it should be. */
static void offer_factor(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = s->network->parameters[c->p].size, nonzero = 0;
    const double *student = s->observed[c->p].values;
    double sp = 0, pp = 0;
    for (size_t i = 0; i < n; i++) {
        sp += student[i] * predicted[i];
        pp += predicted[i] * predicted[i];
        nonzero += predicted[i] != 0;
    }
    if (!(pp > 0) || nonzero < 2) return;
    double factor = sp / pp;
    if (fabs(factor) < 1e-9) return;
    for (size_t i = 0; i < n; i++)
        s->weight_slope[i] = factor * predicted[i];
    struct match match = match_at(s, c->p, s->weight_slope);
    size_t variant = path_factor_variant(OF_ONE_TENSOR, factor);
    struct choice named = {.mistake = NULL};
    path_name_factor(s, factor, true, &named);
    if (named.mistake != &mistake_clipped) offer(c, named.mistake, variant, match, factor);
    for (size_t i = 0; i < named.alternative_count; i++)
        if (named.alternatives[i] != &mistake_clipped) offer(c, named.alternatives[i], variant, match, factor);
    offer(c, &mistake_constant_factor, variant, match, factor);
}

/* Whether one random combination of the rows of dW, from that dz, is near enough to that of the rows that were handed
 * in: at the cost of a bias's gradient. False where dW cannot be what was handed in; true proves nothing. */
static bool combination_fits(struct search *s, const struct step_call *call, const double *dz)
{
    const double *projected = s->projected[call->node], *wanted = s->wanted[call->node];
    double *sum = s->combined;
    memset(sum, 0, call->out * sizeof(double));
    for (size_t i = 0; i < call->rows; i++)
        for (size_t j = 0; j < call->out; j++)
            sum[j] += projected[i] * dz[i * call->out + j];
    double margin = wanted[call->out];
    for (size_t j = 0; j < call->out; j++)
        if (!(fabs(sum[j] - wanted[j]) <= margin)) return false;
    return true;
}

/* Another activation's step used for this tensor alone. */
/* Whether two results differ by more than rounding. */
static bool differs(size_t n, const double *a, const double *b)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fabs(a[i]) > largest ? fabs(a[i]) : largest;
        difference = fabs(a[i] - b[i]) > difference ? fabs(a[i] - b[i]) : difference;
    }
    return difference > 1e-12 * largest;
}

static void offer_local(struct candidates *c, const struct step_call *call, const double *predicted)
{
    struct search *s = c->s;
    if (call->dh == NULL) return;
    size_t above = call->node + 1;
    struct step_call activation = layer_call(s, above);
    activation.in = call->out;
    activation.rows = call->rows;
    struct alternative made = {.value = s->local_value, .slope = s->local_slope};
    for (size_t v = 0;; v++) {
        enum rule_outcome outcome = rules_activation(&activation, v, &made);
        if (outcome == RULE_END) return;
        if (outcome == RULE_SKIP || made.has_slope) continue;
        bool weight = s->network->parameters[c->p].role->weight && s->matching.clip == HUGE_VAL;
        if (weight && !combination_fits(s, call, made.value)) continue;
        layer_gradient(s, call, c->p, made.value, s->weight_room);
        if (!differs(s->network->parameters[c->p].size, predicted, s->weight_room)) continue;
        offer_numbers(c, made.mistake, v, s->weight_room);
    }
}

static void offer_rules(struct candidates *c, const struct step_call *call, bool weight)
{
    struct search *s = c->s;
    struct alternative made = {.value = s->weight_room, .slope = s->weight_slope};
    for (size_t v = 0;; v++) {
        enum rule_outcome outcome = weight ? rules_weight(call, v, &made) : rules_bias(call, v, &made);
        if (outcome == RULE_END) return;
        if (outcome == RULE_SKIP) continue;
        layer_add_l2(s, c->p, 1, made.value);
        struct match match = match_at(s, c->p, made.value);
        if (s->observed[c->p].one_number && made.mistake == &mistake_bias_summed_over_units)
            match.digits = DIGITS_OF_A_SHAPE;
        offer(c, made.mistake, v, match, NAN);
    }
}

/* What holds for weights and biases alike. */
static void offer_common(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    size_t n = s->network->parameters[c->p].size;
    memset(s->weight_room, 0, n * sizeof(double));
    bool all_zero = true;
    for (size_t i = 0; i < n; i++)
        all_zero = all_zero && s->observed[c->p].values[i] == 0;
    if (all_zero) offer_numbers(c, &mistake_all_zero, 0, s->weight_room);
    offer_numbers(c, &mistake_parameter_as_gradient, 0, s->parameters[c->p]);
    offer_factor(c, predicted);
}

static void offer_layouts(struct candidates *c, const struct step_call *call, const double *predicted)
{
    struct search *s = c->s;
    const struct observed *o = &s->observed[c->p];
    size_t n = call->in * call->out;
    /* One row or column reads the same both ways, but for its shape. */
    if (!o->transposed && (n == call->in || n == call->out)) return;
    const double *right = s->pass->gradients[c->p];
    tensor_transpose(call->in, call->out, predicted, s->weight_room);
    if (o->transposed || call->in == call->out) {
        struct match match = match_numbers(&s->matching, n, o->values, s->weight_room, right);
        if (o->transposed) match.digits = DIGITS_OF_A_SHAPE;
        offer(c, &mistake_transposed, 0, match, NAN);
        if (s->network->definition->l2 == 0 || o->transposed) return;
        /* Transposed before l2's part was added. */
        memcpy(s->weight_slope, predicted, n * sizeof(double));
        layer_add_l2(s, c->p, -1, s->weight_slope);
        tensor_transpose(call->in, call->out, s->weight_slope, s->weight_room);
        layer_add_l2(s, c->p, 1, s->weight_room);
        offer_numbers(c, &mistake_transposed, 0, s->weight_room);
        return;
    }
    /* In memory as it was handed in: what is right there, r by c, is read column by column, or written so. */
    bool same_layout = o->values == o->raw;
    size_t rows = same_layout ? call->in : call->out, columns = same_layout ? call->out : call->in;
    const double *ours = same_layout ? predicted : s->weight_room;
    tensor_transpose(call->in, call->out, right, s->weight_slope);
    const double *reference = same_layout ? right : s->weight_slope;
    double *turned = s->weight_turned;
    tensor_transpose(rows, columns, ours, turned);
    offer(c, &mistake_wrong_memory_order, 0, match_numbers(&s->matching, n, o->raw, turned, reference), NAN);
    tensor_transpose(columns, rows, ours, turned);
    offer(c, &mistake_wrong_memory_order, 1, match_numbers(&s->matching, n, o->raw, turned, reference), NAN);
}

/* Accounts for one tensor under the hypothesis: as it is, or by a mistake of its own. False where nothing reproduces
 * it. */
bool layer_explain(struct search *s, const struct step_call *call, size_t p, const double *predicted)
{
    const struct observed *o = &s->observed[p];
    const struct parameter *parameter = &s->network->parameters[p];
    s->unexplained[p] = false;
    s->matches[p] = (struct match){.fit = FIT_EXACT};
    struct candidates c = {.s = s, .p = p};
    if (o->absent) {
        s->unexplained[p] = true;
        return true; /* says nothing for or against */
    }
    if (o->per_sample) {
        struct match match = match_numbers(&s->matching, call->rows * call->out, o->values, call->dy, call->dy);
        match.digits = DIGITS_OF_A_SHAPE;
        offer(&c, &mistake_bias_not_summed, 0, match, NAN);
    } else if (o->transposed) {
        offer_layouts(&c, call, predicted);
    } else if (o->values != NULL) {
        s->matches[p] = match_at(s, p, predicted);
        if (s->matches[p].fit != FIT_NONE && !o->one_number) return true;
        if (!path_may_explain(s)) {
            s->unexplained[p] = true;
            return false;
        }
        bool weight = parameter->role->weight;
        if (weight) offer_layouts(&c, call, predicted);
        offer_rules(&c, call, weight);
        double l2 = s->network->definition->l2;
        for (int times = -1; l2 > 0 && times >= -2; times--) {
            memcpy(s->weight_room, predicted, parameter->size * sizeof(double));
            if (weight) layer_add_l2(s, p, times, s->weight_room);
            for (size_t i = 0; !weight && i < parameter->size; i++)
                s->weight_room[i] -= (double)(times + (times == -2)) * l2 * s->parameters[p][i];
            offer_numbers(&c,
                          weight ? (times == -1 ? &mistake_regularization_missing : &mistake_regularization_sign)
                                 : &mistake_bias_regularized,
                          0, s->weight_room);
        }
        offer_common(&c, predicted);
        offer_local(&c, call, predicted);
    }
    if (settle(&c)) return true;
    s->unexplained[p] = true;
    return false;
}

/* A first look: false where what was handed in cannot be the hypothesis's own; true proves nothing. */
static bool looks_right(struct search *s, const struct step_call *call, size_t r, size_t p)
{
    const struct observed *o = &s->observed[p];
    if (o->absent) return true;
    if (o->values == NULL || o->transposed || o->per_sample) return false;
    if (r == 1) {
        call->pass->backend->sum_rows(call->rows, call->out, call->dy, s->weight_room);
        return match_at(s, p, s->weight_room).fit != FIT_NONE;
    }
    return combination_fits(s, call, call->dy);
}

/* The same combination of the rows that were handed in, less l2's part, and behind it how far off it may be. */
void layer_prepare_wanted(struct search *s, const struct step_call *call, size_t p, double *wanted)
{
    const struct observed *o = &s->observed[p];
    const double *W = s->parameters[p];
    double l2 = s->network->definition->l2, largest = 0;
    memset(wanted, 0, (call->out + 1) * sizeof(double));
    if (o->values == NULL || o->transposed) return;
    for (size_t k = 0; k < call->in; k++)
        for (size_t j = 0; j < call->out; j++) {
            double value = o->values[k * call->out + j];
            wanted[j] += s->signs[k] * (value - l2 * W[k * call->out + j]);
            largest = fabs(value) > largest ? fabs(value) : largest;
        }
    double each =
        1e-5 * largest + 1e-6 * s->matching.scale + s->matching.tolerance.atol + s->matching.tolerance.rtol * largest;
    wanted[call->out] = each * (double)call->in;
}

/* Whether the layer is worth a closer look under the hypothesis. */
bool layer_is_worth_it(struct search *s, const struct step_call *call)
{
    const struct node *n = &s->network->nodes[call->node];
    bool weight = looks_right(s, call, 0, n->parameters[0]);
    bool bias = n->parameters[1] == PARAMETER_NONE ? weight : looks_right(s, call, 1, n->parameters[1]);
    if (weight && bias) return true;
    if (!path_may_explain(s) && !s->partial) return false;
    return weight || bias || !s->large;
}
