#include "core/pass/magnitude.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/ops/elementwise.h"

/* What is no sum of products is tried at points nearby, so far away, relative to what its inputs may be off by: element
 * by element of its rows, whose changes add up. Where that is too often, a few times with random signs: the largest of
 * the changes is seldom less than half their sum. */
#define STEP 0x1p-40
#define TRIALS_SHORT 2.0
enum { TRIALS = 3, TRIALS_OF_ROWS = 64 };

/* A power of two that everything is a multiple of: 0 is a multiple of this one, too. */
enum { UNIT_OF_ZERO = 1 << 20 };

struct work {
    struct arena *arena;
    const struct pass *pass;
    struct magnitudes *magnitudes;
    int *unit; /* by value: the largest power of two, its exponent, that all of its elements are multiples of */
    unsigned long long state;
    /* how the op at hand is tried: */
    enum { BY_ELEMENT, BY_COLUMN, AT_RANDOM } way;
    size_t trials, trial; /* how often, and which this is */
    /* by input of a node: what goes in, and what comes back; room for an output and its gradient */
    const void **x;
    void **dx, *saved[OP_SAVED_MAX];
    double **changed, **back, **back_tried, **off, *y, *dy;
    const double *overwrite; /* zeros */
};

/* ---- how much room ---- */

static bool take_values(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    struct magnitudes *m = w->magnitudes;
    m->values = arena_zeroed(w->arena, graph->value_count, sizeof *m->values);
    m->gradients = arena_zeroed(w->arena, graph->value_count, sizeof *m->gradients);
    m->exact = arena_zeroed(w->arena, graph->value_count, sizeof *m->exact);
    m->unit = arena_array(w->arena, graph->value_count, sizeof *m->unit);
    w->unit = arena_array(w->arena, graph->value_count, sizeof *w->unit);
    if (m->values == NULL || m->gradients == NULL || m->exact == NULL || m->unit == NULL || w->unit == NULL)
        return false;
    for (size_t v = 0; v < graph->value_count; v++) {
        size_t n = graph->values[v]->size;
        if (graph->values[v]->is_term) continue;
        if ((m->values[v] = arena_zeroed(w->arena, n, sizeof(double))) == NULL) return false;
        if (w->pass->gradients[v] == NULL) continue;
        if ((m->gradients[v] = arena_zeroed(w->arena, n, sizeof(double))) == NULL) return false;
    }
    return true;
}

/* Room for one node at a time, as the largest needs it. */
static bool take_room(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    size_t inputs = 2, largest_out = 1, largest_saved = 1; /* a joined loss has two inputs, whatever it stands for */
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        inputs = node->input_count > inputs ? node->input_count : inputs;
        largest_out = node->output->size > largest_out ? node->output->size : largest_out;
        for (size_t s = 0; s < OP_SAVED_MAX; s++)
            largest_saved = node->saved[s] > largest_saved ? node->saved[s] : largest_saved;
    }
    w->x = arena_array(w->arena, inputs, sizeof *w->x);
    w->dx = arena_array(w->arena, inputs, sizeof *w->dx);
    w->overwrite = arena_zeroed(w->arena, inputs, sizeof *w->overwrite);
    double ***const lists[] = {&w->changed, &w->back, &w->back_tried, &w->off};
    enum { LISTS = sizeof lists / sizeof *lists };
    if (w->x == NULL || w->dx == NULL || w->overwrite == NULL) return false;
    for (size_t l = 0; l < LISTS; l++)
        if ((*lists[l] = arena_array(w->arena, inputs, sizeof(double *))) == NULL) return false;
    for (size_t k = 0; k < inputs; k++) {
        size_t n = 1;
        for (size_t i = 0; i < graph->node_count; i++) {
            const struct node *node = graph->nodes[i];
            if (k < node->input_count && node->inputs[k] != NULL && node->inputs[k]->size > n)
                n = node->inputs[k]->size;
        }
        for (size_t l = 0; l < LISTS; l++)
            if (((*lists[l])[k] = arena_doubles(w->arena, n)) == NULL) return false;
    }
    for (size_t s = 0; s < OP_SAVED_MAX; s++)
        if ((w->saved[s] = arena_doubles(w->arena, largest_saved)) == NULL) return false;
    w->y = arena_doubles(w->arena, largest_out);
    w->dy = arena_doubles(w->arena, largest_out);
    return w->y != NULL && w->dy != NULL;
}

