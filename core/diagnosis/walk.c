#include "core/diagnosis/walk.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/explain.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/number.h"
#include "core/diagnosis/sketch.h"
#include "core/graph/intermediates.h"

/* Slopes and learning rates that are often written down. */
enum { USUAL_NUMBERS = 8 };
static const double usual_numbers[USUAL_NUMBERS] = {0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1};

static void try_inputs(struct search *s, const struct step_call *call, const struct node *node, size_t from);

/* A value that more nodes take is not looked at for what one of them alone sends. */
enum { ALONE_MAX = 16 };

/* ---- what a node sends to one of its inputs ---- */

/* The place of a step: its node, the input, and what the right rule sends there. */
struct sending {
    const struct node *node;
    size_t input;
    struct edge *edge;
    const double *as_right;
};

/* Of an op with more inputs than that a wrong rule is tried at one of them, or at all, but not at some. */
enum { COMBINED_MAX = 3 };

/* Goes on below; and, where an op has few inputs, with wrong rules for the others as well. */
static void go_on(struct search *s, const struct step_call *call, const struct sending *at)
{
    walk_below(s, at->node);
    if (at->node->input_count <= COMBINED_MAX && !s->stopped) try_inputs(s, call, at->node, at->input + 1);
}

/* The learning rate, or the like, that a mistake was made with already; NaN where it was not. */
static double number_so_far(const struct search *s, const struct mistake *mistake)
{
    double number = NAN;
    for (size_t i = 0; mistake->one_number && i < s->now.length; i++)
        if (s->now.path[i].mistake == mistake) number = s->now.path[i].factor;
    return number;
}

/* One wrong rule; number is what its unknown number is taken for, NaN where that is to be found out. */
static void try_rule(struct search *s, const struct step_call *call, const struct sending *at, const struct rule *rule,
                     double number)
{
    struct edge *edge = at->edge;
    size_t n = edge->to->size, length = s->now.length;
    const double *slope_in = s->flow.gs[at->node->output->index];
    struct alternative made = {.value = edge->value, .slope = edge->slope};
    struct step_call step = *call;
    step.input = at->input;
    if (!hypothesis_has_room(s, rule) || !rule_make(rule, &step, &made)) return;
    /* One unknown number at a time, wherever it is on its way. */
    if (made.has_slope && s->now.pending != NOTHING_PENDING) return;
    if (slope_in != NULL && rule->mistake->nonlinear) return;
    if (!made.has_slope && !match_differs(n, at->as_right, made.value)) return;
    struct choice *choice = hypothesis_push(s, made.mistake, made.variant, at->node, edge->to);
    if (choice == NULL) return;
    choice->rarer = made.rarer;
    edge->g = made.value;
    edge->gs = NULL;
    if (made.has_slope) {
        choice->has_factor = true;
        choice->fitted = isnan(number);
        choice->factor = number;
        if (isnan(number)) s->now.pending = length;
        if (isnan(number)) edge->gs = made.slope;
        for (size_t i = 0; !isnan(number) && i < n; i++)
            made.value[i] += number * made.slope[i];
        if (!isnan(number) && !match_differs(n, at->as_right, made.value)) {
            hypothesis_pop_to(s, length);
            return;
        }
    } else if (slope_in != NULL) {
        struct alternative of_slope = {.value = edge->slope, .slope = s->spare};
        step.dy = slope_in;
        rule_make(rule, &step, &of_slope);
        edge->gs = of_slope.value;
    }
    go_on(s, call, at);
    hypothesis_pop_to(s, length);
}

/* All wrong rules of the op for this input. A number that is one for all places is known once it was found; below a
 * second mistake it cannot always be read off, and the usual ones are tried. */
