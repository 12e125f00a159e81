#include "core/train/landscape.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/backend/svd.h"
#include "core/base/numbers.h"
#include "core/base/numpy_random.h"

const char *const normalization_names[] = {"filter", "layer", "none", NULL};

/* What a node takes, however little it computes; and the part of a pass that is forward. */
#define WORK_PER_NODE 1000.0
#define FORWARD (1.0 / 3)

static const struct value *value_of(const struct problem *problem, size_t p)
{
    return problem->network->graded[p].value;
}

/* ---- the grid ---- */

double landscape_work(const struct network *network, double points)
{
    return points * (FORWARD * network->work + WORK_PER_NODE * (double)network->graph.node_count +
                     10 * (double)network->parameter_elements);
}

bool landscape_elements(const struct network *network, double *elements)
{
    size_t pass;
    if (!pass_elements(&network->graph, &pass)) return false;
    *elements = (double)pass + 4 * (double)network->parameter_elements;
    return true;
}

/* The center and both directions in the backend's memory, laid out as the pass has its parameters. */
struct plane {
    void *center, *directions[2];
};

/* Numbers by parameter into the pass's parameters, and from there into memory of their own. */
static int place(struct arena *arena, struct pass *pass, const struct problem *problem, double *const *numbers,
                 void **memory, struct error *error)
{
    for (size_t p = 0; p < problem->network->parameter_count; p++)
        if (pass_set(pass, value_of(problem, p), numbers[p], error) != CODE_OK) return error->code;
    int code = pass->backend->allocate(arena, pass->block, memory);
    if (code == CODE_OUT_OF_MEMORY) return error_out_of_memory(error);
    if (code == CODE_OK) code = pass->backend->axpby(pass->block, 1, pass->parameters, 0, *memory);
    return backend_error(pass->backend, code, error);
}

static int move(struct pass *pass, const struct plane *plane, double a, double b, struct error *error)
{
    const struct backend *backend = pass->backend;
    int code = backend->axpby(pass->block, 1, plane->center, 0, pass->parameters);
    if (code == CODE_OK) code = backend->axpby(pass->block, a, plane->directions[0], 1, pass->parameters);
    if (code == CODE_OK) code = backend->axpby(pass->block, b, plane->directions[1], 1, pass->parameters);
    return backend_error(backend, code, error);
}

static int loss_here(struct pass *pass, double *loss, struct error *error)
{
    struct error here = {0};
    int code = pass_forward(pass, &here);
    *loss = code == CODE_OK ? pass->loss : NAN;
    if (code == CODE_OK || code == CODE_NOT_FINITE || code == CODE_OUT_OF_RANGE) return CODE_OK;
    *error = here;
    return code;
}

static void release(const struct backend *backend, struct plane *plane)
{
    void *all[] = {plane->center, plane->directions[0], plane->directions[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] != NULL) backend->release(all[i]);
}

/* The center would be nowhere: 0 times infinity. */
static int check_direction(const struct problem *problem, double *const *direction, struct error *error)
{
    enum dtype dtype = problem->backend->dtype;
    double limit = dtype == DTYPE_FLOAT32 ? (double)FLT_MAX : DBL_MAX;
    for (size_t p = 0; p < problem->network->parameter_count; p++)
        if (numbers_largest(value_of(problem, p)->size, direction[p]) > limit)
            return error_set(error, CODE_NOT_FINITE, "a direction overflows %s", dtype_names[dtype]);
    return CODE_OK;
}

