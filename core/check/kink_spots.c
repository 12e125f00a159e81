#include "core/check/kink_spots.h"

#include <float.h>
#include <math.h>

/* ---- which elements ---- */

/* One element that is off its kink by `off`; sides that are `step` away from it on. What is exact may be off by
 * nothing: it is at the kink or it is not. */
static void add_spot(struct settling *s, const struct node *node, double *at, double off, double kink, double magnitude,
                     bool exact)
{
    double step = s->eps * magnitude + DBL_MIN;
    if (exact ? off != 0 || !s->exact_too : !(fabs(off) <= MAGNITUDE_ROUNDINGS * s->eps * magnitude)) return;
    if (s->spots != NULL) {
        struct spot spot = {.node = node, .at = at, .was = *at, .is_at = off == 0};
        if (off >= 0) spot.sides[spot.side_count++] = kink - step;
        if (off <= 0) spot.sides[spot.side_count++] = kink + step;
        /* Right on it the slope of |e| is neither. Elsewhere it is that of one side. */
        if (off != 0 && op_kink(node->op, node->attributes) == KINK_ERROR) spot.sides[spot.side_count++] = kink;
        s->spots[s->count] = spot;
    }
    s->count++;
}

/* Scores that are 1 below the right class's. */
static void add_margins(struct settling *s, const struct node *node, const struct op_call *call, const double *off)
{
    const struct value *value = node->inputs[LOSS_PREDICTION];
    double *p = (double *)call->x[LOSS_PREDICTION];
    const double *t = call->x[LOSS_TARGET];
    size_t rows = call->in[0]->dim[0], columns = node->inputs[0]->size / rows;
    for (size_t i = 0; i < rows; i++, p += columns, t += columns, off += columns) {
        size_t right = 0;
        while (right + 1 < columns && t[right] == 0)
            right++;
        for (size_t j = 0; j < columns; j++) {
            bool exact = magnitude_is_exact(s->magnitudes, value, i * columns + j) &&
                         magnitude_is_exact(s->magnitudes, value, i * columns + right);
            double magnitude = off[j] + off[right] + fabs(p[right]) + 1;
            if (j != right) add_spot(s, node, &p[j], p[j] - p[right] + 1, p[right] - 1, magnitude, exact);
        }
    }
}

void kink_find(struct settling *s)
{
    const struct graph *graph = s->pass->graph;
    s->count = 0;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        enum kink where = op_kink(node->op, node->attributes);
        if (where == KINK_NONE || node->op->sides != NULL || !pass_counts(s->pass, node)) continue;
        const struct op_call *call = pass_call(s->pass, node);
        const struct value *value = node->inputs[0];
        const double *off = s->magnitudes->values[value->index], *t = call->x[call->count - 1];
        double *x = s->pass->values[value->index], kink = node->op->kink_at;
        if (where == KINK_MARGIN) {
            add_margins(s, node, call, off);
            continue;
        }
        for (size_t e = 0; e < value->size; e++) {
            double at = where == KINK_ERROR ? t[e] : kink;
            bool exact = magnitude_is_exact(s->magnitudes, value, e);
            add_spot(s, node, &x[e], x[e] - at, at, off[e] + fabs(at), exact);
        }
    }
}

/* ---- trying ---- */

double kink_operations(const struct settling *s)
{
    const struct graph *graph = s->pass->graph;
    return graph->work + KINK_OPERATIONS_OF_A_NODE * (double)graph->node_count;
}

bool kink_takes_too_long(const struct settling *s, double ways)
{
    return s->operations + ways * kink_operations(s) > KINK_OPERATIONS_MOST;
}

bool kink_may_keep(struct settling *s, double ways, double numbers)
{
    bool may = s->kept + ways * numbers <= s->kept_most && !kink_takes_too_long(s, ways);
    if (may) s->kept += ways * numbers;
    return may;
}

int kink_run(struct settling *s)
{
    s->operations += kink_operations(s);
    return pass_backward(s->pass, s->error);
}

void kink_choose(struct spot *spot, size_t choice)
{
    spot->choice = choice;
    *spot->at = choice == 0 ? spot->was : spot->sides[choice - 1];
}

static bool tensor_fits(const struct settling *s, size_t t)
{
    const struct kinks_tensor *tensor = &s->tensors[t];
    const double *g = kink_gradient(s, t);
    for (size_t e = 0; e < tensor->value->size; e++)
        if (!(fabs(tensor->student[e] - g[e]) <= tensor->allowed[e])) return false;
    return true;
}

size_t kink_fitting(const struct settling *s)
{
    size_t fitting = 0;
    for (size_t t = 0; t < s->tensor_count; t++)
        fitting += s->tensors[t].student != NULL && tensor_fits(s, t);
    return fitting;
}

/* ---- who depends on them ---- */

bool kink_reaches(const struct settling *s, const struct spot *spot, size_t t)
{
    return ancestry_has(&s->ancestry, spot->node->op->kind == OP_LOSS ? spot->node->inputs[0] : spot->node->output, t);
}

void kink_find_last(struct settling *s)
{
    const struct node *node = NULL; /* the spots of one node are as good as one */
    for (size_t i = s->count; i-- > 0; node = s->spots[i].node)
        for (size_t t = 0; s->spots[i].node != node && t < s->tensor_count; t++)
            if (s->last[t] == 0 && kink_reaches(s, &s->spots[i], t)) s->last[t] = i + 1;
}
