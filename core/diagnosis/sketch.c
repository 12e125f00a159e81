#include "core/diagnosis/sketch.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/steps.h"
#include "core/graph/intermediates.h"

/* What adding up in another order may make of a number, relative to the whole gradient. */
#define SUM_ROUNDING 1e-12

/* ---- one combination of the rows of a weight's gradient ---- */

static void combine(size_t rows, size_t out, const double *projected, const double *dz, double *sum)
{
    for (size_t j = 0; j < out; j++)
        sum[j] = projected[0] * dz[j];
    for (size_t i = 1; i < rows; i++)
        for (size_t j = 0; j < out; j++)
            sum[j] += projected[i] * dz[i * out + j];
}

/* Whether value + c * slope is within the margin of wanted for some c; slope NULL: value itself. */
static bool line_fits(size_t n, const double *wanted, const double *value, const double *slope, double margin)
{
    double sd = 0, dd = 0, left = 0;
    for (size_t j = 0; slope == NULL && j < n; j++)
        if (!(fabs(wanted[j] - value[j]) <= margin)) return false;
    if (slope == NULL) return true;
    for (size_t j = 0; j < n; j++) {
        sd += (wanted[j] - value[j]) * slope[j];
        dd += slope[j] * slope[j];
    }
    double c = dd > 0 ? sd / dd : 0;
    for (size_t j = 0; j < n; j++) {
        double difference = wanted[j] - value[j] - c * slope[j];
        left += difference / margin * (difference / margin);
    }
    /* The best c leaves no more, in squares, than the right one, which leaves at most the margin everywhere. */
    return !(left > (double)n); /* true of what overflows */
}

bool sketch_line(struct search *s, size_t p, const struct step_call *call, const double *value, const double *slope)
{
    const double *projected = s->sketch.projected[p], *wanted = s->sketch.wanted[p];
    /* What was clipped is no combination. */
    if (projected == NULL || s->matching.clip < HUGE_VAL) return true;
    double *v = s->sketch.combined, *d = slope != NULL ? s->sketch.combined + call->out : NULL;
    combine(call->rows, call->out, projected, value, v);
    if (slope != NULL) combine(call->rows, call->out, projected, slope, d);
    return line_fits(call->out, wanted, v, d, wanted[call->out]);
}

/* ---- a layer ---- */

/* Whether a factor on the loss may be on l2's part, too: then the combinations, which are less that part, say nothing.
 */
static bool may_scale_l2(const struct search *s, size_t p)
{
    return search_has_l2(s, p) && factors_of_loss(s) != 1;
}

/* Whether a tensor may be the hypothesis's own. */
static bool looks_right(struct search *s, const struct step_call *call, size_t p)
{
    const struct observed *o = &s->observed[p];
    if (o->absent) return true;
    if (o->values == NULL || o->transposed || o->per_sample) return false;
    if (s->network->graded[p].slot->product) return may_scale_l2(s, p) || sketch_line(s, p, call, call->dy, NULL);
    call->call->backend->sum_rows(call->rows, call->out, call->dy, s->room);
    return search_match(s, p, s->room).fit != FIT_NONE;
}

static bool is_worth_it(const struct search *s, bool weight, bool bias)
{
    if (weight && bias) return true;
    if (!hypothesis_may_explain(s) && !s->now.partial) return false;
    return weight || bias || !s->large;
}

bool sketch_node(struct search *s, const struct node *node, const struct step_call *call)
{
    struct step_own own = step_own(s, node);
    if (own.others || own.product == PARAMETER_NONE) return true;
    bool product = looks_right(s, call, own.product);
    return is_worth_it(s, product, own.summed == PARAMETER_NONE ? product : looks_right(s, call, own.summed));
}

/* ---- a few units ---- */

/* Whether a few of the units are much less than all of them. */
static bool is_wide(const struct step_call *layer)
{
    return layer->out / 4 >= SKETCH_UNITS;
}

