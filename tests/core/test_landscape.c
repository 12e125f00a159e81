/* The loss around a point; principal components; and the decomposition behind them. */
#include "tests/main.h"

#include <math.h>
#include <string.h>

#include "core/backend/svd.h"
#include "core/base/numpy_random.h"
#include "core/train/landscape.h"
#include "tests/core/chain.h"

enum { PARAMETERS_MAX = 8, RESOLUTION = 5 };

static struct arena arena;
static struct error error;
static struct test_chain chain;
static struct landscape landscape;
static double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, target[] = {0, 1, 1, 0};
static double *parameters[PARAMETERS_MAX], *a[PARAMETERS_MAX], *b[PARAMETERS_MAX];
static double at[RESOLUTION] = {-1, -0.5, 0, 0.5, 1}, losses[RESOLUTION * RESOLUTION];

static const struct link links[] = {{"linear", 3}, {"tanh", 0}, {"linear", 1}, {"sigmoid", 0}, {NULL, 0}};

static size_t size_of(size_t p)
{
    return chain.network.graded[p].value->size;
}

static void setup(void)
{
    struct numpy_random random;
    arena_init(&arena, (size_t)1 << 26);
    error = (struct error){0};
    numpy_random_seed(&random, 1);
    ck_assert_int_eq(chain_build(&arena, 2, 4, links, "mse", &chain, &error), CODE_OK);
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        parameters[p] = arena_doubles(&arena, size_of(p));
        a[p] = arena_doubles(&arena, size_of(p));
        b[p] = arena_doubles(&arena, size_of(p));
        for (size_t i = 0; i < size_of(p); i++)
            parameters[p][i] = numpy_random_normal(&random);
    }
    struct problem problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x, target, parameters);
    landscape = (struct landscape){.problem = problem,
                                   .center = parameters,
                                   .directions = {a, b},
                                   .at = {at, at},
                                   .counts = {RESOLUTION, RESOLUTION}};
}

static void teardown(void)
{
    arena_free(&arena);
}

static double loss_of(void)
{
    struct pass pass;
    ck_assert_int_eq(problem_pass(&arena, &landscape.problem, landscape.problem.backend, &pass, &error), CODE_OK);
    ck_assert_int_eq(pass_forward(&pass, &error), CODE_OK);
    pass_free(&pass);
    return pass.loss;
}

/* Every point is the loss of the parameters that it stands for. */
START_TEST(points)
{
    ck_assert(landscape_random(&arena, &landscape.problem, parameters, 7, NORMALIZE_FILTER, a, b));
    ck_assert_int_eq(landscape_run(&arena, &landscape, losses, &error), CODE_OK);
    for (size_t i = 0; i < RESOLUTION; i++)
        for (size_t j = 0; j < RESOLUTION; j++) {
            double kept[PARAMETERS_MAX][16];
            for (size_t p = 0; p < chain.network.parameter_count; p++)
                for (size_t k = 0; k < size_of(p); k++) {
                    kept[p][k] = parameters[p][k];
                    parameters[p][k] += at[j] * a[p][k] + at[i] * b[p][k];
                }
            ck_assert_double_eq_tol(losses[i * RESOLUTION + j], loss_of(), 1e-14);
            for (size_t p = 0; p < chain.network.parameter_count; p++)
                memcpy(parameters[p], kept[p], size_of(p) * sizeof(double));
        }
    ck_assert_double_ne(losses[0], losses[1]);
}
END_TEST

/* The columns of a weight's direction are as long as the weight's; biases do not move. */
START_TEST(filters)
{
    ck_assert(landscape_random(&arena, &landscape.problem, parameters, 7, NORMALIZE_FILTER, a, b));
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        const struct shape *shape = &chain.network.graded[p].value->shape;
        bool weight = chain.network.graded[p].slot->regularized;
        size_t units = shape->dim[shape->rank - 1];
        for (size_t j = 0; j < units; j++) {
            double own = 0, drawn = 0;
            for (size_t i = j; i < size_of(p); i += units) {
                own += parameters[p][i] * parameters[p][i];
                drawn += a[p][i] * a[p][i];
            }
            ck_assert_double_eq_tol(drawn, (weight ? own : 0), 1e-6);
        }
    }
}
END_TEST

