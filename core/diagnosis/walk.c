#include "core/diagnosis/walk.h"

#include <math.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/diagnosis/sketch.h"
#include "core/diagnosis/tensors.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/rules.h"

/* Slopes and learning rates that are often written down. */
enum { USUAL_NUMBERS = 8 };
static const double usual_numbers[USUAL_NUMBERS] = {0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1};

static bool out_of_time(struct search *s)
{
    if (clock_seconds() > s->deadline) s->stopped = true;
    if (s->cancelled != NULL && atomic_load_explicit(s->cancelled, memory_order_relaxed)) s->stopped = true;
    return s->stopped;
}

/* ---- the walk ---- */

static void descend(struct search *s, size_t node, bool right);

/* One op's own backward from dy into dx, without its parameters' gradients. */
static void send_right(const struct search *s, size_t node, const double *dy, double *dx)
{
    const struct node *n = &s->network->nodes[node];
    const struct pass *pass = s->pass;
    if (n->layer->op->kind == OP_LAYER && n->parameters[0] != PARAMETER_NONE) {
        struct step_call call = layer_call(s, node);
        pass->backend->gemm(false, true, call.rows, call.in, call.out, 1, dy, pass->parameters[n->parameters[0]], 0,
                            dx);
        return;
    }
    void *none[OP_PARAMETERS_MAX] = {0};
    struct op_call call = {.op = n->layer->op,
                           .backend = pass->backend,
                           .attributes = n->layer->attributes,
                           .batch = pass->batch,
                           .in = &n->in,
                           .out = &n->out,
                           .parameters = none,
                           .gradients = none,
                           .x = n->input == NODE_INPUT ? pass->x : pass->y[n->input],
                           .y = pass->y[node],
                           .dy = dy,
                           .dx = dx};
    call.op->backward(&call);
}

/* The right rule from a node to the one below it. */
static void go_right(struct search *s, size_t node, bool right)
{
    size_t below = s->network->nodes[node].input;
    s->gs[below] = NULL;
    if (right) {
        s->g[below] = s->pass->dy[below];
    } else {
        send_right(s, node, s->g[node], s->right_value[below]);
        s->g[below] = s->right_value[below];
        if (s->gs[node] != NULL) {
            send_right(s, node, s->gs[node], s->right_slope[below]);
            s->gs[below] = s->right_slope[below];
        }
    }
    descend(s, below, right);
}

static void at_activation(struct search *s, size_t node, bool right)
{
    size_t below = s->network->nodes[node].input, n = s->pass->batch * s->network->nodes[node].in_size;
    const double *slope_in = s->gs[node];
    go_right(s, node, right);
    if (s->stopped) return;
    const double *as_right = right ? s->pass->dy[below] : s->right_value[below];
    struct step_call call = layer_call(s, node);
    call.rows = n;
    call.in = 1;
    struct step_call layer;
    struct sketch sketch = {.narrow = false};
    if (slope_in == NULL && below != NODE_INPUT && s->network->nodes[below].parameters[0] != PARAMETER_NONE) {
        layer = layer_call(s, below);
        sketch = sketch_new(s, node, &layer, &call);
    }
    struct rule rule = rule_first(s->network->nodes[node].layer->op, STEP_ACTIVATION);
    for (; rule.mistake != NULL; rule_next(&rule)) {
        if (!hypothesis_has_room(s, &rule)) continue;
        if (out_of_time(s)) return;
        if (!sketch_rule(s, &sketch, &rule)) continue;
        struct alternative made = {.value = s->value[below], .slope = s->slope[below]};
        call.dy = s->g[node];
        if (!rule_make(&rule, &call, &made)) continue;
        if (slope_in != NULL && (made.has_slope || rule.mistake->nonlinear)) continue;
        if (!made.has_slope && !match_differs(n, as_right, made.value)) continue;
        size_t length = s->length;
        struct choice *choice = hypothesis_push(s, made.mistake, made.variant, node);
        if (choice == NULL) continue;
        s->g[below] = made.value;
        s->gs[below] = NULL;
        if (made.has_slope) {
            choice->has_factor = choice->fitted = true;
            s->pending = length;
            s->gs[below] = made.slope;
        } else if (slope_in != NULL) {
            struct alternative of_slope = {.value = s->slope[below], .slope = s->room};
            call.dy = slope_in;
            rule_make(&rule, &call, &of_slope);
            s->gs[below] = of_slope.value;
        }
        descend(s, below, false);
        hypothesis_pop_to(s, length);
    }
}

