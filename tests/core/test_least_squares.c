/* The nearest x between bounds, held against what a nearest one must satisfy. */
#include "tests/main.h"

#include <math.h>

#include "core/base/arena.h"
#include "core/base/least_squares.h"
#include "core/base/numbers.h"

enum { UNKNOWNS_MAX = 24, EQUATIONS_MAX = 30 };

static uint64_t state;

/* Between -1 and 1. */
static double draw(void)
{
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (double)(int64_t)state / 0x1p63;
}

static struct arena arena;
static size_t n, m;
static double columns[UNKNOWNS_MAX][EQUATIONS_MAX], right[EQUATIONS_MAX];
static double a[UNKNOWNS_MAX * UNKNOWNS_MAX], b[UNKNOWNS_MAX];
static double low[UNKNOWNS_MAX], high[UNKNOWNS_MAX], x[UNKNOWNS_MAX];

/* Some columns are sums of others, some are nothing. */
static void draw_problem(size_t unknowns, size_t equations)
{
    n = unknowns;
    m = equations;
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < m; e++)
            columns[i][e] = i % 5 == 4 ? columns[i - 1][e] - 2 * columns[i - 2][e] : i % 7 == 6 ? 0 : draw();
    for (size_t i = 0; i < n; i++) {
        low[i] = -fabs(draw());
        high[i] = i % 6 == 5 ? 0 : fabs(draw());
    }
}

static void make_products(void)
{
    for (size_t i = 0; i < n; i++) {
        b[i] = numbers_dot(m, columns[i], right);
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = numbers_dot(m, columns[i], columns[j]);
    }
}

static void find(void)
{
    make_products();
    arena_init(&arena, (size_t)1 << 20);
    ck_assert(least_squares_between(&arena, n, a, b, low, high, x));
    arena_free(&arena);
    for (size_t i = 0; i < n; i++)
        ck_assert(x[i] >= low[i] && x[i] <= high[i]);
}

static double left_of(size_t e)
{
    double left = right[e];
    for (size_t i = 0; i < n; i++)
        left -= columns[i][e] * x[i];
    return left;
}

START_TEST(what_has_a_solution_between_the_bounds_is_solved)
{
    for (size_t round = 0; round < 400; round++) {
        draw_problem(1 + round % UNKNOWNS_MAX, 1 + round % 7 * 4);
        for (size_t e = 0; e < m; e++)
            right[e] = 0;
        for (size_t i = 0; i < n; i++) {
            double times = round % 2 == 0 ? low[i] + 0.5 * (1 + draw()) * (high[i] - low[i]) : i % 2 ? low[i] : high[i];
            for (size_t e = 0; e < m; e++)
                right[e] += times * columns[i][e];
        }
        find();
        for (size_t e = 0; e < m; e++)
            ck_assert_double_le(fabs(left_of(e)), 1e-9);
    }
}
END_TEST

START_TEST(what_has_none_comes_as_near_as_can_be)
{
    for (size_t round = 0; round < 400; round++) {
        draw_problem(1 + round % UNKNOWNS_MAX, 1 + round % EQUATIONS_MAX);
        for (size_t e = 0; e < m; e++)
            right[e] = 3 * draw();
        find();
        /* Nothing between the bounds leads downwards. */
        for (size_t i = 0; i < n; i++) {
            double slope = 0;
            for (size_t e = 0; e < m; e++)
                slope += columns[i][e] * left_of(e);
            ck_assert(slope <= 1e-9 || x[i] == high[i]);
            ck_assert(slope >= -1e-9 || x[i] == low[i]);
        }
    }
}
END_TEST

START_TEST(columns_that_depend_on_each_other_are_told)
{
    double dependent[] = {4, 0, 2, 1}, free[] = {4, 0, 2, 10}, to[] = {8, 13};
    ck_assert(!least_squares_solve(2, dependent, to));
    to[0] = 8;
    to[1] = 13;
    ck_assert(least_squares_solve(2, free, to));
    ck_assert_double_eq_tol(to[0], 1.5, 1e-12);
    ck_assert_double_eq_tol(to[1], 1, 1e-12);
}
END_TEST

/* A column twice, and what rounding makes of its products: both cannot be found at once, and one of them is enough. */
START_TEST(one_of_two_equal_columns_is_left_alone)
{
    const double equal[] = {1, 1, 1, 1}, products[] = {1, 1 + 1e-9}, least[] = {-2, -2}, most[] = {2, 2};
    double found[2];
    arena_init(&arena, (size_t)1 << 20);
    ck_assert(least_squares_between(&arena, 2, equal, products, least, most, found));
    arena_free(&arena);
    ck_assert_double_eq(found[0], 0);
    ck_assert_double_eq_tol(found[1], 1, 1e-8);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("least squares");
    TCase *tests = tcase_create("least squares");
    tcase_add_test(tests, what_has_a_solution_between_the_bounds_is_solved);
    tcase_add_test(tests, what_has_none_comes_as_near_as_can_be);
    tcase_add_test(tests, columns_that_depend_on_each_other_are_told);
    tcase_add_test(tests, one_of_two_equal_columns_is_left_alone);
    suite_add_tcase(suite, tests);
    return suite;
}
