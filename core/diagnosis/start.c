#include "core/diagnosis/start.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/walk.h"

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
    const struct value *output = s->network->output;
    const struct node *last = output->made_by;
    const struct value *from = d->past ? last->inputs[0] : output;
    struct edge *edge = d->past ? flow_edge(&s->flow, last, 0) : NULL;
    size_t n = from->size;
    if (d->past && edge == NULL) return;
    double *value = s->loss_room + 3 * n, *zeros = value + n;
    for (size_t i = 0; i < n; i++)
        value[i] = scale * d->value[i];
    /* Another loss's gradient may be a mere multiple of the right one. */
    double times = unknown ? 0 : multiple_of(n, flow_right(&s->flow, from), value);
    if (fabs(times - 1) <= EXACT_FACTOR) return; /* nobody could see it */
    if (!unknown) s->now.path[s->now.length - 1].times = times;
    const double *g = value, *gs = NULL;
    if (unknown) {
        s->now.pending = s->now.length - 1;
        s->now.path[s->now.pending].has_factor = s->now.path[s->now.pending].fitted = true;
        memset(zeros, 0, n * sizeof *zeros);
        g = zeros;
        gs = value;
    }
    s->flow.g[output->index] = d->past ? flow_right(&s->flow, output) : g;
    s->flow.gs[output->index] = d->past ? NULL : gs;
    if (!d->past) {
        walk_at(s, last);
        return;
    }
    edge->g = g;
    edge->gs = gs;
    s->now.past = true;
    walk_below(s, last);
    s->now.past = false;
}

/* The right direction with the factors that have a name; where no other mistake is allowed, the fit finds them too. */
static void try_named_factors(struct search *s, const struct loss_direction *d)
{
    for (size_t i = 0; i < s->factor_count && !s->stopped; i++) {
        size_t length = s->now.length;
        struct choice *choice = hypothesis_push(s, s->factors[i].mistake, 0, NULL, NULL);
        if (choice == NULL) continue;
        factors_name(s, s->factors[i].value, true, choice);
        start_with(s, d, d->scales[0] * s->factors[i].value, false);
        hypothesis_pop_to(s, length);
    }
}

static void try_direction(struct search *s, const struct loss_direction *d, size_t variant)
{
    size_t length = s->now.length;
    for (size_t k = 0; d->mistake != NULL && k < d->scale_count && !s->stopped; k++) {
        struct choice *choice = hypothesis_push(s, d->mistake, variant, NULL, NULL);
        if (choice == NULL) return;
        choice->sample = d->sample;
        choice->scale = d->scales[k];
        start_with(s, d, d->scales[k], false);
        hypothesis_pop_to(s, length);
    }
    struct choice *choice = d->mistake != NULL ? hypothesis_push(s, d->mistake, variant, NULL, NULL) : NULL;
    if (choice != NULL) {
        choice->sample = d->sample;
        choice->scale = d->scales[0];
    }
    if ((d->mistake == NULL || choice != NULL) && hypothesis_push(s, &mistake_constant_factor, 0, NULL, NULL) != NULL)
        start_with(s, d, d->scale_count > 0 ? d->scales[0] : 1, true);
    hypothesis_pop_to(s, length);
}

/* Whether a gradient that is begun with at the last activation's input is the right one there, but for a factor: a
 * shortcut that is right is no mistake. Nor is one where nothing that is graded lies behind. */
static bool is_right_past(const struct search *s, const struct loss_direction *d)
{
    const struct value *from = s->network->output->made_by->inputs[0];
    const double *right = flow_right(&s->flow, from);
    return d->past && (right == NULL || multiple_of(from->size, right, d->value) != 0);
}

static void at_loss(struct search *s)
{
    const struct value *output = s->network->output;
    s->flow.g[output->index] = flow_right(&s->flow, output);
    s->flow.gs[output->index] = NULL;
    walk_at(s, output->made_by);
    struct loss_direction d = {.value = s->loss_room, .room = s->loss_room + output->size};
    direction_right(&s->loss, &d);
    direction_add_scale(&d, s->loss.factor);
    if (s->now.budget > 1 && !s->stopped) try_named_factors(s, &d);
    if (!s->stopped) try_direction(s, &d, 0);
    struct rule rule = rule_first(s->loss.call->op, STEP_LOSS, 0);
    for (; !s->stopped && rule.mistake != NULL; rule_next(&rule))
        if (rule_make_direction(&rule, &s->loss, &d) && !is_right_past(s, &d)) try_direction(s, &d, rule.variant);
}

/* The lowest node such that all that comes back below goes through it, and it and all behind it are right and say
 * something: nothing behind it needs a look. NULL where there is none. */
static const struct node *lowest_right_node(const struct search *s)
{
    const struct node *lowest = NULL;
    for (size_t i = s->network->graph.node_count; i-- > 0;) {
        const struct node *node = s->network->graph.nodes[i];
        bool says_something = false, first = true;
        for (size_t k = 0; k < node->input_count; k++) {
            size_t p = step_completes(s, node, k);
            if (p == PARAMETER_NONE) continue;
            if (s->observed[p].failing) return lowest;
            const double *g = search_right(s, p);
            if (s->observed[p].absent) continue;
            for (size_t e = 0; first && e < search_size(s, p) && !says_something; e++)
                says_something = fabs(g[e]) > s->observed[p].tolerance.atol * 10;
            first = false;
        }
        if (says_something && s->flow.cut[i]) lowest = node;
    }
    return lowest;
}

void start_run(struct search *s, size_t budget, bool partial)
{
    s->now.budget = budget;
    s->now.partial = partial;
    hypothesis_pop_to(s, 0);
    s->now.past = false;
    s->now.pending = NOTHING_PENDING;
    s->flow.trail_length = 0;
    for (size_t p = 0; p < search_count(s); p++)
        s->now.matches[p] = (struct match){.fit = FIT_EXACT};
    const struct node *node = lowest_right_node(s);
    if (node == NULL) {
        at_loss(s);
        return;
    }
    flow_set_right(&s->flow);
    walk_at(s, node);
    /* What passes within the tolerance may yet hide where the mistake begins. */
    if (s->best == NULL && !s->large && !s->stopped) at_loss(s);
}