START_TEST(stops)
{
    atomic_bool stop = true;
    ck_assert(landscape_random(&arena, &landscape.problem, parameters, 7, NORMALIZE_NONE, a, b));
    landscape.problem.cancelled = &stop;
    ck_assert_int_eq(landscape_run(&arena, &landscape, losses, &error), CODE_CANCELLED);
    landscape.problem.cancelled = NULL;
    for (size_t n = 1; n < 12; n++) {
        error = (struct error){0};
        arena.fail_in = n;
        int code = landscape_run(&arena, &landscape, losses, &error);
        ck_assert(code == CODE_OK || code == CODE_OUT_OF_MEMORY);
    }
    arena.fail_in = 0;
}
END_TEST

/* A path in a plane is given back by its coordinates; the directions are of length 1 and at a right angle. */
START_TEST(components)
{
    enum { COUNT = 6 };
    size_t n = chain.network.parameter_elements;
    double *path = arena_doubles(&arena, COUNT * n), coordinates[COUNT][2], explained[2];
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < n; k++)
            path[i * n + k] = (double)(COUNT - 1 - i) * sin((double)k) + 0.1 * (double)(i * i) * cos(3 * (double)k);
    for (size_t k = 0, p = 0, at_k = 0; p < chain.network.parameter_count; at_k += size_of(p++))
        for (k = 0; k < size_of(p); k++)
            parameters[p][k] = path[(COUNT - 1) * n + at_k + k];
    ck_assert_int_eq(landscape_pca(&arena, &landscape.problem, COUNT, path, a, b, explained, &error), CODE_OK);
    ck_assert_int_eq(landscape_project(&landscape, COUNT, path, &coordinates[0][0], &error), CODE_OK);
    double aa = 0, ab = 0, bb = 0;
    for (size_t p = 0, at_k = 0; p < chain.network.parameter_count; at_k += size_of(p++))
        for (size_t k = 0; k < size_of(p); k++) {
            aa += a[p][k] * a[p][k];
            ab += a[p][k] * b[p][k];
            bb += b[p][k] * b[p][k];
            for (size_t i = 0; i < COUNT; i++)
                ck_assert_double_eq_tol(parameters[p][k] + coordinates[i][0] * a[p][k] + coordinates[i][1] * b[p][k],
                                        path[i * n + at_k + k], 1e-10);
        }
    ck_assert_double_eq_tol(aa, 1, 1e-12);
    ck_assert_double_eq_tol(bb, 1, 1e-12);
    ck_assert_double_eq_tol(ab, 0, 1e-12);
    ck_assert_double_eq_tol(explained[0] + explained[1], 1, 1e-12);
    ck_assert(coordinates[0][0] > 0 && coordinates[0][1] > 0 && explained[0] >= explained[1]);
    /* What stands still has no path. */
    for (size_t i = 0; i < COUNT; i++)
        memcpy(path + i * n, path, n * sizeof *path);
    ck_assert_int_eq(landscape_pca(&arena, &landscape.problem, COUNT, path, a, b, explained, &error),
                     CODE_OUT_OF_RANGE);
}
END_TEST

static double largest_of(double *const *direction, size_t p)
{
    double largest = 0;
    for (size_t k = 0; k < size_of(p); k++)
        largest = fmax(largest, fabs(direction[p][k]));
    return largest;
}

/* Weights of zeros have no length: the directions are as drawn, and lead somewhere. Where only some are zeros, those
 * alone stay; and weights whose squares vanish have a length. */