/* ---- whole multiples ---- */

/* The exponent of the lowest bit that is set in any of n numbers. */
static int unit_of(size_t n, const double *values)
{
    int unit = UNIT_OF_ZERO;
    for (size_t i = 0; i < n; i++) {
        int exponent;
        double mantissa = frexp(values[i], &exponent);
        if (mantissa == 0 || !isfinite(mantissa)) continue;
        unsigned long long bits = (unsigned long long)ldexp(fabs(mantissa), 53);
        int lowest = exponent - 53 + __builtin_ctzll(bits);
        unit = lowest < unit ? lowest : unit;
    }
    return unit;
}

/* A sum of which every term is a multiple of 2**unit is exact in any order, while it takes no more than 53 bits. */
static bool is_exact_sum(double magnitude, int unit)
{
    return magnitude == 0 || (unit != MAGNITUDE_NO_UNIT && ldexp(magnitude, -unit) < 0x1p53);
}

bool magnitude_is_exact(const struct magnitudes *magnitudes, const struct value *value, size_t element)
{
    size_t v = value->index;
    return magnitudes->exact[v] || is_exact_sum(magnitudes->values[v][element], magnitudes->unit[v]);
}

/* What the terms of a node's sums are multiples of. */
static int unit_of_terms(const struct work *w, const struct node *node)
{
    enum { INPUTS = 2 * OP_SLOTS_MAX };
    int units[INPUTS];
    if (node->input_count > INPUTS) return MAGNITUDE_NO_UNIT;
    for (size_t k = 0; k < node->input_count; k++) {
        const struct value *value = node->inputs[k];
        if (value != NULL && !w->magnitudes->exact[value->index]) return MAGNITUDE_NO_UNIT;
        units[k] = value != NULL ? w->unit[value->index] : UNIT_OF_ZERO;
    }
    return node->op->term_unit(node->input_count, units);
}

static bool sums_are_exact(const struct work *w, const struct node *node)
{
    size_t v = node->output->index;
    for (size_t i = 0; i < node->output->size; i++)
        if (!is_exact_sum(w->magnitudes->values[v][i], w->magnitudes->unit[v])) return false;
    return true;
}

/* Whether an op hands on the elements of what is exact, or zeros, as ReLU does. */
static bool hands_on(const struct work *w, const struct node *node)
{
    const struct value *from = node->inputs[0];
    const double *x = w->pass->values[from->index], *y = w->pass->values[node->output->index];
    bool same = node->input_count == 1 && from->size == node->output->size && w->magnitudes->exact[from->index];
    for (size_t i = 0; same && i < from->size; i++)
        same = y[i] == x[i] || y[i] == 0;
    return same;
}

/* ---- forward ---- */

static struct op_call call_like(const struct work *w, const struct op_call *call)
{
    struct op_call made = *call;
    made.x = w->x;
    made.y = w->y;
    made.saved = w->saved;
    made.add = w->overwrite;
    made.scalar = NULL;
    return made;
}

/* Puts the magnitudes of a node's inputs in their place, each with what it may be off by itself. */
static void take_magnitudes(struct work *w, const struct node *node, const struct op_call *like)
{
    for (size_t k = 0; k < node->input_count; k++) {
        w->x[k] = NULL;
        if (node->inputs[k] == NULL) continue;
        const double *value = like->x[k], *off = w->magnitudes->values[node->inputs[k]->index];
        for (size_t i = 0; i < node->inputs[k]->size; i++)
            w->changed[k][i] = fabs(value[i]) + off[i];
        w->x[k] = w->changed[k];
    }
}

