#include "core/diagnosis/sketch.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/tensors.h"
#include "core/diagnosis/hypothesis.h"

/* What adding up in another order may make of a number, relative to the whole gradient. */
#define SUM_ROUNDING 1e-12

/* ---- one combination of the rows of a weight's gradient ---- */

static void combine(size_t rows, size_t out, const double *projected, const double *dz, double *sum)
{
    memset(sum, 0, out * sizeof(double));
    for (size_t i = 0; i < rows; i++)
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

bool sketch_line(struct search *s, const struct step_call *call, const double *value, const double *slope)
{
    if (s->matching.clip < HUGE_VAL) return true; /* what was clipped is no combination */
    const double *projected = s->projected[call->node], *wanted = s->wanted[call->node];
    double *v = s->combined, *d = slope != NULL ? s->combined + call->out : NULL;
    combine(call->rows, call->out, projected, value, v);
    if (slope != NULL) combine(call->rows, call->out, projected, slope, d);
    return line_fits(call->out, wanted, v, d, wanted[call->out]);
}

bool sketch_weight(struct search *s, const struct step_call *call, const double *dz)
{
    return sketch_line(s, call, dz, NULL);
}

/* ---- a layer ---- */

/* Whether a factor on the loss may be on l2's part, too: then the combinations, which are less that part, say nothing.
 */
static bool may_scale_l2(const struct search *s, size_t p)
{
    return layer_has_l2(s, p) && hypothesis_loss_times(s) != 1;
}

/* Whether the tensor in that role may be the hypothesis's own. */
static bool looks_right(struct search *s, const struct step_call *call, size_t r, size_t p)
{
    const struct observed *o = &s->observed[p];
    if (o->absent) return true;
    if (o->values == NULL || o->transposed || o->per_sample) return false;
    if (r == 0) return may_scale_l2(s, p) || sketch_weight(s, call, call->dy);
    call->pass->backend->sum_rows(call->rows, call->out, call->dy, s->weight_room);
    return layer_match(s, p, s->weight_room).fit != FIT_NONE;
}

static bool is_worth_it(const struct search *s, bool weight, bool bias)
{
    if (weight && bias) return true;
    if (!hypothesis_may_explain(s) && !s->partial) return false;
    return weight || bias || !s->large;
}

bool sketch_layer(struct search *s, const struct step_call *call)
{
    const size_t *p = s->network->nodes[call->node].parameters;
    bool weight = looks_right(s, call, 0, p[0]);
    return is_worth_it(s, weight, p[1] == PARAMETER_NONE ? weight : looks_right(s, call, 1, p[1]));
}

/* ---- a few units ---- */

/* Whether a few of the units are much less than all of them. */
static bool is_wide(const struct step_call *layer)
{
    return layer->out / 4 >= SKETCH_UNITS;
}

struct sketch sketch_new(struct search *s, size_t node, const struct step_call *layer,
                         const struct step_call *activation)
{
    struct sketch g = {.layer = layer, .activation = activation, .room = s->sketch_room[node]};
    size_t out = layer->out, rows = layer->rows, n = rows * SKETCH_UNITS;
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
static bool units_fit(struct search *s, const struct sketch *g, enum sketch_at at, const struct alternative *made)
{
    const struct step_call *layer = g->layer;
    size_t p = s->network->nodes[layer->node].parameters[at];
    const struct observed *o = &s->observed[p];
    if (o->absent) return true;
    if (o->values == NULL || o->transposed || o->per_sample) return false;
    if (at == SKETCH_WEIGHT && may_scale_l2(s, p)) return true;
    const double *all = at == SKETCH_WEIGHT ? s->wanted[layer->node] : o->values;
    double margin = at == SKETCH_WEIGHT ? all[layer->out] : o->bound;
    double wanted[SKETCH_UNITS], value[SKETCH_UNITS], slope[SKETCH_UNITS];
    const double *factors = at == SKETCH_WEIGHT ? s->projected[layer->node] : s->ones;
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

bool sketch_local(struct search *s, const struct sketch *g, const struct rule *rule, enum sketch_at at)
{
    struct alternative made;
    return !make_few(g, rule, &made) || units_fit(s, g, at, &made);
}

bool sketch_rule(struct search *s, const struct sketch *g, const struct rule *rule)
{
    struct alternative made;
    if (!make_few(g, rule, &made)) return true;
    size_t length = s->length;
    bool worth_it = false;
    if (hypothesis_push(s, made.mistake, made.variant, g->activation->node) != NULL) {
        bool weight = units_fit(s, g, SKETCH_WEIGHT, &made);
        bool has_bias = s->network->nodes[g->layer->node].parameters[1] != PARAMETER_NONE;
        worth_it = is_worth_it(s, weight, has_bias ? units_fit(s, g, SKETCH_BIAS, &made) : weight);
    }
    hypothesis_pop_to(s, length);
    return worth_it;
}

/* ---- before the search ---- */

/* The same combination of the rows that were handed in, less l2's part, and behind it how far off it may be. */
void sketch_observe(struct search *s, size_t node)
{
    const struct step_call at = layer_call(s, node), *call = &at;
    size_t p = s->network->nodes[node].parameters[0];
    double *wanted = s->wanted[node];
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
    double each = match_bound(&s->matching, largest) + SUM_ROUNDING * s->matching.scale;
    wanted[call->out] = each * (double)call->in;
}

/* Room for the sketches at a layer: one while the walk is at the activation behind it, one for its own tensors. */
static bool take_room(struct search *s, const struct step_call *layer)
{
    size_t behind = layer->node + 1 < s->network->node_count ? layer->node + 1 : layer->node;
    for (size_t node = layer->node; is_wide(layer) && node <= behind; node++) {
        s->sketch_room[node] = arena_array(s->arena, layer->rows, sizeof(double[5][SKETCH_UNITS]));
        if (s->sketch_room[node] == NULL) return false;
    }
    return true;
}

bool sketch_prepare(struct search *s)
{
    const struct network *network = s->network;
    size_t widest = 1, most_rows = 1, most_out = 1;
    for (size_t k = 0; k < network->numbered_count; k++) {
        struct step_call call = layer_call(s, network->numbered[k]);
        if (call.in > widest) widest = call.in;
        if (call.rows > most_rows) most_rows = call.rows;
        if (call.out > most_out) most_out = call.out;
    }
    s->signs = arena_doubles(s->arena, widest);
    s->ones = arena_doubles(s->arena, most_rows);
    s->combined = arena_doubles(s->arena, 2 * most_out);
    s->sketch_room = arena_zeroed(s->arena, network->node_count, sizeof(double *));
    s->projected = arena_zeroed(s->arena, network->node_count, sizeof(double *));
    s->wanted = arena_zeroed(s->arena, network->node_count, sizeof(double *));
    if (s->signs == NULL || s->ones == NULL || s->combined == NULL || s->sketch_room == NULL || s->projected == NULL ||
        s->wanted == NULL)
        return false;
    unsigned long long state = 1;
    for (size_t i = 0; i < widest; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        s->signs[i] = state >> 63 ? 1 : -1;
    }
    for (size_t i = 0; i < most_rows; i++)
        s->ones[i] = 1;
    for (size_t k = 0; k < network->numbered_count; k++) {
        struct step_call call = layer_call(s, network->numbered[k]);
        double *projected = s->projected[call.node] = arena_doubles(s->arena, call.rows);
        s->wanted[call.node] = arena_doubles(s->arena, call.out + 1);
        if (projected == NULL || s->wanted[call.node] == NULL || !take_room(s, &call)) return false;
        sketch_observe(s, call.node);
        s->pass->backend->gemm(false, false, call.rows, 1, call.in, 1, call.x, s->signs, 0, projected);
    }
    return true;
}