int landscape_run(struct arena *arena, const struct landscape *l, double *losses, struct error *error)
{
    const struct problem *problem = &l->problem;
    struct plane plane = {0};
    struct pass pass;
    for (size_t d = 0; d < 2; d++)
        if (check_direction(problem, l->directions[d], error) != CODE_OK) return error->code;
    int code = problem_pass(arena, problem, problem->backend, &pass, error);
    for (size_t d = 0; code == CODE_OK && d < 2; d++)
        code = place(arena, &pass, problem, l->directions[d], &plane.directions[d], error);
    if (code == CODE_OK) code = place(arena, &pass, problem, l->center, &plane.center, error);
    if (code == CODE_OK) code = pass_forward(&pass, error); /* the center has to have a loss */
    for (size_t i = 0; code == CODE_OK && i < l->counts[1]; i++)
        for (size_t j = 0; code == CODE_OK && j < l->counts[0]; j++) {
            code = move(&pass, &plane, l->at[0][j], l->at[1][i], error);
            if (code == CODE_OK) code = loss_here(&pass, &losses[i * l->counts[0] + j], error);
        }
    release(problem->backend, &plane);
    pass_free(&pass);
    return code;
}

/* ---- random directions ---- */

/* The length of n numbers that are `apart` from each other; no square in it overflows or vanishes. */
static double length_of(size_t n, size_t apart, const double *numbers)
{
    double largest = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(numbers[i * apart]));
    for (size_t i = 0; largest > 0 && i < n; i++)
        squares += numbers[i * apart] / largest * (numbers[i * apart] / largest);
    return largest * sqrt(squares);
}

/* Weights [.., units] of which x @ W is taken have a filter for each index of the last axis, all others of the first.
 */
static void normalize(const struct graded *graded, enum normalization normalization, const double *w, double *d)
{
    const struct shape *shape = &graded->value->shape;
    size_t n = graded->value->size, filters = 1, apart = 1, within = 1;
    bool last = graded->slot != NULL && graded->slot->product;
    if (normalization == NORMALIZE_FILTER && shape->rank > 0) {
        filters = shape->dim[last ? shape->rank - 1 : 0];
        apart = last ? filters : 1;
        within = last ? 1 : n / filters;
    }
    for (size_t f = 0; normalization != NORMALIZE_NONE && f < filters; f++) {
        double factor =
            length_of(n / filters, apart, w + f * within) / (length_of(n / filters, apart, d + f * within) + 1e-10);
        for (size_t i = 0; i < n / filters; i++)
            d[f * within + i * apart] *= factor;
    }
}

static bool is_weight(const struct graded *graded)
{
    return graded->slot == NULL || graded->slot->regularized;
}

/* What a random direction moves, and how: a network without weights moves all that it has; and weights that are all 0
 * have no length to go by. */
struct moves {
    bool weights_alone;
    enum normalization normalization;
};

static struct moves moves_of(const struct problem *problem, double *const *center, enum normalization normalization)
{
    const struct network *network = problem->network;
    struct moves moves = {.normalization = NORMALIZE_NONE};
    for (size_t p = 0; p < network->parameter_count; p++)
        moves.weights_alone = moves.weights_alone || is_weight(&network->graded[p]);
    for (size_t p = 0; p < network->parameter_count; p++) {
        if (moves.weights_alone && !is_weight(&network->graded[p])) continue;
        if (numbers_largest(value_of(problem, p)->size, center[p]) > 0) moves.normalization = normalization;
    }
    return moves;
}

bool landscape_random(struct arena *arena, const struct problem *problem, double *const *center, uint32_t seed,
                      enum normalization normalization, double *const *a, double *const *b)
{
    const struct network *network = problem->network;
    double *const *directions[] = {a, b};
    const struct moves moves = moves_of(problem, center, normalization);
    struct numpy_random random;
    size_t most = 0;
    for (size_t p = 0; p < network->parameter_count; p++)
        if (value_of(problem, p)->size > most) most = value_of(problem, p)->size;
    double *drawn = arena_doubles(arena, most);
    if (drawn == NULL) return false;
    numpy_random_seed(&random, seed);
    for (size_t d = 0; d < 2; d++)
        for (size_t p = 0; p < network->parameter_count; p++) {
            const struct graded *graded = &network->graded[p];
            size_t n = graded->value->size;
            memset(directions[d][p], 0, n * sizeof(double));
            if (moves.weights_alone && !is_weight(graded)) continue;
            for (size_t i = 0; i < n; i++)
                drawn[i] = numpy_random_normal(&random);
            struct view view = convention_graded(problem->convention, graded);
            view_import(&view, drawn, directions[d][p]);
            normalize(graded, moves.normalization, center[p], directions[d][p]);
        }
    return true;
}