/* Sums of products: of the magnitudes. */
static int sum_magnitudes(struct work *w, const struct node *node, const struct op_call *like)
{
    struct op_call call = call_like(w, like);
    take_magnitudes(w, node, like);
    call.y = w->magnitudes->values[node->output->index];
    return node->op->forward(&call);
}

/* How far to go for element i of a row of so many columns, the first of which is tried at `first`; in steps. Where an
 * op works element by element, one each for input and gradient shows all that there is, if it is once in the same
 * direction and once in the other. */
static double steps_of(struct work *w, size_t first, size_t columns, size_t i, bool of_gradient)
{
    if (w->way == BY_ELEMENT) return of_gradient && w->trial % 2 > 0 ? -1 : 1;
    if (w->way == BY_COLUMN && w->trial != first + i % columns) return 0;
    w->state = w->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return w->state >> 63 ? 1 : -1;
}

static size_t columns_of(const struct shape *shape)
{
    return shape->rank > 0 && shape->dim[shape->rank - 1] > 0 ? shape->dim[shape->rank - 1] : 1;
}

/* Chooses how a call is tried, what comes back to it being off, too, or not. */
static void choose_way(struct work *w, const struct op_call *call, bool back)
{
    enum map map;
    double attribute;
    size_t columns = back && call->op->kind != OP_LOSS ? columns_of(call->out) : 0;
    for (size_t k = 0; k < call->count; k++)
        if (call->in[k] != NULL) columns += columns_of(call->in[k]);
    w->way = columns <= TRIALS_OF_ROWS ? BY_COLUMN : AT_RANDOM;
    w->trials = columns <= TRIALS_OF_ROWS ? columns : TRIALS;
    if (!elementwise_map(call->op, call->attributes, &map, &attribute)) return;
    w->way = BY_ELEMENT;
    w->trials = 2;
}

/* Whether a step goes over a kink, where there is no slope to be seen: what lies at one is another matter
 * (core/check/kinks.h). */
static bool goes_over(const struct op_call *call, size_t input, size_t i, double from, double to)
{
    const struct op *op = call->op;
    enum kink where = op_kink(op, call->attributes);
    if (input != 0 || where == KINK_NONE) return false;
    if (where == KINK_MARGIN) return true; /* between its kinks the slope is the same everywhere */
    double kink = where == KINK_ERROR ? ((const double *)call->x[LOSS_TARGET])[i] : op->kink_at;
    return (from > kink) != (to > kink) || (from < kink) != (to < kink);
}

/* Inputs of a call a step away: w->x. `values` says whose inputs they are; NULL where none may be off. Returns how many
 * columns they have. */
static size_t step_away(struct work *w, const struct op_call *call, const struct value *const *values)
{
    size_t first = 0;
    for (size_t k = 0; k < call->count; first += call->in[k] != NULL ? columns_of(call->in[k]) : 0, k++) {
        w->x[k] = call->x[k];
        const double *off = values[k] != NULL ? w->magnitudes->values[values[k]->index] : NULL;
        if (off == NULL || call->x[k] == NULL) continue;
        const double *x = call->x[k];
        size_t columns = columns_of(call->in[k]);
        for (size_t i = 0; i < values[k]->size; i++) {
            double to = x[i] + STEP * steps_of(w, first, columns, i, false) * off[i];
            w->changed[k][i] = goes_over(call, k, i, x[i], to) ? x[i] : to;
        }
        w->x[k] = w->changed[k];
    }
    return first;
}

/* What the trials show that a number may be off by: the largest of their changes, or their sum; and the number itself,
 * with the first of them. */
static void keep_change(const struct work *w, size_t n, const double *right, const double *tried, double *off)
{
    double times = w->way == AT_RANDOM ? TRIALS_SHORT : 1;
    for (size_t i = 0; i < n; i++) {
        double change = times * fabs(tried[i] - right[i]) / STEP, own = fabs(right[i]);
        if (!isfinite(change)) continue;
        if (w->way == BY_COLUMN)
            off[i] += change + (w->trial == 0 ? own : 0);
        else if (change + own > off[i])
            off[i] = change + own;
    }
}

