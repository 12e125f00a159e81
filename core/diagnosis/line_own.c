#include "core/diagnosis/line_own.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/hypothesis.h"

/* ---- what follows ---- */

bool line_carry_new(const struct search *s, struct line_carry *carry)
{
    carry->own = arena_zeroed(s->arena, search_count(s), sizeof *carry->own);
    carry->reached = arena_zeroed(s->arena, s->network->graph.value_count, sizeof *carry->reached);
    return carry->own != NULL && carry->reached != NULL;
}

/* Whether a value is one that was handed in and shows the mistake: then it is where that was made. */
static bool shows(struct line_carry *carry, const struct line_flow *flow, const bool *explained,
                  const struct value *value)
{
    size_t p = flow->s->graded_of[value->index];
    if (p == PARAMETER_NONE || !explained[p]) return false;
    carry->own[p] = true;
    return true;
}

void line_carry_take(struct line_carry *carry, const struct line_flow *flow, const bool *explained,
                     const struct guess *guess)
{
    const struct graph *graph = &flow->s->network->graph;
    memset(carry->reached, 0, graph->value_count * sizeof *carry->reached);
    for (size_t e = 0; e < guess->count; e++)
        if (!shows(carry, flow, explained, guess->edges[e]->to)) carry->reached[guess->edges[e]->to->index] = true;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        bool shown = false;
        if (!carry->reached[node->output->index]) continue;
        for (size_t k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL && node->inputs[k]->made_by == NULL)
                shown = shows(carry, flow, explained, node->inputs[k]) || shown;
        for (size_t k = 0; k < node->input_count && !shown; k++)
            if (node->inputs[k] != NULL && node->inputs[k]->made_by != NULL &&
                !shows(carry, flow, explained, node->inputs[k]))
                carry->reached[node->inputs[k]->index] = true;
    }
}

void line_carry_finish(struct line_carry *carry, const struct line_flow *flow, struct diagnosis *diagnosis)
{
    for (size_t p = 0; p < search_count(flow->s); p++)
        carry->own[p] = flow->s->observed[p].failing && !flow->s->observed[p].absent && !carry->own[p];
    diagnosis->inherited = carry->own;
}

/* ---- single tensors ---- */

struct own {
    const struct line_flow *flow;
    const struct report *report;
    struct line_carry *carry;
    struct diagnosis *diagnosis;
    bool *left;
};

static bool add(struct own *own, const struct mistake *mistake, const size_t *which, size_t count)
{
    struct diagnosis *diagnosis = own->diagnosis;
    const struct search *s = own->flow->s;
    if (diagnosis->count == FOUND_MAX) return true;
    struct found *found = &diagnosis->found[diagnosis->count];
    *found = (struct found){.mistake = mistake, .of_tensors = true};
    found->layers = arena_array(s->arena, count, sizeof *found->layers);
    found->parameters = arena_array(s->arena, count, sizeof *found->parameters);
    if (found->layers == NULL || found->parameters == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        const struct value *value = search_value(s, which[i]);
        const struct node *node = value->use_count > 0 ? value->uses[value->use_count - 1].node : value->made_by;
        if (node == NULL) return true; /* nothing uses it, and it was given: no line is about it */
        bool again = i > 0 && found->layer_count > 0 && found->layers[0] == node->place.layer;
        if (!again) found->layers[found->layer_count++] = node->place.layer;
        found->parameters[found->parameter_count++] = which[i];
        own->left[which[i]] = false;
        own->carry->own[which[i]] = true;
        if (i > 0) continue;
        found->below = value;
        found->made_at = node;
    }
    diagnosis->count++;
    return true;
}

static bool is_match(const struct own *own, size_t p, const double *handed_in, const double *made)
{
    const struct search *s = own->flow->s;
    const struct observed *o = &s->observed[p];
    struct match match =
        match_numbers(&s->matching, o->tolerance, search_size(s, p), handed_in, made, own->flow->base[p], HUGE_VAL);
    return match.fit != FIT_NONE;
}

