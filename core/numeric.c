#include "core/numeric.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MAGNITUDE_FLOOR 1e-8
#define WORK_PER_NODE 100.0

/* On which side of its kinks every element of the network lies. */
struct sides {
    size_t count;
    signed char *here, *there;
};

static signed char side(double value, double kink)
{
    return (signed char)((value > kink) - (value < kink));
}

static size_t kinked_elements(const struct network *network, size_t batch)
{
    size_t n = 0;
    for (size_t i = 0; i < network->node_count; i++)
        if (network->nodes[i].layer->op->kink != KINK_NONE) n += batch * network->nodes[i].in_size;
    if (network->definition->loss.op->kink != KINK_NONE) n += batch * network_output(network)->out_size;
    return n;
}

static void margin_sides(size_t rows, size_t columns, const double *p, const double *t, signed char *to)
{
    for (size_t i = 0; i < rows; i++, p += columns, t += columns, to += columns) {
        size_t c = 0;
        while (c + 1 < columns && t[c] == 0)
            c++;
        for (size_t j = 0; j < columns; j++)
            to[j] = j == c ? 0 : side(p[j] - p[c] + 1, 0);
    }
}

static void find_sides(const struct pass *pass, signed char *to)
{
    const struct network *network = pass->network;
    for (size_t i = 0; i < network->node_count; i++) {
        const struct node *node = &network->nodes[i];
        if (node->layer->op->kink == KINK_NONE) continue;
        const double *x = node->input == NODE_INPUT ? pass->x : pass->y[node->input];
        for (size_t e = 0; e < pass->batch * node->in_size; e++)
            *to++ = side(x[e], node->layer->op->kink_at);
    }
    enum kink kink = network->definition->loss.op->kink;
    const double *p = pass->y[network->node_count - 1], *t = pass->target;
    size_t columns = network_output(network)->out_size;
    if (kink == KINK_ERROR)
        for (size_t e = 0; e < pass->batch * columns; e++)
            to[e] = side(p[e], t[e]);
    if (kink == KINK_MARGIN) margin_sides(pass->batch, columns, p, t, to);
}

/* The loss with one parameter's element at `value`; *crossed where a kink lies between it and where we are.
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

static int verify_parameter(struct pass *pass, size_t p, const double *gradient, const struct sides *sides,
                            struct verification *v, struct error *error)
{
    double *w = pass->parameters[p], largest = MAGNITUDE_FLOOR;
    size_t n = pass->network->parameters[p].size;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(gradient[i]));
    for (size_t i = 0; i < n; i++) {
        double here = w[i], step = cbrt(DBL_EPSILON) * fmax(1, fabs(here)), above = here + step, below = here - step,
               up, down;
        bool crossed = false;
        int code = loss_at(pass, &w[i], above, sides, &crossed, &up, error);
        if (code == CODE_OK) code = loss_at(pass, &w[i], below, sides, &crossed, &down, error);
        w[i] = here;
        if (code != CODE_OK) return code;
        if (crossed) {
            v->at_kinks++;
            continue;
        }
        v->checked++;
        /* The step that was really taken: here + step is rounded. */
        double difference = fabs((up - down) / (above - below) - gradient[i]);
        if (difference > v->max_abs_diff) v->max_abs_diff = difference;
        if (difference / largest > v->max_rel_diff || v->checked == 1) {
            v->max_rel_diff = difference / largest;
            v->parameter = p;
            v->worst = i;
        }
    }
    return CODE_OK;
}

double numeric_work(const struct network *network, size_t batch)
{
    /* Two forward passes an element, each about a third of a forward and backward, and some work at each node that does
     * not depend on its size. */
    double pass = network->work * (double)batch / 3 + WORK_PER_NODE * (double)network->node_count;
    return 2 * (double)network->parameter_elements * pass;
}

int numeric_verify(struct arena *arena, const struct network *network, size_t batch, double *const *parameters,
                   const double *x, const double *target, double *const *gradients, const atomic_bool *cancelled,
                   struct verification *verification, struct error *error)
{
    *verification = (struct verification){0};
    struct pass pass;
    if (pass_new(arena, network, backend_cpu(DTYPE_FLOAT64), batch, &pass, error) != CODE_OK) return error->code;
    pass.cancelled = cancelled;
    struct sides sides = {.count = kinked_elements(network, batch)};
    sides.here = arena_array(arena, sides.count, 2);
    if (sides.here == NULL) return error_set(error, CODE_OUT_OF_MEMORY, "out of memory");
    sides.there = sides.here + sides.count;

    int code = pass_set_data(&pass, x, target, error);
    for (size_t p = 0; code == CODE_OK && p < network->parameter_count; p++)
        code = pass_set_parameter(&pass, p, parameters[p], error);
    if (code == CODE_OK) code = pass_forward(&pass, error);
    if (code == CODE_OK) find_sides(&pass, sides.here);
    for (size_t p = 0; code == CODE_OK && p < network->parameter_count; p++)
        code = verify_parameter(&pass, p, gradients[p], &sides, verification, error);
    pass_free(&pass);
    return code;
}
