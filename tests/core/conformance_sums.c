/* Sums on every backend: they are taken in float64, in float32's arithmetic, too; and nothing is left out where there
 * is more than a grid has threads. All terms are whole numbers whose sums float64 holds exactly and float32 does not,
 * so that the results must be exact, in whatever order a backend adds. */
#include "tests/core/conformance.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/error.h"

enum { TERMS = 70001, ROWS = 4099, COLUMNS = 5 };

static struct arena arena;

static void begin(void)
{
    arena_init(&arena, (size_t)1 << 30);
    conformance_seed();
}

static void end(void)
{
    arena_free(&arena);
}

static double whole(double below)
{
    return floor(uniform(-below, below));
}

static double *numbers(size_t n)
{
    double *values = malloc(n * sizeof *values);
    ck_assert_ptr_nonnull(values);
    return values;
}

START_TEST(the_sums_of_losses_and_products)
{
    const struct backend *b = conformance.backends[_i];
    double *x = numbers(TERMS), *t = numbers(TERMS), found = 0;
    double products = 0, squares = 0, hinge = 0;
    for (size_t i = 0; i < TERMS; i++) {
        x[i] = whole(2000);
        t[i] = whole(2000);
        products += x[i] * t[i];
        squares += (x[i] - t[i]) * (x[i] - t[i]);
    }
    struct guarded X = guarded_new(&arena, b, TERMS, x), T = guarded_new(&arena, b, TERMS, t);
    ck_assert_int_eq(b->dot(TERMS, guarded_data(&X), guarded_data(&T), &found), CODE_OK);
    ck_assert_double_eq(found, products);
    ck_assert_int_eq(b->loss(LOSS_squared_error, 0, TERMS, guarded_data(&X), guarded_data(&T), &found), CODE_OK);
    ck_assert_double_eq(found, squares);
    guarded_free(&T);
    for (size_t i = 0; i < TERMS; i++)
        t[i] = i % 7 == i / 7 % 7;
    for (size_t row = 0; row < TERMS / 7; row++)
        for (size_t j = 0; j < 7; j++) {
            double margin = 1 + x[row * 7 + j] - x[row * 7 + row % 7];
            if (j != row % 7 && margin > 0) hinge += margin;
        }
    T = guarded_new(&arena, b, TERMS, t);
    ck_assert_int_eq(b->hinge(TERMS / 7, 7, guarded_data(&X), guarded_data(&T), &found), CODE_OK);
    ck_assert_double_eq(found, hinge);
    guarded_free(&X);
    guarded_free(&T);
    free(x);
    free(t);
}
END_TEST

/* What they come to is small, but on the way there is much that float32 would round. */
START_TEST(the_sums_over_rows)
{
    const struct backend *b = conformance.backends[_i];
    double *x = numbers((size_t)ROWS * COLUMNS), found[COLUMNS], want[COLUMNS];
    for (size_t j = 0; j < COLUMNS; j++) {
        want[j] = whole(1000);
        for (size_t i = 0; i < ROWS / 2; i++) {
            x[i * COLUMNS + j] = whole(1 << 24);
            x[(ROWS - 1 - i) * COLUMNS + j] = -x[i * COLUMNS + j];
        }
        x[ROWS / 2 * COLUMNS + j] = want[j];
    }
    struct guarded X = guarded_new(&arena, b, (size_t)ROWS * COLUMNS, x), v = guarded_new(&arena, b, COLUMNS, NULL);
    ck_assert_int_eq(b->sum_rows(ROWS, COLUMNS, guarded_data(&X), guarded_data(&v)), CODE_OK);
    guarded_read(&v, found);
    for (size_t j = 0; j < COLUMNS; j++)
        ck_assert_double_eq(found[j], want[j]);
    guarded_free(&X);
    guarded_free(&v);
    free(x);
}
END_TEST

/* Two elements that are repeated in a long tensor, `inner` times in a row. What comes to 2^24 and more is whole and
 * even, so that float32 holds it; but were it added up in float32, there an odd term would be rounded each time. */
static void check_repetitions(const struct backend *b, const struct spread *s, size_t inner)
{
    size_t n = 1;
    for (size_t axis = 0; axis < s->rank; axis++)
        n *= s->dim[axis];
    double *x = numbers(n), found[2];
    for (size_t i = 0; i < n; i++)
        x[i] = i / inner % 2 == 0 ? 101 : 103;
    struct guarded X = guarded_new(&arena, b, n, x), v = guarded_new(&arena, b, 2, NULL);
    ck_assert_int_eq(b->sum_spread(s, guarded_data(&X), guarded_data(&v)), CODE_OK);
    guarded_read(&v, found);
    ck_assert_double_eq(found[0], (double)(n / 2) * 101);
    ck_assert_double_eq(found[1], (double)(n / 2) * 103);
    guarded_free(&X);
    guarded_free(&v);
    free(x);
}