/* The sums of a least squares fit of what was handed in against value + c * slope: c = sb / bb. */
struct fit_sums {
    double sb, bb;
};

/* Those of one of this layer's tensors; zeros where it says nothing about c, or no c can fit it. */
static struct fit_sums fit_tensor(struct search *s, const struct step_call *call, size_t p)
{
    struct fit_sums sums = {0, 0};
    const struct observed *o = &s->observed[p];
    if (o->values == NULL || o->transposed) return sums;
    size_t n = o->per_sample ? call->rows * call->out : s->network->parameters[p].size;
    const double *value = s->g[call->node], *slope = s->gs[call->node];
    if (s->network->parameters[p].role->weight && !sketch_line(s, call, value, slope)) return sums;
    if (!o->per_sample) {
        layer_gradient(s, call, p, value, s->weight_room);
        layer_gradient(s, call, p, slope, s->weight_slope);
        layer_add_l2(s, p, -1, s->weight_slope);
        value = s->weight_room;
        slope = s->weight_slope;
    }
    for (size_t i = 0; i < n; i++) {
        sums.sb += (o->values[i] - value[i]) * slope[i];
        sums.bb += slope[i] * slope[i];
    }
    return sums;
}

/* The pending number as this layer's weight and bias together have it, as its bias alone and as its weight alone, since
 * the other may have a mistake of its own; NaN where one says nothing, or nothing new. */
static void fit_pending(struct search *s, const struct step_call *call, double c[3])
{
    const size_t *p = s->network->nodes[call->node].parameters;
    struct fit_sums weight = fit_tensor(s, call, p[0]), bias = {0, 0};
    if (p[1] != PARAMETER_NONE) bias = fit_tensor(s, call, p[1]);
    const struct fit_sums sums[3] = {{weight.sb + bias.sb, weight.bb + bias.bb}, bias, weight};
    for (size_t k = 0; k < 3; k++) {
        c[k] = sums[k].bb > 0 && isfinite(sums[k].sb) ? sums[k].sb / sums[k].bb : NAN;
        bool again = !(fabs(c[k]) >= 1e-9);
        for (size_t j = 0; j < k && !again; j++)
            again = hypothesis_near(c[k], c[j]);
        if (again) c[k] = NAN;
    }
}

/* Settles the unknown number of the pending choice at the first layer that shows it. */
static bool resolve(struct search *s, const struct step_call *call, double c)
{
    size_t at = s->pending, n = s->pass->batch * s->network->nodes[call->node].out_size;
    struct choice *choice = &s->path[at];
    s->pending = NOTHING_PENDING;
    if (choice->mistake == &mistake_constant_factor) {
        if (fabs(c - 1) < NO_FACTOR) return false;
        size_t variant = choice->variant;
        hypothesis_name_factor(s, c, choice->layer == LAYER_LOSS, choice);
        choice->variant = choice->layer == LAYER_LOSS ? variant : hypothesis_factor_variant(variant, c);
        if (!hypothesis_recount(s)) return false;
        if (choice->mistake == &mistake_constant_factor && choice->layer == LAYER_LOSS && s->budget > 1)
            hypothesis_name_two_factors(s, at, c);
        if (choice->layer != LAYER_LOSS) hypothesis_add_alternative(choice, &mistake_wrong_activation_derivative);
    } else {
        /* A slope or a learning rate is a number that somebody wrote down. */
        double round = hypothesis_round_number(c);
        if (isnan(round)) return false;
        choice->factor = c;
        choice->off = fabs(c / round - 1);
    }
    for (size_t i = 0; i < n; i++)
        s->resolved[call->node][i] = s->g[call->node][i] + c * s->gs[call->node][i];
    s->g[call->node] = s->resolved[call->node];
    s->gs[call->node] = NULL;
    return true;
}

