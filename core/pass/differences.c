#include "core/pass/differences.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/pass/fused.h"

#define MAGNITUDE_FLOOR 1e-8
#define WORK_PER_NODE 100.0

/* On which side of its kinks every element of the network lies. */
struct sides {
    size_t count;
    signed char *here, *there;
};

/* The value that a node's kinks are counted on. */
static const struct value *kinked(const struct node *node)
{
    return node->inputs[0];
}

static size_t kinked_elements(const struct graph *graph)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        if (op_kink(graph->nodes[i]->op, graph->nodes[i]->attributes) != KINK_NONE) n += kinked(graph->nodes[i])->size;
    return n;
}

static void margin_sides(size_t rows, size_t columns, const double *p, const double *t, signed char *to)
{
    for (size_t i = 0; i < rows; i++, p += columns, t += columns, to += columns) {
        size_t c = 0;
        while (c + 1 < columns && t[c] == 0)
            c++;
        for (size_t j = 0; j < columns; j++)
            to[j] = j == c ? 0 : FORMULA_SIDE(p[j] - p[c] + 1, 0);
    }
}

static void find_sides(const struct pass *pass, signed char *to)
{
    for (size_t i = 0; i < pass->graph->node_count; i++) {
        const struct node *node = pass->graph->nodes[i];
        const enum kink kink = op_kink(node->op, node->attributes);
        if (kink == KINK_NONE) continue;
        const struct op_call *call = pass_call(pass, node);
        const double *x = call->x[0], *t = call->x[call->count - 1]; /* of a loss the target */
        size_t n = kinked(node)->size;
        if (kink == KINK_MARGIN) margin_sides(call->in[0]->dim[0], n / call->in[0]->dim[0], x, t, to);
        if (node->op->sides != NULL) node->op->sides(call, to);
        for (size_t e = 0; kink != KINK_MARGIN && node->op->sides == NULL && e < n; e++)
            to[e] = FORMULA_SIDE(x[e], kink == KINK_ERROR ? t[e] : node->op->kink_at);
        to += n;
    }
}

/* The loss with one element of a given value at `value`; *crossed where a kink lies between it and where we are.
 */
static int loss_at(struct pass *pass, double *element, double value, const struct sides *sides, bool *crossed,
                   double *loss, struct error *error)
{
    *element = value;
    struct error probe = {0};
    int code = pass_forward(pass, &probe);
    *loss = pass->loss;
    if (code == CODE_NOT_FINITE || code == CODE_OUT_OF_RANGE) {
        *crossed = true; /* the step left what the loss is defined on: an edge like a kink */
        return CODE_OK;
    }
    if (code != CODE_OK) *error = probe;
    if (code == CODE_OK && sides->count > 0) {
        find_sides(pass, sides->there);
        if (memcmp(sides->here, sides->there, sides->count) != 0) *crossed = true;
    }
    return code;
}

/* An element, its neighbours on both sides. */
struct probe {
    double above, below, up, down; /* values, and the losses there */
    bool crossed;
};

static struct probe probe_at(double here)
{
    double step = cbrt(DBL_EPSILON) * fmax(1, fabs(here));
    return (struct probe){.above = here + step, .below = here - step};
}

static double largest_of(size_t n, const double *gradient)
{
    return fmax(numbers_largest(n, gradient), MAGNITUDE_FLOOR);
}

/* Enters element i of number p of what is graded, the largest magnitude in whose gradient is given; and the difference
 * itself into to[p], unless `to` is NULL. */
static void judge(struct verification *v, double *const *to, size_t p, size_t i, const struct probe *probe,
                  double gradient, double largest)
{
    /* The step that was really taken: here + step is rounded. */
    double slope = (probe->up - probe->down) / (probe->above - probe->below);
    if (to != NULL) to[p][i] = probe->crossed ? NAN : slope;
    if (probe->crossed) {
        v->at_kinks++;
        return;
    }
    v->checked++;
    double difference = fabs(slope - gradient);
    if (difference > v->max_abs_diff) v->max_abs_diff = difference;
    if (difference / largest > v->max_rel_diff || v->checked == 1) {
        v->max_rel_diff = difference / largest;
        v->graded = p;
        v->worst = i;
    }
}

static int verify_value(struct pass *pass, size_t p, const struct value *value, const double *gradient,
                        const struct sides *sides, double *const *to, struct verification *v, struct error *error)
{
    double *w = pass->values[value->index];
    size_t n = value->size;
    double largest = largest_of(n, gradient);
    for (size_t i = 0; i < n; i++) {
        double here = w[i];
        struct probe probe = probe_at(here);
        int code = loss_at(pass, &w[i], probe.above, sides, &probe.crossed, &probe.up, error);
        if (code == CODE_OK) code = loss_at(pass, &w[i], probe.below, sides, &probe.crossed, &probe.down, error);
        w[i] = here;
        if (code != CODE_OK) return code;
        judge(v, to, p, i, &probe, gradient[i], largest);
    }
    return CODE_OK;
}

double differences_work(const struct network *network)
{
    /* Two forward passes an element, each about a third of a forward and backward, and some work at each node that does
     * not depend on its size. */
    double pass = network->work / 3 + WORK_PER_NODE * (double)network->graph.node_count, elements = 0;
    for (size_t p = 0; p < network->graded_count; p++)
        elements += (double)network->graded[p].value->size;
    return 2 * elements * pass;
}

/* A pass of the problem as it is, on the CPU in float64, forward. pass_free it, also after an error. */
static int pass_begin(struct arena *arena, const struct problem *problem, struct pass *pass, struct error *error)
{
    int code = problem_pass(arena, problem, backend_cpu(DTYPE_FLOAT64), pass, error);
    return code == CODE_OK ? pass_forward(pass, error) : code;
}