struct sketch sketch_new(struct search *s, const struct node *room_of, const struct node *node,
                         const struct step_call *layer, const struct step_call *activation)
{
    struct sketch g = {.node = node,
                       .layer = layer,
                       .activation = activation,
                       .own = step_own(s, node),
                       .room = s->sketch.few[room_of->index]};
    size_t out = layer->out, rows = layer->rows, n = rows * SKETCH_UNITS;
    if (g.own.others || g.own.product == PARAMETER_NONE || g.room == NULL) return g;
    g.narrow = is_wide(layer) && s->matching.clip == HUGE_VAL;
    if (!g.narrow) return g;
    double *x = g.room, *y = x + n, *dy = y + n;
    for (size_t j = 0; j < SKETCH_UNITS; j++)
        g.units[j] = j * out / SKETCH_UNITS;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < SKETCH_UNITS; j++) {
            size_t from = i * out + g.units[j], to = i * SKETCH_UNITS + j;
            x[to] = activation->x[from];
            y[to] = activation->y[from];
            dy[to] = activation->dy[from];
        }
    g.few = *activation;
    g.few.part = true;
    g.few.x = x;
    g.few.y = y;
    g.few.dy = dy;
    g.few.rows = rows;
    g.few.in = SKETCH_UNITS;
    return g;
}

/* Whether those units of a tensor may be what was handed in. */
static bool units_fit(struct search *s, const struct sketch *g, size_t p, const struct alternative *made)
{
    const struct step_call *layer = g->layer;
    const struct observed *o = &s->observed[p];
    bool product = p == g->own.product;
    if (o->absent) return true;
    if (o->values == NULL || o->transposed || o->per_sample) return false;
    if (product && may_scale_l2(s, p)) return true;
    const double *all = product ? s->sketch.wanted[p] : o->values;
    double margin = product ? all[layer->out] : o->bound;
    double wanted[SKETCH_UNITS], value[SKETCH_UNITS], slope[SKETCH_UNITS];
    const double *factors = product ? s->sketch.projected[p] : s->sketch.ones;
    for (size_t j = 0; j < SKETCH_UNITS; j++)
        wanted[j] = all[g->units[j]];
    combine(layer->rows, SKETCH_UNITS, factors, made->value, value);
    if (made->has_slope) combine(layer->rows, SKETCH_UNITS, factors, made->slope, slope);
    return line_fits(SKETCH_UNITS, wanted, value, made->has_slope ? slope : NULL, margin);
}

/* The rule on the few units; false where it cannot be told so. */
static bool make_few(const struct sketch *g, const struct rule *rule, struct alternative *made)
{
    size_t n = g->few.rows * SKETCH_UNITS;
    if (!g->narrow) return false;
    *made = (struct alternative){.value = g->room + 3 * n, .slope = g->room + 4 * n};
    return rule_make(rule, &g->few, made);
}

bool sketch_local(struct search *s, const struct sketch *g, const struct rule *rule, size_t p)
{
    struct alternative made;
    return !make_few(g, rule, &made) || units_fit(s, g, p, &made);
}

bool sketch_rule(struct search *s, const struct sketch *g, const struct node *activation, const struct rule *rule)
{
    struct alternative made;
    if (!make_few(g, rule, &made)) return true;
    size_t length = s->now.length;
    bool worth_it = false;
    if (hypothesis_push(s, made.mistake, made.variant, activation, activation->inputs[0]) != NULL) {
        bool product = units_fit(s, g, g->own.product, &made);
        bool summed = g->own.summed != PARAMETER_NONE ? units_fit(s, g, g->own.summed, &made) : product;
        worth_it = is_worth_it(s, product, summed);
    }
    hypothesis_pop_to(s, length);
    return worth_it;
}

/* ---- before the search ---- */