START_TEST(zeros)
{
    double *drawn[PARAMETERS_MAX], *other[PARAMETERS_MAX];
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        drawn[p] = arena_doubles(&arena, size_of(p));
        other[p] = arena_doubles(&arena, size_of(p));
        memset(parameters[p], 0, size_of(p) * sizeof(double));
    }
    ck_assert(landscape_random(&arena, &landscape.problem, parameters, 7, NORMALIZE_NONE, drawn, other));
    for (int way = NORMALIZE_FILTER; way <= NORMALIZE_LAYER; way++) {
        ck_assert(landscape_random(&arena, &landscape.problem, parameters, 7, (enum normalization)way, a, b));
        for (size_t p = 0; p < chain.network.parameter_count; p++)
            ck_assert_mem_eq(a[p], drawn[p], size_of(p) * sizeof(double));
        ck_assert_double_gt(largest_of(a, 0), 0.1);
    }
    parameters[2][0] = 1e-200;
    ck_assert(landscape_random(&arena, &landscape.problem, parameters, 7, NORMALIZE_LAYER, a, b));
    ck_assert_double_eq(largest_of(a, 0), 0);
    ck_assert(largest_of(a, 2) > 1e-202 && largest_of(a, 2) <= 1e-200);
}
END_TEST

/* Coordinates of directions, and of a path, whose squares vanish or overflow; of directions of zeros there are none. */
START_TEST(far_and_near)
{
    static const double sizes[] = {0, 1e-200, 1, 1e200};
    size_t n = chain.network.parameter_elements, last = 0;
    double *path = arena_doubles(&arena, n), coordinates[2];
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        memset(parameters[p], 0, size_of(p) * sizeof(double));
        memset(a[p], 0, size_of(p) * sizeof(double));
        memset(b[p], 0, size_of(p) * sizeof(double));
        last = p;
    }
    for (size_t k = 0; k < 16; k++) {
        double of_a = sizes[k % 4], of_b = sizes[k / 4];
        if (of_a > 0 && of_b > 0 && of_a != of_b) continue; /* too far apart for one number */
        a[0][0] = of_a;
        b[last][0] = of_b;
        memset(path, 0, n * sizeof *path);
        path[0] = 2 * of_a;
        path[n - size_of(last)] = -3 * of_b;
        ck_assert_int_eq(landscape_project(&landscape, 1, path, coordinates, &error), CODE_OK);
        ck_assert_double_eq_tol(coordinates[0], (of_a > 0 ? 2 : 0), 1e-12);
        ck_assert_double_eq_tol(coordinates[1], (of_b > 0 ? -3 : 0), 1e-12);
    }
    a[0][0] = 1e-200;
    path[0] = 1e200;
    ck_assert_int_eq(landscape_project(&landscape, 1, path, coordinates, &error), CODE_NOT_FINITE);
    a[0][0] = HUGE_VAL;
    error = (struct error){0};
    ck_assert_int_eq(landscape_run(&arena, &landscape, losses, &error), CODE_NOT_FINITE);
}
END_TEST

/* A path whose squares vanish or overflow is one; its directions are of length 1 all the same. */
START_TEST(components_of_any_size)
{
    static const double sizes[] = {1e-300, 1e-170, 1e170, 1e300};
    size_t n = chain.network.parameter_elements;
    double *path = arena_zeroed(&arena, 3 * n, sizeof *path), explained[2];
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        path[0] = 3 * sizes[k];
        path[n + 1] = 4 * sizes[k];
        ck_assert_int_eq(landscape_pca(&arena, &landscape.problem, 3, path, a, b, explained, &error), CODE_OK);
        ck_assert_double_eq_tol(explained[0], 16.0 / 25, 1e-12);
        ck_assert_double_eq_tol(fabs(a[0][1]), 1, 1e-12);
        ck_assert_double_eq_tol(b[0][0], 1, 1e-12);
    }
    path[0] = 1.5e308;
    path[2 * n] = -1.5e308;
    ck_assert_int_eq(landscape_pca(&arena, &landscape.problem, 3, path, a, b, explained, &error), CODE_NOT_FINITE);
}
END_TEST