/* One wrong way of sending the gradient back; rate is the learning rate of updated weights, NaN where it is to be found
 * out. */
static void send_one(struct search *s, const struct step_call *call, size_t below, const struct rule *rule, double rate,
                     const double *as_right)
{
    size_t n = s->pass->batch * s->network->nodes[call->node].in_size, length = s->length;
    if (!hypothesis_has_room(s, rule)) return;
    struct alternative made = {.value = s->value[below], .slope = s->slope[below]};
    if (!rule_make(rule, call, &made)) return;
    if (!made.has_slope && !match_differs(n, as_right, made.value)) return;
    struct choice *choice = hypothesis_push(s, made.mistake, made.variant, call->node);
    if (choice == NULL) return;
    s->g[below] = made.value;
    s->gs[below] = NULL;
    choice->has_factor = made.has_slope;
    choice->fitted = made.has_slope && isnan(rate);
    choice->factor = rate;
    if (made.has_slope && isnan(rate)) {
        s->pending = length;
        s->gs[below] = made.slope;
    }
    for (size_t i = 0; made.has_slope && !isnan(rate) && i < n; i++)
        made.value[i] += rate * made.slope[i];
    descend(s, below, false);
    hypothesis_pop_to(s, length);
}

static void send_wrong(struct search *s, struct step_call *call, size_t below, bool right)
{
    const double *as_right = right ? s->pass->dy[below] : s->right_value[below];
    const struct op *op = s->network->nodes[call->node].layer->op;
    struct rule rule = rule_first(op, STEP_SEND);
    for (; !s->stopped && rule.mistake != NULL; rule_next(&rule)) {
        bool updated = rule.mistake == &mistake_updated_weights_propagated;
        /* The learning rate is one for all layers: once it is known it goes on with that. */
        double rate = NAN;
        for (size_t i = 0; updated && i < s->length; i++)
            if (s->path[i].mistake == &mistake_updated_weights_propagated) rate = s->path[i].factor;
        send_one(s, call, below, &rule, rate, as_right);
        /* Below a second mistake the rate cannot always be read off; the usual ones are tried. */
        bool guess = updated && isnan(rate) && s->budget > 1 && !s->partial;
        for (size_t i = 0; guess && i < USUAL_NUMBERS && !s->stopped; i++)
            send_one(s, call, below, &rule, usual_numbers[i], as_right);
    }
}

/* Whether nothing below has parameters: what goes back from here is nobody's to see, and the walk ends. */
static bool is_lowest(const struct search *s, size_t node)
{
    return node <= s->network->numbered[0];
}

/* Compares this layer's own gradients, and goes on below where they speak for the hypothesis. */
static void compare_layer(struct search *s, size_t node, bool right)
{
    const struct node *n = &s->network->nodes[node];
    struct step_call call = layer_call(s, node);
    bool alive = right || s->matching.clip < HUGE_VAL || sketch_layer(s, &call);
    size_t lost = 0, own = 1 + (n->parameters[1] != PARAMETER_NONE);
    for (size_t r = 0; alive && r < OP_PARAMETERS_MAX; r++) {
        size_t p = n->parameters[r];
        if (p == PARAMETER_NONE) continue;
        const double *predicted = s->pass->gradients[p];
        if (!right) {
            double *made = r == 0 ? s->dW[node] : s->dW[node] + s->network->parameters[n->parameters[0]].size;
            layer_gradient(s, &call, p, call.dy, made);
            predicted = made;
        }
        size_t before = s->length;
        bool accounted = layer_explain(s, &call, p, predicted);
        /* What goes on with dW goes on with the student's, where that has a mistake of its own. */
        bool theirs = s->length > before && s->observed[p].values != NULL && !s->observed[p].transposed;
        if (r == 0) call.dW = theirs ? s->observed[p].values : predicted;
        lost += !accounted;
        alive = accounted || s->partial;
    }
    if (alive && lost == own && !right) alive = false; /* nothing here speaks for the hypothesis */
    if (alive && is_lowest(s, node)) {
        hypothesis_record(s);
    } else if (alive) {
        go_right(s, node, right);
        call.dy = s->g[node];
        if (!s->stopped) send_wrong(s, &call, n->input, right);
    }
}