static void try_rules(struct search *s, const struct step_call *call, const struct sending *at,
                      const struct sketch *sketch)
{
    struct rule rule = rule_first(at->node->op, STEP_INPUT, at->input);
    for (; rule.mistake != NULL; rule_next(&rule)) {
        if (!hypothesis_has_room(s, &rule)) continue;
        if (search_is_over(s)) return;
        if (sketch != NULL && !sketch_rule(s, sketch, at->node, &rule)) continue;
        double number = number_so_far(s, rule.mistake);
        try_rule(s, call, at, &rule, number);
        bool guess = rule.mistake->one_number && isnan(number) && s->now.budget > 1 && !s->now.partial;
        for (size_t i = 0; guess && i < USUAL_NUMBERS && !s->stopped; i++)
            try_rule(s, call, at, &rule, usual_numbers[i]);
    }
}

/* Where an op takes several values: one of them gets nothing. */
static void try_nothing(struct search *s, const struct step_call *call, const struct sending *at)
{
    size_t others = 0, length = s->now.length;
    for (size_t k = 0; k < at->node->input_count; k++)
        others += k != at->input && op_slot(at->node->op, k)->role == SLOT_INPUT;
    if (others == 0) return;
    memset(at->edge->value, 0, at->edge->to->size * sizeof *at->edge->value);
    if (!match_differs(at->edge->to->size, at->as_right, at->edge->value)) return;
    if (hypothesis_push(s, &mistake_contribution_missing, 1 + at->edge->to->index, at->node, at->edge->to) == NULL)
        return;
    at->edge->g = at->edge->value;
    at->edge->gs = NULL;
    go_on(s, call, at);
    hypothesis_pop_to(s, length);
}

/* A layer whose weight can be looked at, right below an activation that alone takes its output. */
static bool may_sketch(const struct search *s, const struct sending *at)
{
    const struct value *between = at->edge->to;
    return at->node->op->kind == OP_ACTIVATION && between->made_by != NULL && between->use_count == 1 &&
           s->flow.gs[at->node->output->index] == NULL && step_own(s, between->made_by).product != PARAMETER_NONE;
}

/* Whether a node sends on to an input: something that is graded lies behind it, and it is not compared itself. */
static bool sends_on(const struct search *s, const struct node *node, size_t input)
{
    return flow_edge(&s->flow, node, input) != NULL && node->inputs[input]->kind != VALUE_PARAMETER;
}

/* One rule at all inputs at once. */
static void try_at_all(struct search *s, const struct step_call *call, const struct node *node)
{
    struct rule rule = rule_first(node->op, STEP_INPUT, ANY_INPUT);
    size_t length = s->now.length;
    if (s->flow.gs[node->output->index] != NULL) return;
    for (; rule.mistake != NULL && !search_is_over(s); rule_next(&rule)) {
        bool made_all = hypothesis_has_room(s, &rule);
        for (size_t k = 0; made_all && k < node->input_count; k++) {
            if (!sends_on(s, node, k)) continue;
            struct edge *edge = flow_edge(&s->flow, node, k);
            struct alternative made = {.value = edge->value, .slope = edge->slope};
            struct step_call step = *call;
            step.input = k;
            made_all = rule_make(&rule, &step, &made) && !made.has_slope &&
                       hypothesis_push(s, made.mistake, made.variant, node, edge->to) != NULL;
            edge->g = made.value;
            edge->gs = NULL;
        }
        if (made_all) walk_below(s, node);
        hypothesis_pop_to(s, length);
    }
    for (size_t k = 0; k < node->input_count; k++)
        if (sends_on(s, node, k)) flow_send_right(&s->flow, flow_edge(&s->flow, node, k));
}

/* The activation between a layer whose weight can be looked at and what takes its output: tried on a few units first.
 */
static void try_sketched(struct search *s, const struct step_call *call, const struct sending *at)
{
    if (!may_sketch(s, at)) {
        try_rules(s, call, at, NULL);
        return;
    }
    const struct node *below = at->edge->to->made_by;
    struct step_call layer = step_at(s, below);
    struct sketch sketch = sketch_new(s, at->node, below, &layer, call);
    try_rules(s, call, at, &sketch);
}