/* What the output of an op of one input is made of besides. A formula rounds on its way: 1 + tanh(u) for gelu, where
 * that is nearly 0; no more than 1 where what comes out is no more (a tanh of 1e9 is as good as any). And what lies at
 * a kink may be let through, or not. */
static void add_ways(struct work *w, const struct node *node, const struct op_call *call)
{
    const struct value *from = node->inputs[0];
    const double *x = call->x[0], *off = w->magnitudes->values[from->index];
    const double *y = call->y;
    double *to = w->magnitudes->values[node->output->index];
    if (node->input_count != 1 || from->size != node->output->size) return;
    for (size_t i = 0; i < from->size; i++)
        if (op_kink(node->op, node->attributes) == KINK_NONE)
            to[i] += fabs(y[i]) <= 1 ? fmin(fabs(x[i]), 1) : fabs(x[i]);
        else if (fabs(x[i] - node->op->kink_at) <= MAGNITUDE_ROUNDINGS * DBL_EPSILON * off[i])
            to[i] += off[i];
}

static int try_forward(struct work *w, const struct node *node, const struct op_call *like)
{
    int code = CODE_OK;
    struct op_call call = call_like(w, like);
    choose_way(w, like, false);
    for (w->trial = 0; w->trial < w->trials && code == CODE_OK; w->trial++) {
        step_away(w, like, (const struct value *const *)node->inputs);
        code = node->op->forward(&call);
        keep_change(w, node->output->size, like->y, w->y, w->magnitudes->values[node->output->index]);
    }
    add_ways(w, node, like);
    return code;
}

static int go_forward(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v]->made_by == NULL) {
            w->magnitudes->exact[v] = true;
            w->magnitudes->unit[v] = MAGNITUDE_NO_UNIT;
            w->unit[v] = unit_of(graph->values[v]->size, w->pass->values[v]);
        }
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        const struct op_call *call = pass_call(w->pass, node);
        size_t out = node->output->index;
        if (node->output->is_term) continue;
        bool sums = node->op->term_unit != NULL;
        int code = sums ? sum_magnitudes(w, node, call) : try_forward(w, node, call);
        if (code != CODE_OK) return code;
        w->magnitudes->unit[out] = sums ? unit_of_terms(w, node) : MAGNITUDE_NO_UNIT;
        w->magnitudes->exact[out] = sums ? sums_are_exact(w, node) : hands_on(w, node);
        w->unit[out] = w->magnitudes->exact[out] ? unit_of(node->output->size, w->pass->values[out]) : 0;
    }
    return CODE_OK;
}

/* ---- backward ---- */

/* Adds what a node sends back to what the others do. */
static void add_back(struct work *w, const struct op_call *call, const struct value *const *values, double *const *from)
{
    for (size_t k = 0; k < call->count; k++) {
        if (w->dx[k] == NULL) continue;
        double *to = w->magnitudes->gradients[values[k]->index];
        for (size_t i = 0; i < values[k]->size; i++)
            if (isfinite(from[k][i])) to[i] += from[k][i];
    }
}

/* What is wanted of a call: into `back`. */
static void want(struct work *w, const struct op_call *call, const struct value *const *values, double *const *back)
{
    for (size_t k = 0; k < call->count; k++) {
        bool wanted = values[k] != NULL && w->magnitudes->gradients[values[k]->index] != NULL;
        w->dx[k] = wanted ? back[k] : NULL;
    }
}

static int sum_back(struct work *w, const struct node *node, const struct op_call *like)
{
    const struct value *const *values = (const struct value *const *)node->inputs;
    struct op_call call = call_like(w, like);
    take_magnitudes(w, node, like);
    want(w, like, values, w->back);
    call.dx = w->dx;
    call.dy = w->magnitudes->gradients[node->output->index];
    int code = node->op->backward(&call);
    if (code == CODE_OK) add_back(w, like, values, w->back);
    return code;
}