/* ---- along a path ---- */

/* Of a path along a line, a: into b a direction of length 1 at a right angle to it, as near as can be to the axis of
 * the first number that a moves least. */
static void go_aside(const struct problem *problem, double *const *a, double *const *b)
{
    const struct network *network = problem->network;
    size_t which = 0, axis = 0;
    for (size_t p = 0; p < network->parameter_count; p++)
        for (size_t k = 0; k < value_of(problem, p)->size; k++)
            if (fabs(a[p][k]) < fabs(a[which][axis])) {
                which = p;
                axis = k;
            }
    double along = a[which][axis], length = sqrt(1 - along * along);
    for (size_t p = 0; p < network->parameter_count; p++)
        for (size_t k = 0; k < value_of(problem, p)->size; k++)
            b[p][k] = ((p == which && k == axis ? 1 : 0) - along * a[p][k]) / length;
}

/* A path around its last point; and the products of its rows. */
struct scatter {
    size_t count, n;
    double *rows;     /* [count, n], divided by the largest of them, so that no product overflows or vanishes */
    double *products; /* [count, count] */
};

/* CODE_NOT_FINITE where it is too long. */
static int scatter_rows(const double *path, struct scatter *s, struct error *error)
{
    size_t count = s->count, n = s->n;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < n; k++)
            s->rows[i * n + k] = path[i * n + k] - path[(count - 1) * n + k];
    const struct tensor all = {.size = count * n, .data = s->rows};
    if (tensor_first_not_finite(&all) < all.size)
        return error_set(error, CODE_NOT_FINITE, "the path of the training is too long for float64");
    double largest = numbers_largest(count * n, s->rows);
    for (size_t i = 0; largest > 0 && i < count * n; i++)
        s->rows[i] /= largest;
    return CODE_OK;
}

static int scatter_products(const struct problem *problem, struct scatter *s, struct error *error)
{
    size_t count = s->count, n = s->n;
    for (size_t i = 0; i < count; i++) {
        if (problem->cancelled != NULL && atomic_load_explicit(problem->cancelled, memory_order_relaxed))
            return error_set(error, CODE_CANCELLED, "the work was cancelled");
        for (size_t j = 0; j <= i; j++)
            s->products[i * count + j] = s->products[j * count + i] = numbers_dot(n, s->rows + i * n, s->rows + j * n);
    }
    return CODE_OK;
}

/* The principal components of rows x_i are sums of them, sum_i u_i x_i / sqrt(value), u being an eigenvector of the
 * matrix of their products: of as many rows and columns as there are points, which are few. Here the d-th. */
static void component(const struct problem *problem, const struct scatter *s, const struct svd *svd, size_t d,
                      double *const *to)
{
    double along = 0; /* the first point's coordinate */
    for (size_t i = 0; i < s->count; i++)
        along += svd->u[i * s->count + d] * s->products[i];
    for (size_t p = 0, at = 0; p < problem->network->parameter_count; at += value_of(problem, p++)->size)
        for (size_t k = 0; k < value_of(problem, p)->size; k++) {
            double sum = 0;
            for (size_t i = 0; i < s->count; i++)
                sum += svd->u[i * s->count + d] * s->rows[i * s->n + at + k];
            to[p][k] = copysign(1, along) * sum / sqrt(svd->values[d]);
        }
}