START_TEST(the_sums_of_what_is_repeated)
{
    const struct backend *b = conformance.backends[_i];
    const size_t times = 200000;
    check_repetitions(b, &(struct spread){.rank = 2, .dim = {times, 2}, .stride = {0, 1}}, 1);
    check_repetitions(b, &(struct spread){.rank = 2, .dim = {2, times}, .stride = {1, 0}}, times);
    check_repetitions(b, &(struct spread){.rank = 3, .dim = {4, 2, times / 4}, .stride = {0, 1, 0}}, times / 4);
}
END_TEST

/* 1 / sqrt(mean of squares), Y and the gradient of a row whose elements are in pairs about one in the middle: the sums
 * of what is large in them come to nothing. Rounded by float32 on the way, they would not. */
static void check_normalization(const struct backend *b, size_t n)
{
    double *x = numbers(n), *y = numbers(n), *dy = numbers(n), *found = numbers(n), inverse = 0, squares = 0, along = 0;
    const double middle = (1 << 22) + 1, tolerance = b->dtype == DTYPE_FLOAT32 ? 2e-7 : 1e-15;
    for (size_t j = 0; j < n / 2; j++) {
        double away = whole(2000);
        x[j] = middle + away;
        x[n - 1 - j] = middle - away;
        squares += 2 * away * away;
        y[j] = y[n - 1 - j] = whole(4);
        dy[j] = whole(1 << 24);
        dy[n - 1 - j] = -dy[j];
    }
    x[n / 2] = middle;
    y[n / 2] = 3;
    dy[n / 2] = whole(1000);
    along = y[n / 2] * dy[n / 2];
    struct guarded X = guarded_new(&arena, b, n, x), Y = guarded_new(&arena, b, n, NULL),
                   I = guarded_new(&arena, b, 1, NULL);
    ck_assert_int_eq(b->normalize(0.5, 1, n, guarded_data(&X), guarded_data(&Y), guarded_data(&I)), CODE_OK);
    const double scale = 1 / sqrt(squares / (double)n + 0.5);
    guarded_read(&I, &inverse);
    ck_assert_double_le(fabs(inverse - scale), tolerance * scale);
    guarded_read(&Y, found);
    for (size_t j = 0; j < n; j++)
        ck_assert_double_le(fabs(found[j] - (x[j] - middle) * scale), tolerance * fabs(found[j]));
    guarded_free(&X);
    guarded_free(&Y);
    struct guarded YY = guarded_new(&arena, b, n, y), dY = guarded_new(&arena, b, n, dy);
    ck_assert_int_eq(
        b->normalize_gradient(1, n, guarded_data(&YY), guarded_data(&I), guarded_data(&dY), guarded_data(&dY)),
        CODE_OK);
    guarded_read(&dY, found);
    const double mean = dy[n / 2] / (double)n, slope = along / (double)n,
                 want = inverse * (dy[n / 2] - mean - y[n / 2] * slope);
    ck_assert_double_le(fabs(found[n / 2] - want), tolerance * fabs(want));
    guarded_free(&YY);
    guarded_free(&I);
    guarded_free(&dY);
    free(x);
    free(y);
    free(dy);
    free(found);
}

START_TEST(the_sums_of_a_normalized_row)
{
    check_normalization(conformance.backends[_i], 37);
    check_normalization(conformance.backends[_i], 1301);
}
END_TEST

/* More elements than 2^16 blocks of 256 threads. */
START_TEST(more_elements_than_threads)
{
    const struct backend *b = conformance.backends[_i];
    const size_t n = ((size_t)1 << 24) + 777;
    if (b->dtype != DTYPE_FLOAT32) return; /* the same code, and half the memory */
    double *x = numbers(n);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)(i % 1000);
    struct guarded X = guarded_new(&arena, b, n, x), Y = guarded_new(&arena, b, n, x);
    ck_assert_int_eq(b->axpby(n, 2, guarded_data(&X), 1, guarded_data(&Y)), CODE_OK);
    guarded_read(&Y, x);
    for (size_t i = 0; i < n; i++)
        if (x[i] != (double)(3 * (i % 1000))) ck_abort_msg("element %zu is %g", i, x[i]);
    guarded_free(&X);
    guarded_free(&Y);
    free(x);
}
END_TEST

void conformance_add_sums(Suite *suite)
{
    TCase *tcase = tcase_create("sums");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, the_sums_of_losses_and_products, 0, conformance.count);
    tcase_add_loop_test(tcase, the_sums_over_rows, 0, conformance.count);
    tcase_add_loop_test(tcase, the_sums_of_what_is_repeated, 0, conformance.count);
    tcase_add_loop_test(tcase, the_sums_of_a_normalized_row, 0, conformance.count);
    tcase_add_loop_test(tcase, more_elements_than_threads, 0, conformance.count);
    suite_add_tcase(suite, tcase);
}