/* The rank of a matrix is that of any multiple of it; what overflows is told. */
START_TEST(decompositions_of_any_size)
{
    static const double sizes[] = {1e-310, 1e-200, 1, 1e200, 1e308};
    struct svd svd;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const double s = sizes[k], regular[] = {s, s, s, -s}, single[] = {s, s / 2, s / 2, s / 4};
        ck_assert_int_eq(svd_of(&arena, 2, 2, regular, true, &svd, &error), CODE_OK);
        ck_assert_uint_eq(svd_rank(&svd), 2);
        ck_assert_double_eq_tol(svd_condition(&svd), 1, 1e-12);
        ck_assert_int_eq(svd_of(&arena, 2, 2, single, true, &svd, &error), CODE_OK);
        ck_assert_uint_eq(svd_rank(&svd), 1);
    }
    const double large[] = {1.5e308, 1.5e308, 1.5e308, 1.5e308};
    ck_assert_int_eq(svd_of(&arena, 2, 2, large, false, &svd, &error), CODE_NOT_FINITE);
}
END_TEST

START_TEST(decompositions)
{
    static const size_t sizes[][2] = {{1, 1}, {1, 6}, {6, 1}, {4, 7}, {7, 4}, {5, 5}, {40, 33}};
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
        size_t rows = sizes[c][0], columns = sizes[c][1];
        double *matrix = arena_doubles(&arena, rows * columns);
        struct svd svd, plain;
        for (size_t i = 0; i < rows * columns; i++)
            matrix[i] = sin(3 * (double)i) + 0.1;
        ck_assert_int_eq(svd_of(&arena, rows, columns, matrix, true, &svd, &error), CODE_OK);
        ck_assert_int_eq(svd_of(&arena, rows, columns, matrix, false, &plain, &error), CODE_OK);
        ck_assert(plain.u == NULL && plain.vh == NULL);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++) {
                double sum = 0;
                for (size_t k = 0; k < svd.count; k++)
                    sum += svd.u[i * svd.count + k] * svd.values[k] * svd.vh[k * columns + j];
                ck_assert_double_eq_tol(sum, sin(3 * (double)(i * columns + j)) + 0.1, 1e-12);
            }
        for (size_t k = 0; k < svd.count; k++) {
            ck_assert_double_eq_tol(svd.values[k], plain.values[k], 1e-12);
            ck_assert(k == 0 || svd.values[k] <= svd.values[k - 1]);
        }
    }
    double ones[6] = {1, 1, 1, 1, 1, 1};
    struct svd svd;
    ck_assert_int_eq(svd_of(&arena, 2, 3, ones, false, &svd, &error), CODE_OK);
    ck_assert_uint_eq(svd_rank(&svd), 1);
    ck_assert_double_eq_tol(svd.values[0], sqrt(6), 1e-14);
    for (size_t n = 1; n < 7; n++) {
        arena.fail_in = n;
        error = (struct error){0};
        int code = svd_of(&arena, 2, 3, ones, true, &svd, &error);
        ck_assert(code == CODE_OK || code == CODE_OUT_OF_MEMORY);
    }
    arena.fail_in = 0;
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("landscape");
    TCase *tcase = tcase_create("landscape");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, points);
    tcase_add_test(tcase, filters);
    tcase_add_test(tcase, stops);
    tcase_add_test(tcase, components);
    tcase_add_test(tcase, zeros);
    tcase_add_test(tcase, far_and_near);
    tcase_add_test(tcase, components_of_any_size);
    tcase_add_test(tcase, decompositions);
    tcase_add_test(tcase, decompositions_of_any_size);
    suite_add_tcase(suite, tcase);
    return suite;
}