/* Wrong rules at the inputs of a node from that one on, the others being sent what they are sent. */
static void try_inputs(struct search *s, const struct step_call *call, const struct node *node, size_t from)
{
    for (size_t k = from; k < node->input_count && !s->stopped; k++) {
        if (!sends_on(s, node, k)) continue;
        struct sending at = {.node = node, .input = k, .edge = flow_edge(&s->flow, node, k)};
        flow_send_right(&s->flow, at.edge);
        at.as_right = at.edge->g;
        try_sketched(s, call, &at);
        if (!s->stopped && s->flow.gs[node->output->index] == NULL) try_nothing(s, call, &at);
        flow_send_right(&s->flow, at.edge);
    }
}

/* What a node sends to its inputs: all by the right rules, and then by wrong ones. What the loss does not depend on
 * sends nothing, by whatever rule. */
static void send(struct search *s, const struct step_call *call, const struct node *node)
{
    for (size_t k = 0; k < node->input_count; k++)
        if (sends_on(s, node, k)) flow_send_right(&s->flow, flow_edge(&s->flow, node, k));
    walk_below(s, node);
    if (s->stopped || s->flow.dead[node->index]) return;
    try_inputs(s, call, node, 0);
    if (node->input_count > COMBINED_MAX && !s->stopped) try_at_all(s, call, node);
}

/* ---- what is graded at a node ---- */

/* What comes to a parameter in all, under the hypothesis, with l2's part. */
static const double *predict(struct search *s, const struct node *node, size_t input, size_t p)
{
    const struct value *value = node->inputs[input];
    struct edge *edge = flow_edge(&s->flow, node, input);
    size_t count;
    flow_send_right(&s->flow, edge);
    flow_into(&s->flow, value, &count);
    flow_gather(&s->flow, value);
    if (flow_is_right(&s->flow, value)) return search_right(s, p);
    double *made = count > 1 ? s->flow.total[value->index] : edge->right_value;
    search_add_l2(s, p, 1, made);
    return made;
}

/* Whether a tensor that the hypothesis does not account for may be left so: where not all has to be explained. But what
 * is right speaks against a mistake that would spoil it, unless that was made right behind its node: such a step is
 * often taken for one tensor alone. */
static bool may_stay_open(const struct search *s, const struct node *node, size_t p)
{
    if (!s->now.partial || s->observed[p].failing) return s->now.partial;
    const struct node *behind = network_activation(node->output);
    for (size_t i = s->now.length; i-- > 0;) {
        const struct choice *choice = &s->now.path[i];
        if (choice->parameter == PARAMETER_NONE && search_reaches(s, choice, p))
            return behind != NULL && choice->node == behind;
    }
    return true;
}

/* Compares this node's own gradients, and goes on below where they speak for the hypothesis. */
static void compare(struct search *s, const struct node *node)
{
    bool right = flow_is_right(&s->flow, node->output);
    struct step_call call = node->op->kind == OP_ACTIVATION ? step_at_activation(s, node) : step_at(s, node);
    bool alive = right || s->matching.clip < HUGE_VAL || sketch_node(s, node, &call);
    size_t lost = 0, own = 0;
    for (size_t k = 0; alive && k < node->input_count; k++) {
        if (node->inputs[k] == NULL || node->inputs[k]->kind != VALUE_PARAMETER) continue;
        size_t p = step_completes(s, node, k);
        if (p == PARAMETER_NONE) {
            flow_send_right(&s->flow, flow_edge(&s->flow, node, k));
            if (k == 1) call.dW = flow_edge(&s->flow, node, k)->g;
            continue;
        }
        size_t before = s->now.length;
        const double *predicted = predict(s, node, k, p);
        bool accounted = explain_tensor(s, &call, p, predicted);
        /* What goes on with dW goes on with the student's, where that has a mistake of its own; */
        bool theirs = s->now.length > before && s->observed[p].values != NULL && !s->observed[p].transposed;
        if (k == 1) call.dW = theirs ? s->observed[p].values : predicted;
        if (k == 1 && s->now.of_tensors > 0) call.dW_unspoilt = predicted; /* or before it had that mistake */
        own++;
        lost += !accounted;
        alive = accounted || may_stay_open(s, node, p);
    }
    if (alive && own > 0 && lost == own && !right) alive = false; /* nothing here speaks for the hypothesis */
    if (alive) send(s, &call, node);
}