static int verify(struct arena *arena, const struct problem *problem, double *const *gradients, double *const *to,
                  struct verification *verification, struct error *error)
{
    const struct network *network = problem->network;
    *verification = (struct verification){0};
    struct sides sides = {.count = kinked_elements(&network->graph)};
    sides.here = arena_array(arena, sides.count, 2);
    if (sides.here == NULL) return error_out_of_memory(error);
    sides.there = sides.here + sides.count;

    struct pass pass;
    int code = pass_begin(arena, problem, &pass, error);
    if (code == CODE_OK) find_sides(&pass, sides.here);
    for (size_t p = 0; code == CODE_OK && p < network->graded_count; p++)
        if (network->graded[p].value->made_by == NULL)
            code = verify_value(&pass, p, network->graded[p].value, gradients[p], &sides, to, verification, error);
    pass_free(&pass);
    return code;
}

int differences_verify(struct arena *arena, const struct problem *problem, double *const *gradients,
                       struct verification *verification, struct error *error)
{
    return verify(arena, problem, gradients, NULL, verification, error);
}

/* ---- many variants at once ---- */

enum { AT_ONCE_MAX = 1 << 16 };

/* Elements whose variants, two of each, are evaluated in one call: after each the request may be cancelled. */
static size_t elements_at_once(const struct fused *fused, size_t elements)
{
    double most = FUSED_WORK_AT_ONCE / (2 * fused->work);
    size_t n = most < AT_ONCE_MAX ? (size_t)most : AT_ONCE_MAX;
    if (n < FUSED_AT_ONCE_MIN / 2) n = FUSED_AT_ONCE_MIN / 2;
    return n < elements ? n : elements;
}

/* Two variants of each element: their losses, and whether an edge lies between. */
struct variants {
    unsigned *at;
    double *value, *loss;
    bool *edge;
};

static bool variants_new(struct arena *arena, size_t count, struct variants *v)
{
    v->at = arena_array(arena, count, sizeof *v->at);
    v->value = arena_doubles(arena, count);
    v->loss = arena_doubles(arena, count);
    v->edge = arena_array(arena, count, sizeof *v->edge);
    return v->at != NULL && v->value != NULL && v->loss != NULL && v->edge != NULL;
}

/* Fills in the variants of n elements of a parameter, w, which stand at `at` among those of all. */
static void vary(struct variants *v, size_t n, size_t at, const double *w)
{
    for (size_t i = 0; i < n; i++) {
        struct probe probe = probe_at(w[i]);
        v->at[2 * i] = v->at[2 * i + 1] = (unsigned)(at + i);
        v->value[2 * i] = probe.above;
        v->value[2 * i + 1] = probe.below;
    }
}

static void judge_variants(const struct variants *v, size_t n, size_t p, size_t from, const double *gradient,
                           double largest, double *const *to, struct verification *verification)
{
    for (size_t i = 0; i < n; i++) {
        struct probe probe = {v->value[2 * i], v->value[2 * i + 1], v->loss[2 * i], v->loss[2 * i + 1],
                              v->edge[2 * i] || v->edge[2 * i + 1]};
        judge(verification, to, p, from + i, &probe, gradient[from + i], largest);
    }
}

int differences_verify_on_device(struct arena *arena, const struct problem *problem, double *const *gradients,
                                 double *const *to, struct verification *verification, struct error *error)
{
    const struct backend *backend = problem->backend;
    const struct network *network = problem->network;
    struct fused fused;
    if (backend->losses_of_many == NULL || !fused_of(network, &fused))
        return verify(arena, problem, gradients, to, verification, error);
    *verification = (struct verification){0};
    /* Where the loss has no value, in float64, there is nothing to differentiate: an error, not a kink. */
    struct pass pass;
    int code = pass_begin(arena, problem, &pass, error);
    pass_free(&pass);
    if (code != CODE_OK) return code;
    size_t all = network->parameter_elements, portion = elements_at_once(&fused, all), offset = 0;
    double *w = arena_doubles(arena, all);
    struct variants v;
    if (w == NULL || !variants_new(arena, 2 * portion, &v)) return error_out_of_memory(error);
    for (size_t p = 0; p < network->parameter_count; offset += network->graded[p++].value->size)
        memcpy(w + offset, problem_given(problem, network->graded[p].value),
               network->graded[p].value->size * sizeof *w);

    const double *x = problem_given(problem, network->feeds[0]), *target = problem_given(problem, network->target);
    offset = 0;
    for (size_t p = 0; p < network->parameter_count; offset += network->graded[p++].value->size) {
        size_t size = network->graded[p].value->size;
        double largest = largest_of(size, gradients[p]);
        for (size_t from = 0; from < size; from += portion) {
            size_t n = size - from < portion ? size - from : portion;
            if (problem->cancelled != NULL && atomic_load_explicit(problem->cancelled, memory_order_relaxed))
                return error_set(error, CODE_CANCELLED, "the check was cancelled");
            vary(&v, n, offset + from, w + offset + from);
            code = backend->losses_of_many(&fused, w, x, target, 2 * n, v.at, v.value, v.loss, v.edge);
            if (code == CODE_OUT_OF_MEMORY) /* the device's; the CPU takes none of it */
                return verify(arena, problem, gradients, to, verification, error);
            if (code != CODE_OK) return backend_error(backend, code, error);
            judge_variants(&v, n, p, from, gradients[p], largest, to, verification);
        }
    }
    return CODE_OK;
}
