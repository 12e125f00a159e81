#include "core/diagnosis/consistent.h"

#include <math.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/ops/rows.h"

/* Room and operations beyond which nobody looks. */
#define ROOM_MOST 1e6
#define WORK_MOST 5e7

/* What is left of a sample in all that those before it span is rounding below the first; what is left of the gradients
 * in all that the samples span is rounding below the second, be it that of printed numbers, and none above the third.
 */
#define NOTHING_NEW 1e-9
#define NOTHING_LEFT 1e-6
#define SOMETHING_LEFT 1e-3

/* Each column of [dW; db] has to be a combination of the rows [x, 1]. */
struct system {
    const double *x, *scale; /* scale: by input, and of the 1: what evens them out */
    size_t rows, in, width;  /* width: in, and one more where there is a bias */
    double *basis;           /* orthonormal, of what the rows span: rank vectors of that width */
    size_t rank;
};

/* Takes away all that lies in the span; twice, since once leaves rounding. */
static void project(const struct system *system, double *v)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t r = 0; r < system->rank; r++) {
            const double *q = system->basis + r * system->width;
            double along = numbers_dot(system->width, q, v);
            for (size_t k = 0; k < system->width; k++)
                v[k] -= along * q[k];
        }
}

static void find_span(struct system *system)
{
    for (size_t i = 0; i < system->rows && system->rank < system->width; i++) {
        double *v = system->basis + system->rank * system->width;
        for (size_t k = 0; k < system->in; k++)
            v[k] = system->x[i * system->in + k] / system->scale[k];
        if (system->width > system->in) v[system->in] = 1 / system->scale[system->in];
        double whole = sqrt(numbers_dot(system->width, v, v));
        project(system, v);
        double left = sqrt(numbers_dot(system->width, v, v));
        if (!(left > NOTHING_NEW * whole)) continue;
        for (size_t k = 0; k < system->width; k++)
            v[k] /= left;
        system->rank++;
    }
}

/* How much of the columns lies outside of the span, relatively. */
static double left_over(const struct system *system, size_t out, const double *dW, const double *db, double *v)
{
    double whole = 0, left = 0;
    for (size_t j = 0; j < out; j++) {
        for (size_t k = 0; dW != NULL && k < system->in; k++)
            v[k] = dW[k * out + j] / system->scale[k];
        if (db != NULL) v[system->in] = db[j] / system->scale[system->in];
        whole += numbers_dot(system->width, v, v);
        project(system, v);
        left += numbers_dot(system->width, v, v);
    }
    return sqrt(left / whole); /* NaN where there is nothing, or nothing that is a number */
}

static void find_scale(const struct system *system, double *scale)
{
    for (size_t k = 0; k < system->in; k++) {
        double squares = 0;
        for (size_t i = 0; i < system->rows; i++)
            squares += system->x[i * system->in + k] * system->x[i * system->in + k];
        scale[k] = squares > 0 && isfinite(squares) ? sqrt(squares) : 1;
    }
    if (system->width > system->in) scale[system->in] = sqrt((double)system->rows);
}

/* The width of the system, and the most that its rows may span. */
static double room_of(const struct node *node)
{
    struct rows in = rows_of(&node->inputs[0]->shape);
    double width = (double)in.width + 1;
    return width * (fmin((double)in.count, width) + 1);
}

/* What was handed in for a weight, without l2's part. NULL when memory is short. */
static const double *weight_of(const struct search *s, size_t p)
{
    double *dW = arena_doubles(s->arena, search_size(s, p));
    if (dW == NULL) return NULL;
    memcpy(dW, s->observed[p].values, search_size(s, p) * sizeof *dW);
    search_add_l2(s, p, -1, dW);
    return dW;
}

enum consistency consistent(const struct search *s, const struct node *node, size_t product, size_t summed,
                            bool *out_of_memory)
{
    struct rows in = rows_of(&node->inputs[0]->shape), out = rows_of(&node->output->shape);
    if (product == PARAMETER_NONE) return CONSISTENT_ALWAYS;
    if (search_size(s, product) != in.width * out.width || room_of(node) > ROOM_MOST) return CONSISTENT_UNKNOWN;
    struct system system = {.x = flow_value(&s->flow, node->inputs[0]), .rows = in.count, .in = in.width};
    system.width = in.width + (summed != PARAMETER_NONE);
    if (room_of(node) * (double)(in.count + out.width) > WORK_MOST) return CONSISTENT_UNKNOWN;
    double *scale = arena_doubles(s->arena, 2 * system.width);
    system.basis = arena_doubles(s->arena, (size_t)room_of(node));
    const double *dW = weight_of(s, product);
    *out_of_memory = *out_of_memory || scale == NULL || system.basis == NULL || dW == NULL;
    if (*out_of_memory) return CONSISTENT_UNKNOWN;
    find_scale(&system, scale);
    system.scale = scale;
    find_span(&system);
    if (system.rank == system.width) return CONSISTENT_ALWAYS;
    const double *db = summed != PARAMETER_NONE ? s->observed[summed].values : NULL;
    double left = left_over(&system, out.width, dW, db, scale + system.width);
    return left <= NOTHING_LEFT ? CONSISTENT : left >= SOMETHING_LEFT ? CONSISTENT_NOT : CONSISTENT_UNKNOWN;
}

double consistent_elements(const struct network *network)
{
    double elements = 0;
    for (size_t i = 0; i < network->graph.node_count; i++) {
        const struct node *node = network->graph.nodes[i];
        double room = node->place.kind == PLACE_LAYER ? room_of(node) : 0;
        for (size_t k = 1; k < node->input_count && room <= ROOM_MOST; k++)
            if (node->inputs[k] != NULL && op_slot(node->op, k)->product)
                elements += room + (double)node->inputs[k]->size + 2 * sqrt(room);
    }
    return elements;
}