/* Whether nothing was handed in for what is graded at a node. */
static bool is_silent(const struct search *s, const struct node *node)
{
    for (size_t k = 0; k < node->input_count; k++) {
        size_t p = step_completes(s, node, k);
        if (p != PARAMETER_NONE && !s->observed[p].absent) return false;
    }
    return true;
}

/* ---- a number that is not settled yet ---- */

/* Goes on with c for the pending number, and then takes all of it back. */
static void try_number(struct search *s, const struct node *node, double c)
{
    size_t v = node->output->index, length = s->now.length, at = s->now.pending, trail = s->flow.trail_length;
    const double *g = s->flow.g[v], *gs = s->flow.gs[v];
    const struct choice pending = s->now.path[at];
    if (number_settle(s, node, c)) compare(s, node);
    flow_unsettle(&s->flow, trail);
    s->flow.g[v] = g;
    s->flow.gs[v] = gs;
    hypothesis_pop_to(s, length);
    s->now.path[at] = pending;
    s->now.pending = at;
    hypothesis_recount(s);
}

/* Goes on by the right rules alone. */
static void go_right(struct search *s, const struct node *node)
{
    for (size_t k = 0; k < node->input_count; k++) {
        struct edge *edge = flow_edge(&s->flow, node, k);
        if (edge != NULL && edge->resolved != NULL) flow_send_right(&s->flow, edge); /* else it is but compared */
    }
    walk_below(s, node);
}

/* A node that says nothing about the pending number: it may be read off below. A slope or a learning rate that is used
 * again before that cannot be; the usual ones are tried. */
static void pass_silent(struct search *s, const struct node *node)
{
    bool more = false;
    for (size_t k = 0; k < node->input_count; k++) {
        size_t p = step_completes(s, node, k);
        if (p != PARAMETER_NONE) s->now.matches[p].fit = FIT_NONE;
        more = more || (flow_edge(&s->flow, node, k) != NULL && node->inputs[k]->kind != VALUE_PARAMETER);
    }
    if (!more) return;
    go_right(s, node);
    if (s->now.path[s->now.pending].mistake == &mistake_constant_factor) return;
    for (size_t i = 0; i < USUAL_NUMBERS && !s->stopped; i++)
        try_number(s, node, usual_numbers[i]);
}

/* ---- the walk ---- */

static bool has_own(const struct search *s, const struct node *node)
{
    for (size_t k = 0; k < node->input_count; k++)
        if (step_completes(s, node, k) != PARAMETER_NONE) return true;
    return false;
}

/* Whether the pending number shows at a node: in what comes to it, or in what others have sent to its tensors. */
static bool shows_number(const struct search *s, const struct node *node)
{
    size_t count;
    bool shows = s->flow.gs[node->output->index] != NULL;
    for (size_t k = 0; !shows && k < node->input_count; k++) {
        if (step_completes(s, node, k) == PARAMETER_NONE) continue;
        struct edge *const *into = flow_into(&s->flow, node->inputs[k], &count);
        for (size_t e = 1; e < count; e++) /* the first is this node's own, yet to be sent */
            shows = shows || into[e]->gs != NULL;
    }
    return shows;
}

/* A node, what comes back to its output being known. */
void walk_at(struct search *s, const struct node *node)
{
    size_t length = s->now.length;
    if (!has_own(s, node) || !shows_number(s, node)) {
        compare(s, node);
        hypothesis_pop_to(s, length);
    } else if (is_silent(s, node)) {
        pass_silent(s, node);
    } else {
        double c[NUMBERS_MAX];
        number_fit(s, node, c);
        for (size_t k = 0; k < NUMBERS_MAX && !s->stopped; k++)
            if (!isnan(c[k])) try_number(s, node, c[k]);
    }
}

