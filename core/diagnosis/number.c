#include "core/diagnosis/number.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/sketch.h"

/* The sums of a least squares fit of what was handed in against value + c * slope: c = sb / bb. */
struct fit_sums {
    double sb, bb;
};

/* Those of one of a node's tensors; zeros where it says nothing about c, or no c can fit it. */
static struct fit_sums fit_tensor(struct search *s, const struct step_call *call, const struct node *node, size_t input,
                                  size_t p)
{
    struct fit_sums sums = {0, 0};
    const struct observed *o = &s->observed[p];
    const double *value = s->flow.g[node->output->index], *slope = s->flow.gs[node->output->index];
    size_t n = search_size(s, p), count;
    flow_into(&s->flow, node->inputs[input], &count);
    if (o->values == NULL || o->transposed || (slope == NULL && count == 1)) return sums;
    if (o->per_sample && (count > 1 || !op_slot(node->op, input)->summed)) return sums;
    if (count == 1 && !sketch_line(s, p, call, value, slope)) return sums;
    if (o->per_sample) {
        n = node->output->size;
    } else if (count > 1) {
        flow_send_right(&s->flow, flow_edge(&s->flow, node, input));
        flow_gather(&s->flow, node->inputs[input]);
        value = memcpy(s->room, s->flow.g[node->inputs[input]->index], n * sizeof *s->room);
        slope = s->flow.gs[node->inputs[input]->index];
        search_add_l2(s, p, 1, s->room);
    } else {
        flow_send(&s->flow, node, input, value, s->room);
        flow_send(&s->flow, node, input, slope, s->room_slope);
        search_add_l2(s, p, 1, s->room);
        value = s->room;
        slope = s->room_slope;
    }
    if (slope == NULL) return sums;
    for (size_t i = 0; i < n; i++) {
        sums.sb += (o->values[i] - value[i]) * slope[i];
        sums.bb += slope[i] * slope[i];
    }
    return sums;
}

void number_fit(struct search *s, const struct node *node, double c[NUMBERS_MAX])
{
    struct step_call call = step_at(s, node);
    struct fit_sums sums[NUMBERS_MAX] = {{0, 0}, {0, 0}, {0, 0}};
    bool first = true;
    for (size_t k = 0; k < node->input_count; k++) {
        size_t p = step_completes(s, node, k);
        if (p == PARAMETER_NONE) continue;
        struct fit_sums of = fit_tensor(s, &call, node, k, p), *part = &sums[first ? 2 : 1];
        sums[0] = (struct fit_sums){sums[0].sb + of.sb, sums[0].bb + of.bb};
        *part = (struct fit_sums){part->sb + of.sb, part->bb + of.bb};
        first = false;
    }
    for (size_t k = 0; k < NUMBERS_MAX; k++) {
        c[k] = sums[k].bb > 0 && isfinite(sums[k].sb) ? sums[k].sb / sums[k].bb : NAN;
        bool again = !(fabs(c[k]) >= 1e-9) || !isfinite(c[k]);
        for (size_t j = 0; j < k && !again; j++)
            again = written_near(c[k], c[j]);
        if (again) c[k] = NAN;
    }
}

/* Whether a number is the right one after all, a slope that the layer has: then no mistake was made. */
static bool is_right_number(const struct search *s, const struct choice *choice, double c)
{
    const struct node *node = choice->node;
    for (size_t k = 0; node != NULL && k < node->input_count; k++) {
        const struct edge *edge = flow_edge(&s->flow, node, k);
        if (edge == NULL || node->inputs[k] != choice->below) continue;
        const double *right = flow_is_right(&s->flow, node->output) ? edge->right : edge->right_value;
        for (size_t i = 0; i < edge->to->size; i++)
            s->spare[i] = edge->g[i] + (edge->gs != NULL ? c * edge->gs[i] : 0);
        return !match_differs(edge->to->size, right, s->spare);
    }
    return false;
}

bool number_settle(struct search *s, const struct node *node, double c)
{
    size_t at = s->now.pending;
    struct choice *choice = &s->now.path[at];
    s->now.pending = NOTHING_PENDING;
    if (choice->mistake == &mistake_constant_factor) {
        if (fabs(c - 1) < NO_FACTOR) return false;
        size_t variant = choice->variant;
        factors_name(s, c, search_at_loss(choice), choice);
        choice->variant = search_at_loss(choice) ? variant : factors_variant(variant, c);
        if (!hypothesis_recount(s)) return false;
        if (choice->mistake == &mistake_constant_factor && search_at_loss(choice) && s->now.budget > 1)
            factors_name_two(s, at, c);
        if (!search_at_loss(choice)) hypothesis_add_alternative(choice, &mistake_wrong_activation_derivative);
        if (!search_at_loss(choice) && written_near(c, 2)) hypothesis_add_alternative(choice, &mistake_sent_twice);
    } else {
        /* A slope or a learning rate is a number that somebody wrote down. */
        double round = written_round(c);
        if (isnan(round)) return false;
        choice->factor = c;
        choice->off = fabs(c / round - 1);
    }
    flow_settle(&s->flow, node->output, c);
    return choice->mistake == &mistake_constant_factor || !is_right_number(s, choice, c);
}