/* A matrix the other way round. */
static bool is_transposed(const struct own *own, size_t p)
{
    const struct search *s = own->flow->s;
    const struct observed *o = &s->observed[p];
    const struct shape *shape = &search_value(s, p)->shape;
    if (shape->rank != 2 || o->values == NULL || o->flattened || o->per_sample || o->stacked != NULL || o->one_number)
        return false;
    if (!o->transposed && shape->dim[0] != shape->dim[1]) return false;
    const double *base = own->flow->base[p];
    size_t rows = shape->dim[0], columns = shape->dim[1];
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            own->flow->scratch[j * rows + i] = base[i * columns + j];
    if (!o->transposed && !match_differs(rows * columns, base, own->flow->scratch)) return false;
    return is_match(own, p, o->values, own->flow->scratch);
}

/* The gradient of what was repeated, as it comes from one of its uses: not summed over the repetitions. */
static bool is_not_summed(const struct own *own, size_t p)
{
    const struct search *s = own->flow->s;
    const struct value *value = search_value(s, p);
    const struct entry *entry = &own->report->entries[p];
    const struct tensor *tensor = entry->submission != NULL ? entry->submission->tensor : NULL;
    if (tensor == NULL || tensor->size <= value->size) return false;
    for (size_t u = 0; u < value->use_count; u++) {
        const struct node *node = value->uses[u].node;
        const struct op_call *call = pass_call(s->pass, node);
        if (!shape_equal(&node->output->shape, &tensor->shape) || node->input_count != 2) continue;
        const double *dy = flow_right(&s->flow, node->output);
        const struct value *other = node->inputs[1 - value->uses[u].input];
        bool product = call->op->binary == BINARY_times && other->size == tensor->size, same = true;
        const double *b = flow_value(&s->flow, other);
        double sign = call->op->binary == BINARY_minus && value->uses[u].input == 1 ? -1 : 1;
        if (!product && call->op->binary != BINARY_plus && call->op->binary != BINARY_minus) continue;
        for (size_t i = 0; same && i < tensor->size; i++) {
            double sent = sign * dy[i] * (product ? b[i] : 1);
            same = fabs(tensor->data[i] - sent) <= s->observed[p].tolerance.atol + 1e-6 * fabs(sent);
        }
        if (same) return true;
    }
    return false;
}

/* The tensor itself. */
static bool is_itself(const struct own *own, size_t p)
{
    const struct search *s = own->flow->s;
    const struct observed *o = &s->observed[p];
    return search_is_plain(o) && o->values != NULL && is_match(own, p, o->values, search_given(s, p)) &&
           search_size(s, p) > 1;
}

static bool are_exchanged(const struct own *own, size_t p, size_t q)
{
    const struct search *s = own->flow->s;
    const struct observed *a = &s->observed[p], *b = &s->observed[q];
    if (!own->left[p] || !own->left[q] || !search_is_plain(a) || !search_is_plain(b)) return false;
    if (!shape_equal(&search_value(s, p)->shape, &search_value(s, q)->shape)) return false;
    return is_match(own, p, a->values, own->flow->base[q]) && is_match(own, q, b->values, own->flow->base[p]);
}

bool line_own_find(const struct line_flow *flow, const struct report *report, bool *left, struct line_carry *carry,
                   struct diagnosis *diagnosis)
{
    struct own own = {.flow = flow, .report = report, .carry = carry, .diagnosis = diagnosis, .left = left};
    const struct search *s = flow->s;
    bool room = true;
    for (size_t p = 0; p < search_count(s) && room; p++) {
        if (!left[p] || flow->base[p] == NULL) continue;
        bool given = search_value(s, p)->made_by == NULL; /* else the line that makes it has words for it */
        const struct mistake *mistake = is_transposed(&own, p)        ? &mistake_transposed
                                        : is_not_summed(&own, p)      ? &mistake_broadcast_not_summed
                                        : given && is_itself(&own, p) ? &mistake_parameter_as_gradient
                                                                      : NULL;
        if (mistake != NULL) room = add(&own, mistake, &p, 1);
        for (size_t q = p + 1; q < search_count(s) && room && left[p] && given; q++)
            if (flow->base[q] != NULL && search_value(s, q)->made_by == NULL && are_exchanged(&own, p, q))
                room = add(&own, &mistake_swapped_parameters, (size_t[]){p, q}, 2);
    }
    return room;
}