/* A hypothesis about a value that several nodes take: how often what they send is added, all but one alike. */
struct sharing {
    const struct mistake *mistake;
    double of_one, of_others;
};

/* Follows it from the node that makes the value; the choices stand on the path already. */
static void follow_sharing(struct search *s, const struct node *node, const struct edge *one, const struct sharing *as)
{
    const struct value *value = node->output;
    flow_share(&s->flow, value, one, as->of_one, as->of_others);
    if (match_differs(value->size, s->flow.all[value->index], s->flow.g[value->index])) walk_at(s, node);
}

/* At a value that several nodes take: what one of them sends is left out or added twice, or is all that is left. */
static void try_consumers(struct search *s, const struct node *node)
{
    static const struct sharing missing = {&mistake_contribution_missing, 0, 1}, twice = {&mistake_sent_twice, 2, 1};
    const struct value *value = node->output;
    size_t count, length = s->now.length, variant = 1 + value->index;
    struct edge *const *into = flow_into(&s->flow, value, &count);
    for (size_t k = 0; count > 1 && k < count && !search_is_over(s); k++) {
        if (s->flow.dead[into[k]->node->index]) continue;
        struct choice *choice = hypothesis_push(s, missing.mistake, variant, into[k]->node, value);
        /* Of two, the one that is left may as well be the last that was assigned. */
        if (choice != NULL && count == 2 && k == 1) hypothesis_add_alternative(choice, &mistake_gradient_overwritten);
        if (choice != NULL) follow_sharing(s, node, into[k], &missing);
        hypothesis_pop_to(s, length);
        if (!s->stopped && hypothesis_push(s, twice.mistake, variant, into[k]->node, value) != NULL)
            follow_sharing(s, node, into[k], &twice);
        hypothesis_pop_to(s, length);
    }
    for (size_t k = 0; count > 2 && k < count && count <= ALONE_MAX && !search_is_over(s); k++) {
        /* The one that comes last on the way back is assigned last; where it is another, the others are missing. */
        const struct sharing alone = {k == 0 ? &mistake_gradient_overwritten : &mistake_contribution_missing, 1, 0};
        bool pushed = true;
        for (size_t other = 0; other < count && pushed; other++)
            if (k == 0 ? other == 0 : other != k)
                pushed = hypothesis_push(s, alone.mistake, variant, into[other]->node, value) != NULL;
        if (pushed) follow_sharing(s, node, into[k], &alone);
        hypothesis_pop_to(s, length);
    }
}

/* Data whose gradient is graded and complete, all nodes from that one on having sent. */
static bool compare_data(struct search *s, const struct node *node)
{
    for (size_t k = 0; k < node->input_count; k++) {
        const struct value *value = node->inputs[k];
        if (value == NULL || value->kind != VALUE_DATA || !step_is_last_to(s, node, k)) continue;
        size_t p = search_graded(s, node, k);
        if (p == PARAMETER_NONE) continue;
        flow_gather(&s->flow, value);
        if (s->flow.gs[value->index] != NULL) return false; /* its number cannot be settled here */
        struct step_call call = step_at(s, node);
        bool accounted = explain_tensor(s, &call, p, s->flow.g[value->index]);
        if (!accounted && !(s->now.partial && s->observed[p].failing)) return false;
    }
    return true;
}

/* All that lies before a node, once that has sent what it sends. */
void walk_below(struct search *s, const struct node *node)
{
    size_t length = s->now.length, i = node->index;
    if (search_is_over(s)) return;
    if (compare_data(s, node)) {
        while (i > 0 && !s->flow.needed[i - 1])
            i--;
        if (i == 0) {
            hypothesis_record(s);
        } else {
            const struct node *next = s->network->graph.nodes[i - 1];
            flow_gather(&s->flow, next->output);
            walk_at(s, next);
            if (!s->stopped) try_consumers(s, next);
        }
    }
    hypothesis_pop_to(s, length);
}