/* Whether nothing was handed in for a layer. */
static bool is_silent(const struct search *s, size_t node)
{
    const size_t *p = s->network->nodes[node].parameters;
    return s->observed[p[0]].absent && (p[1] == PARAMETER_NONE || s->observed[p[1]].absent);
}

/* Goes on with c for the pending number, and then takes all of it back. */
static void try_number(struct search *s, const struct step_call *call, double c, bool right)
{
    size_t node = call->node, length = s->length, at = s->pending;
    const double *g = s->g[node], *gs = s->gs[node];
    const struct choice pending = s->path[at];
    if (resolve(s, call, c)) compare_layer(s, node, right);
    s->g[node] = g;
    s->gs[node] = gs;
    hypothesis_pop_to(s, length);
    s->path[at] = pending;
    s->pending = at;
    hypothesis_recount(s);
}

/* A layer that says nothing about the pending number: it may be read off below. A slope or a learning rate that is used
 * again before that cannot be; the usual ones are tried. */
static void pass_silent(struct search *s, const struct step_call *call, bool right)
{
    const struct node *n = &s->network->nodes[call->node];
    if (is_lowest(s, call->node)) return;
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++)
        if (n->parameters[r] != PARAMETER_NONE) s->matches[n->parameters[r]].fit = FIT_NONE;
    go_right(s, call->node, right);
    if (s->path[s->pending].mistake == &mistake_constant_factor) return;
    for (size_t i = 0; i < USUAL_NUMBERS && !s->stopped; i++)
        try_number(s, call, usual_numbers[i], right);
}

static void at_layer(struct search *s, size_t node, bool right)
{
    struct step_call call = layer_call(s, node);
    size_t length = s->length;
    if (s->gs[node] == NULL) {
        compare_layer(s, node, right);
        hypothesis_pop_to(s, length);
    } else if (is_silent(s, node)) {
        pass_silent(s, &call, right);
    } else {
        double c[3];
        fit_pending(s, &call, c);
        for (size_t k = 0; k < 3 && !s->stopped; k++)
            if (!isnan(c[k])) try_number(s, &call, c[k], right);
    }
}

static void descend(struct search *s, size_t node, bool right)
{
    if (out_of_time(s)) return;
    const struct node *n = &s->network->nodes[node];
    if (n->parameters[0] != PARAMETER_NONE)
        at_layer(s, node, right);
    else if (n->layer->op->kind == OP_ACTIVATION)
        at_activation(s, node, right);
    else
        go_right(s, node, right);
}

/* ---- from the loss ---- */

/* What the right gradient is multiplied by to give n numbers; 0 where they are no multiple of it. */
static double multiple_of(size_t n, const double *right, const double *value)
{
    size_t largest = 0;
    for (size_t i = 0; i < n; i++)
        if (fabs(right[i]) > fabs(right[largest])) largest = i;
    double times = value[largest] / right[largest];
    for (size_t i = 0; i < n; i++)
        if (!(fabs(value[i] - times * right[i]) <= 1e-12 * fabs(value[largest]))) return 0;
    return times;
}

/* Starts with scale * direction; the choices for it stand on the path already. */
static void start_with(struct search *s, const struct loss_direction *d, double scale, bool unknown)
{
    size_t last = s->network->node_count - 1, n = s->pass->batch * s->network->nodes[last].out_size;
    size_t from = d->past ? s->network->nodes[last].input : last;
    double *value = unknown ? s->right_slope[from] : s->resolved[last];
    for (size_t i = 0; i < n; i++)
        value[i] = scale * d->value[i];
    /* Another loss's gradient may be a mere multiple of the right one. */
    if (!unknown) s->path[s->length - 1].times = multiple_of(n, s->pass->dy[from], value);
    if (d->past) {
        s->g[last] = s->pass->dy[last];
        s->gs[last] = NULL;
    }
    s->g[from] = value;
    s->gs[from] = NULL;
    if (unknown) {
        s->pending = s->length - 1;
        s->path[s->pending].has_factor = s->path[s->pending].fitted = true;
        memset(s->right_value[from], 0, n * sizeof(double));
        s->g[from] = s->right_value[from];
        s->gs[from] = s->right_slope[from];
    }
    descend(s, from, false);
}