/* What comes to a node from behind, a step away, its first column at `first`; NULL where it is a loss, to which 1
 * comes.
 */
static const void *dy_away(struct work *w, const struct node *node, size_t first, const double *dy)
{
    const double *off = w->magnitudes->gradients[node->output->index];
    size_t columns = columns_of(&node->output->shape);
    if (dy == NULL || off == NULL) return dy;
    for (size_t i = 0; i < node->output->size; i++)
        w->dy[i] = dy[i] + STEP * steps_of(w, first, columns, i, true) * off[i];
    return w->dy;
}

/* What the numbers of a gradient are made of besides what the trials show. A derivative that is taken from the output
 * is off by that one's rounding: 1 - h**2, where h is nearly 1; and so is the difference of a probability and a target.
 */
static void add_roundings(struct work *w, const struct node *node, const struct op_call *like)
{
    const double *dy = like->dy;
    if (like->op->kind == OP_LOSS && like->op->goes_with == NULL) return;
    size_t n = node->inputs[0]->size;
    if (like->op->kind == OP_LOSS) {
        double factor = fabs(loss_factor(like->op, like->attributes, like->in[LOSS_PREDICTION]));
        for (size_t i = 0; i < n; i++)
            w->off[0][i] += factor;
        return;
    }
    bool kinked = op_kink(like->op, like->attributes) != KINK_NONE;
    for (size_t i = 0; dy != NULL && n == node->output->size && !kinked && i < n; i++)
        w->off[0][i] += fabs(dy[i]);
}

/* A call of backward, the op's own or a joined one; values are those of its inputs. */
static int try_back(struct work *w, const struct node *node, const struct op_call *like,
                    const struct value *const *values)
{
    struct op_call call = *like;
    choose_way(w, like, true);
    want(w, like, values, w->back);
    call.dx = w->dx;
    call.add = w->overwrite;
    int code = like->op->backward(&call);
    for (size_t k = 0; k < like->count; k++)
        if (w->dx[k] != NULL && values[k] != NULL) memset(w->off[k], 0, values[k]->size * sizeof(double));
    for (w->trial = 0; w->trial < w->trials && code == CODE_OK; w->trial++) {
        size_t first = step_away(w, like, values);
        call = call_like(w, like);
        code = like->op->forward(&call);
        want(w, like, values, w->back_tried);
        call.dx = w->dx;
        call.dy = dy_away(w, node, first, like->dy);
        if (code == CODE_OK) code = like->op->backward(&call);
        for (size_t k = 0; k < like->count && code == CODE_OK; k++)
            if (w->dx[k] != NULL) keep_change(w, values[k]->size, w->back[k], w->back_tried[k], w->off[k]);
    }
    if (code != CODE_OK) return code;
    if (w->dx[0] != NULL) add_roundings(w, node, like);
    add_back(w, like, values, w->off);
    return CODE_OK;
}

static int go_back(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        const struct op_call *own = pass_call(w->pass, node), *run = pass_backward_call(w->pass, node);
        if (!pass_counts(w->pass, node)) continue;
        int code;
        if (run != own) {
            /* A joined loss takes what its prediction's op takes, and the target. */
            const struct value *const values[OP_SLOTS_MAX] = {node->inputs[0]};
            code = try_back(w, node, run, values);
        } else if (node->op->term_unit != NULL) {
            code = sum_back(w, node, own);
        } else {
            code = try_back(w, node, own, (const struct value *const *)node->inputs);
        }
        if (code != CODE_OK) return code;
    }
    return CODE_OK;
}

int magnitudes_of(struct arena *arena, const struct pass *pass, struct magnitudes *magnitudes, struct error *error)
{
    struct work w = {.arena = arena, .pass = pass, .magnitudes = magnitudes, .state = 1};
    int code = take_values(&w) && take_room(&w) ? CODE_OK : CODE_OUT_OF_MEMORY;
    if (code == CODE_OK) code = go_forward(&w);
    if (code == CODE_OK) code = go_back(&w);
    return backend_error(pass->backend, code, error);
}