int landscape_pca(struct arena *arena, const struct problem *problem, size_t count, const double *path,
                  double *const *a, double *const *b, double explained[2], struct error *error)
{
    size_t n = problem->network->parameter_elements;
    struct scatter s = {.count = count, .n = n};
    double *const *directions[] = {a, b}, total = 0;
    struct svd svd;
    s.rows = arena_array(arena, count, n * sizeof *s.rows);
    s.products = arena_array(arena, count, count * sizeof *s.products);
    if (s.rows == NULL || s.products == NULL) return error_out_of_memory(error);
    if (n < 2) return error_set(error, CODE_OUT_OF_RANGE, "one number moves along a line: there is no plane");
    if (scatter_rows(path, &s, error) != CODE_OK || scatter_products(problem, &s, error) != CODE_OK) return error->code;
    if (svd_of(arena, count, count, s.products, true, &svd, error) != CODE_OK) return error->code;
    if (!(svd.values[0] > 0))
        return error_set(error, CODE_OUT_OF_RANGE, "the parameters do not move in this training: there is no path");
    for (size_t i = 0; i < count; i++)
        total += svd.values[i];
    /* Products of products: half of the digits. */
    size_t found = svd.values[1] > 1e-14 * svd.values[0] ? 2 : 1;
    explained[1] = 0;
    for (size_t d = 0; d < found; d++) {
        explained[d] = svd.values[d] / total;
        component(problem, &s, &svd, d, directions[d]);
    }
    if (found < 2) go_aside(problem, a, b);
    return CODE_OK;
}

/* Products of the two directions, each divided by its largest number, so that no product overflows or vanishes. */
struct metric {
    double largest[2]; /* 0 of a direction of zeros */
    double aa, ab, bb;
};

static double scaled(double number, double largest)
{
    return largest > 0 ? number / largest : 0;
}

static struct metric metric_of(const struct landscape *l)
{
    const struct problem *problem = &l->problem;
    struct metric m = {.aa = 0};
    for (size_t d = 0; d < 2; d++)
        for (size_t p = 0; p < problem->network->parameter_count; p++)
            m.largest[d] = fmax(m.largest[d], numbers_largest(value_of(problem, p)->size, l->directions[d][p]));
    for (size_t p = 0; p < problem->network->parameter_count; p++)
        for (size_t k = 0; k < value_of(problem, p)->size; k++) {
            double a = scaled(l->directions[0][p][k], m.largest[0]), b = scaled(l->directions[1][p][k], m.largest[1]);
            m.aa += a * a;
            m.ab += a * b;
            m.bb += b * b;
        }
    return m;
}

/* The products of a point, around the center and divided by its largest number, with the directions; that number. */
static double point_products(const struct landscape *l, const struct metric *m, const double *point, double products[2])
{
    const struct problem *problem = &l->problem;
    double largest = 0;
    for (size_t p = 0, at = 0; p < problem->network->parameter_count; at += value_of(problem, p++)->size)
        for (size_t k = 0; k < value_of(problem, p)->size; k++)
            largest = fmax(largest, fabs(point[at + k] - l->center[p][k]));
    products[0] = products[1] = 0;
    for (size_t p = 0, at = 0; p < problem->network->parameter_count; at += value_of(problem, p++)->size)
        for (size_t k = 0; k < value_of(problem, p)->size; k++) {
            double x = scaled(point[at + k] - l->center[p][k], largest);
            for (size_t d = 0; d < 2; d++)
                products[d] += x * scaled(l->directions[d][p][k], m->largest[d]);
        }
    return largest;
}

int landscape_project(const struct landscape *l, size_t count, const double *path, double *coordinates,
                      struct error *error)
{
    const struct metric m = metric_of(l);
    double determinant = m.aa * m.bb - m.ab * m.ab;
    bool plane = determinant > DBL_EPSILON * m.aa * m.bb;
    for (size_t i = 0; i < count; i++) {
        double x[2], *to = coordinates + 2 * i;
        double largest = point_products(l, &m, path + i * l->problem.network->parameter_elements, x);
        to[0] = plane ? (m.bb * x[0] - m.ab * x[1]) / determinant : scaled(x[0], m.aa);
        to[1] = plane ? (m.aa * x[1] - m.ab * x[0]) / determinant : m.aa > 0 ? 0 : scaled(x[1], m.bb);
        for (size_t d = 0; d < 2; d++) {
            to[d] = scaled(to[d] * largest, m.largest[d]);
            if (!isfinite(to[d]))
                return error_set(error, CODE_NOT_FINITE, "the path of the training is too long for these directions");
        }
    }
    return CODE_OK;
}