/* The same combination of the rows that were handed in, less l2's part, and behind it how far off it may be. */
void sketch_observe(struct search *s, size_t p)
{
    double *wanted = s->sketch.wanted[p];
    if (wanted == NULL) return;
    const struct shape *shape = &search_value(s, p)->shape;
    size_t in = shape->dim[0], out = shape->dim[1];
    const struct observed *o = &s->observed[p];
    const double *W = search_given(s, p);
    double largest = 0;
    memset(wanted, 0, (out + 1) * sizeof(double));
    if (o->values == NULL || o->transposed) return;
    for (size_t k = 0; k < in; k++)
        for (size_t j = 0; j < out; j++) {
            double value = o->values[k * out + j];
            wanted[j] += s->sketch.signs[k] * (value - search_l2_part(s, p, W[k * out + j]));
            largest = fabs(value) > largest ? fabs(value) : largest;
        }
    double each = match_bound(&s->matching, o->tolerance, largest) + SUM_ROUNDING * s->matching.scale;
    wanted[out] = each * (double)in;
}

/* Room for the few units of a layer: one while the walk is at the activation behind it, one for its own tensors. */
static bool take_few(struct search *s, const struct node *node, const struct step_call *layer)
{
    const struct node *behind = network_activation(node->output), *const both[] = {node, behind};
    for (size_t i = 0; is_wide(layer) && i < 2; i++) {
        if (both[i] == NULL) continue;
        s->sketch.few[both[i]->index] = arena_array(s->arena, layer->rows, sizeof(double[5][SKETCH_UNITS]));
        if (s->sketch.few[both[i]->index] == NULL) return false;
    }
    return true;
}

/* One layer whose weight can be looked at so. */
static bool prepare_layer(struct search *s, const struct node *node, size_t p)
{
    struct step_call call = step_at(s, node);
    double *projected = s->sketch.projected[p] = arena_doubles(s->arena, call.rows);
    s->sketch.wanted[p] = arena_doubles(s->arena, call.out + 1);
    if (projected == NULL || s->sketch.wanted[p] == NULL || !take_few(s, node, &call)) return false;
    sketch_observe(s, p);
    call.call->backend->gemm(false, false, call.rows, 1, call.in, 1, call.x, s->sketch.signs, 0, projected);
    return true;
}

bool sketch_prepare(struct search *s)
{
    const struct graph *graph = &s->network->graph;
    size_t widest = 1, most_rows = 1, most_out = 1;
    for (size_t i = 0; i < graph->node_count; i++) {
        struct step_own own = step_own(s, graph->nodes[i]);
        if (own.product == PARAMETER_NONE) continue;
        struct step_call call = step_at(s, graph->nodes[i]);
        if (call.in > widest) widest = call.in;
        if (call.rows > most_rows) most_rows = call.rows;
        if (call.out > most_out) most_out = call.out;
    }
    struct sketch_room *room = &s->sketch;
    room->signs = arena_doubles(s->arena, widest);
    room->ones = arena_doubles(s->arena, most_rows);
    room->combined = arena_doubles(s->arena, 2 * most_out);
    room->few = arena_zeroed(s->arena, graph->node_count, sizeof(double *));
    room->projected = arena_zeroed(s->arena, search_count(s), sizeof(double *));
    room->wanted = arena_zeroed(s->arena, search_count(s), sizeof(double *));
    if (room->signs == NULL || room->ones == NULL || room->combined == NULL || room->few == NULL ||
        room->projected == NULL || room->wanted == NULL)
        return false;
    unsigned long long state = 1;
    for (size_t i = 0; i < widest; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        room->signs[i] = state >> 63 ? 1 : -1;
    }
    for (size_t i = 0; i < most_rows; i++)
        room->ones[i] = 1;
    for (size_t i = 0; i < graph->node_count; i++) {
        struct step_own own = step_own(s, graph->nodes[i]);
        if (own.product != PARAMETER_NONE && !prepare_layer(s, graph->nodes[i], own.product)) return false;
    }
    return true;
}