/* The right direction with the factors that have a name; where no other mistake is allowed, the fit finds them too. */
static void try_named_factors(struct search *s, const struct loss_direction *d)
{
    for (size_t i = 0; i < s->factor_count && !s->stopped; i++) {
        size_t length = s->length;
        struct choice *choice = hypothesis_push(s, s->factors[i].mistake, 0, LAYER_LOSS);
        if (choice == NULL) continue;
        hypothesis_name_factor(s, s->factors[i].value, true, choice);
        start_with(s, d, d->scales[0] * s->factors[i].value, false);
        hypothesis_pop_to(s, length);
    }
}

static void try_direction(struct search *s, const struct loss_direction *d, size_t variant)
{
    size_t length = s->length;
    for (size_t k = 0; d->mistake != NULL && k < d->scale_count && !s->stopped; k++) {
        struct choice *choice = hypothesis_push(s, d->mistake, variant, LAYER_LOSS);
        if (choice == NULL) return;
        choice->sample = d->sample;
        start_with(s, d, d->scales[k], false);
        hypothesis_pop_to(s, length);
    }
    struct choice *choice = d->mistake != NULL ? hypothesis_push(s, d->mistake, variant, LAYER_LOSS) : NULL;
    if (choice != NULL) choice->sample = d->sample;
    if ((d->mistake == NULL || choice != NULL) && hypothesis_push(s, &mistake_constant_factor, 0, LAYER_LOSS) != NULL)
        start_with(s, d, d->scale_count > 0 ? d->scales[0] : 1, true);
    hypothesis_pop_to(s, length);
}

static void at_loss(struct search *s)
{
    size_t last = s->network->node_count - 1;
    s->g[last] = s->pass->dy[last];
    s->gs[last] = NULL;
    descend(s, last, true);
    struct loss_direction d = {.value = s->loss_room,
                               .room = s->loss_room + s->pass->batch * s->network->nodes[last].out_size};
    direction_right(s->pass, &d);
    direction_add_scale(&d, network_scale(s->network, s->pass->batch));
    if (s->budget > 1 && !s->stopped) try_named_factors(s, &d);
    if (!s->stopped) try_direction(s, &d, 0);
    struct rule rule = rule_first(s->network->definition->loss.op, STEP_LOSS);
    for (; !s->stopped && rule.mistake != NULL; rule_next(&rule))
        if (rule_make_direction(&rule, s->pass, &d)) try_direction(s, &d, rule.variant);
}

/* The lowest layer such that it and all above it are right and say something: nothing above it needs a look. */
static bool lowest_right_layer(const struct search *s, size_t *node)
{
    bool found = false;
    for (size_t k = s->network->numbered_count; k-- > 0;) {
        const struct node *n = &s->network->nodes[s->network->numbered[k]];
        for (size_t r = 0; r < OP_PARAMETERS_MAX; r++)
            if (n->parameters[r] != PARAMETER_NONE && s->observed[n->parameters[r]].failing) return found;
        size_t p = n->parameters[0];
        const double *g = s->pass->gradients[p];
        bool says_something = false;
        for (size_t i = 0; i < s->network->parameters[p].size && !says_something; i++)
            says_something = fabs(g[i]) > s->matching.tolerance.atol * 10;
        if (!says_something) continue;
        found = true;
        *node = s->network->numbered[k];
    }
    return found;
}

void search_run(struct search *s, size_t budget, bool partial)
{
    s->budget = budget;
    s->partial = partial;
    hypothesis_pop_to(s, 0);
    s->pending = NOTHING_PENDING;
    for (size_t p = 0; p < s->network->parameter_count; p++)
        s->matches[p] = (struct match){.fit = FIT_EXACT};
    size_t node;
    if (!lowest_right_layer(s, &node)) {
        at_loss(s);
        return;
    }
    for (size_t i = node; i < s->network->node_count; i++) {
        s->g[i] = s->pass->dy[i];
        s->gs[i] = NULL;
    }
    descend(s, node, true);
    /* What passes within the tolerance may yet hide where the mistake begins. */
    if (s->best == NULL && !s->large && !s->stopped) at_loss(s);
}
