/* Formulas and products by their numbers: where naive formulas fail, and every size and orientation against the
 * definition. */
#include "tests/core/conformance.h"

#include <math.h>

/* ---- values where naive formulas fail ---- */

/* A backend of a loop test over backends, or over backends and something else. */
static const struct backend *backend_of_loop(int i, int count)
{
    return conformance.backends[i / count];
}

static double map_at(const struct backend *b, enum map f, double x)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    struct guarded at = guarded_new(&arena, b, 1, &x), to = guarded_new(&arena, b, 1, NULL);
    double y;
    ck_assert_int_eq(b->map(f, 1, 1, guarded_data(&at), guarded_data(&to)), CODE_OK);
    guarded_read(&to, &y);
    guarded_free(&at);
    guarded_free(&to);
    arena_free(&arena);
    return y;
}

static double slope_at(const struct backend *b, enum map f, double x)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    double one = 1, y = map_at(b, f, x), dx;
    struct guarded t[] = {guarded_new(&arena, b, 1, &x), guarded_new(&arena, b, 1, &y), guarded_new(&arena, b, 1, &one),
                          guarded_new(&arena, b, 1, NULL)};
    ck_assert_int_eq(
        b->map_gradient(f, 1, 1, guarded_data(&t[0]), guarded_data(&t[1]), guarded_data(&t[2]), guarded_data(&t[3])),
        CODE_OK);
    guarded_read(&t[3], &dx);
    for (size_t i = 0; i < 4; i++)
        guarded_free(&t[i]);
    arena_free(&arena);
    return dx;
}

static double loss_at(const struct backend *b, enum elementwise_loss l, double p, double t)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    struct guarded prediction = guarded_new(&arena, b, 1, &p), target = guarded_new(&arena, b, 1, &t);
    double loss = 0;
    ck_assert_int_eq(b->loss(l, 0, 1, guarded_data(&prediction), guarded_data(&target), &loss), CODE_OK);
    guarded_free(&prediction);
    guarded_free(&target);
    arena_free(&arena);
    return loss;
}

/* No value and no slope of an activation is NaN or infinite anywhere on the axis, but where the function itself is that
 * large.
 */
START_TEST(maps_are_finite)
{
    const double points[] = {-1e308, -1e154, -1e4, -750, -40, -1e-300, -0.0, 0, 1e-300, 40, 750, 1e4, 1e154, 1e308};
    const struct backend *b = backend_of_loop(_i, MAP_ACTIVATIONS);
    enum map f = (enum map)(_i % MAP_ACTIVATIONS);
    for (size_t i = 0; b->dtype == DTYPE_FLOAT64 && i < sizeof points / sizeof *points; i++) {
        ck_assert_msg(isfinite(map_at(b, f, points[i])), "map %d at %g", _i, points[i]);
        ck_assert_msg(isfinite(slope_at(b, f, points[i])), "slope %d at %g", _i, points[i]);
    }
}
END_TEST

START_TEST(maps_and_losses_hand_nan_on)
{
    const struct backend *b = backend_of_loop(_i, 1);
    for (int f = 0; f < MAP_COUNT; f++) /* as a truth value it is true */
        ck_assert_msg(isnan(map_at(b, (enum map)f, NAN)) || f == MAP_logical_not, "map %d", f);
    for (int l = 0; l < LOSS_COUNT; l++)
        /* cross_entropy's clamp would swallow it, but it is only ever asked about probabilities that were looked at */
        ck_assert_msg(isnan(loss_at(b, (enum elementwise_loss)l, NAN, 1)) || l == LOSS_cross_entropy || l == LOSS_bce,
                      "loss %d", l);
}
END_TEST

static void saturated_logits(const struct backend *b)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    const double logits[3] = {1e4, -1e4, 0}, target[3] = {0, 1, 0};
    struct guarded p = guarded_new(&arena, b, 3, logits), t = guarded_new(&arena, b, 3, target),
                   dp = guarded_new(&arena, b, 3, NULL);
    double loss = 0, d[3];
    ck_assert_int_eq(b->softmax_cross_entropy(1, 3, guarded_data(&p), guarded_data(&t), &loss), CODE_OK);
    ck_assert_double_eq(loss, 2e4);
    ck_assert_int_eq(b->softmax_cross_entropy_gradient(1, 1, 3, guarded_data(&p), guarded_data(&t), guarded_data(&dp)),
                     CODE_OK);
    guarded_read(&dp, d);
    ck_assert(d[0] == 1 && d[1] == -1 && d[2] == 0);
    guarded_free(&p);
    guarded_free(&t);
    guarded_free(&dp);
    arena_free(&arena);
}

START_TEST(saturated)
{
    const struct backend *b = backend_of_loop(_i, 1);
    if (b->dtype != DTYPE_FLOAT64) return;
    ck_assert_double_eq_tol(slope_at(b, MAP_sigmoid, -40) / exp(-40), 1, 4e-15);
    ck_assert_double_eq(slope_at(b, MAP_sigmoid, 40), 0); /* as PyTorch: the output is exactly 1 there */
    ck_assert_double_eq(slope_at(b, MAP_tanh, 30), 0);
    ck_assert_double_eq_tol(map_at(b, MAP_sigmoid, -700) / exp(-700), 1, 4e-15);
    ck_assert_double_eq(slope_at(b, MAP_relu, 0), 0);
    ck_assert_double_eq(slope_at(b, MAP_leaky_relu, 0), 1); /* the attribute, 1 here */
    saturated_logits(b);
    ck_assert_double_eq(loss_at(b, LOSS_bce_with_logits, -800, 1), 800);
    ck_assert_double_eq(loss_at(b, LOSS_bce, 0, 1), 100); /* at a probability of exactly 0 */
}
END_TEST

/* ---- what programs are made of, by its numbers: NumPy's, and PyTorch's for slopes ---- */

static const struct point {
    enum map map;
    double x, y, slope; /* the attribute being 1 */
} points[] = {{MAP_absolute, 0, 0, 0},
              {MAP_absolute, -3, 3, -1},
              {MAP_sign, -0.5, -1, 0},
              {MAP_sign, 0, 0, 0},
              {MAP_sqrt, 4, 2, 0.25},
              {MAP_sqrt, 0, 0, HUGE_VAL},
              {MAP_log, 0, -HUGE_VAL, HUGE_VAL},
              {MAP_log, -1, NAN, -1},
              {MAP_square, -3, 9, -6},
              {MAP_cube, -2, -8, 12},
              {MAP_reciprocal, -2, -0.5, -0.25},
              {MAP_power, 0, 0, 1},
              {MAP_power, -3, -3, 1},
              {MAP_at_least, 1, 1, 1},
              {MAP_at_least, 0.5, 1, 0},
              {MAP_at_least, 3, 3, 1},
              {MAP_at_most, 1, 1, 1},
              {MAP_at_most, 0.5, 0.5, 1},
              {MAP_at_most, 3, 1, 0},
              {MAP_rint, 0.5, 0, 0},
              {MAP_rint, 1.5, 2, 0},
              {MAP_rint, -2.5, -2, 0},
              {MAP_rint, 2.75, 3, 0},
              {MAP_trunc, -2.75, -2, 0},
              {MAP_floor, -2.25, -3, 0},
              {MAP_ceil, -2.25, -2, 0},
              {MAP_logical_not, 0, 1, 0},
              {MAP_logical_not, NAN, 0, 0},
              {MAP_logical_not, -2, 0, 0}};

static const struct meeting {
    enum binary f;
    double a, b, y, to_a, to_b; /* what a gradient of 1 sends to the two */
} meetings[] = {{BINARY_divided, 1, 0, HUGE_VAL, HUGE_VAL, -HUGE_VAL},
                {BINARY_divided, 3, 2, 1.5, 0.5, -0.75},
                {BINARY_raised, -2, 3, -8, 12, NAN},
                {BINARY_raised, -2, 0.5, NAN, NAN, NAN},
                {BINARY_raised, 0, 0, 1, 0, 0},
                {BINARY_raised, 0, 1, 0, 1, 0},
                {BINARY_raised, 0, 2, 0, 0, 0},
                {BINARY_raised, 0, -1, HUGE_VAL, -HUGE_VAL, -HUGE_VAL},
                {BINARY_maximum, 2, 2, 2, 1, 0},
                {BINARY_maximum, 1, 2, 2, 0, 1},
                {BINARY_maximum, NAN, 2, NAN, 1, 0},
                {BINARY_maximum, 2, NAN, NAN, 0, 1},
                {BINARY_minimum, 2, 2, 2, 1, 0},
                {BINARY_minimum, 1, 2, 1, 1, 0},
                {BINARY_minimum, NAN, 2, NAN, 1, 0},
                {BINARY_minimum, 2, NAN, NAN, 0, 1},
                {BINARY_kept_where, 0, HUGE_VAL, 0, 0, 0},
                {BINARY_kept_where, 1, 3, 3, 0, 1},
                {BINARY_kept_unless, 1, NAN, 0, 0, 0},
                {BINARY_kept_unless, 0, 3, 3, 0, 1},
                {.f = BINARY_less, .a = 1, .b = 1, .y = 0},
                {.f = BINARY_less, .a = 1, .b = 2, .y = 1},
                {.f = BINARY_less, .a = NAN, .b = 2, .y = 0},
                {.f = BINARY_less_equal, .a = 1, .b = 1, .y = 1},
                {.f = BINARY_less_equal, .a = 2, .b = 1, .y = 0},
                {.f = BINARY_greater, .a = 1, .b = 1, .y = 0},
                {.f = BINARY_greater, .a = 2, .b = 1, .y = 1},
                {.f = BINARY_greater_equal, .a = 1, .b = 1, .y = 1},
                {.f = BINARY_greater_equal, .a = 1, .b = 2, .y = 0},
                {.f = BINARY_equal, .a = 1, .b = 1, .y = 1},
                {.f = BINARY_equal, .a = NAN, .b = NAN, .y = 0},
                {.f = BINARY_not_equal, .a = 1, .b = 1, .y = 0},
                {.f = BINARY_not_equal, .a = NAN, .b = NAN, .y = 1},
                {.f = BINARY_logical_and, .a = 2, .b = -1, .y = 1},
                {.f = BINARY_logical_and, .a = 2, .b = 0, .y = 0},
                {.f = BINARY_logical_or, .a = 0, .b = -1, .y = 1},
                {.f = BINARY_logical_or, .a = 0, .b = 0, .y = 0},
                {.f = BINARY_mod, .a = 7, .b = 3, .y = 1},
                {.f = BINARY_mod, .a = -7, .b = 3, .y = 2},
                {.f = BINARY_mod, .a = 7, .b = -3, .y = -2},
                {.f = BINARY_mod, .a = -7, .b = -3, .y = -1},
                {.f = BINARY_mod, .a = -6, .b = 3, .y = 0},
                {.f = BINARY_mod, .a = 1, .b = 0, .y = NAN},
                {.f = BINARY_mod, .a = -1, .b = HUGE_VAL, .y = HUGE_VAL},
                {.f = BINARY_floor_divide, .a = 7, .b = 2, .y = 3},
                {.f = BINARY_floor_divide, .a = -7, .b = 2, .y = -4},
                {.f = BINARY_floor_divide, .a = 7, .b = -2, .y = -4},
                {.f = BINARY_floor_divide, .a = -7, .b = -2, .y = 3},
                {.f = BINARY_floor_divide, .a = -6, .b = 2, .y = -3},
                {.f = BINARY_floor_divide, .a = 1, .b = 0, .y = HUGE_VAL},
                {.f = BINARY_floor_divide, .a = 1, .b = 0.1, .y = 9}}; /* float64's 0.1 is above a tenth */

static bool is_it(double got, double want)
{
    return isnan(want) ? isnan(got) : got == want;
}

static void check_meeting(const struct backend *b, const struct meeting *m)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    const struct broadcast s = {.rank = 1, .dim = {1}, .stride = {{1}, {1}, {1}}};
    const double one = 1;
    double y, sent[2] = {0, 0};
    struct guarded t[] = {guarded_new(&arena, b, 1, &m->a), guarded_new(&arena, b, 1, &m->b),
                          guarded_new(&arena, b, 1, &one), guarded_new(&arena, b, 1, NULL),
                          guarded_new(&arena, b, 1, NULL)};
    void *p[5];
    for (size_t i = 0; i < 5; i++)
        p[i] = guarded_data(&t[i]);
    ck_assert_int_eq(b->binary(m->f, &s, p[0], p[1], p[3]), CODE_OK);
    guarded_read(&t[3], &y);
    for (int second = 0; m->f < BINARY_ARITHMETIC && second < 2; second++) {
        ck_assert_int_eq(b->binary_gradient(m->f, second, &s, p[0], p[1], p[3], p[2], p[4]), CODE_OK);
        guarded_read(&t[4], &sent[second]);
    }
    ck_assert_msg(is_it(y, m->y) && is_it(sent[0], m->to_a) && is_it(sent[1], m->to_b),
                  "binary %d of %g and %g: %g, sends %g and %g", m->f, m->a, m->b, y, sent[0], sent[1]);
    for (size_t i = 0; i < 5; i++)
        guarded_free(&t[i]);
    arena_free(&arena);
}

START_TEST(elementary)
{
    const struct backend *b = backend_of_loop(_i, 1);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        const struct point *p = &points[i];
        double y = map_at(b, p->map, p->x), slope = slope_at(b, p->map, p->x);
        ck_assert_msg(is_it(y, p->y) && is_it(slope, p->slope), "map %d at %g: %g, slope %g", p->map, p->x, y, slope);
    }
    for (size_t i = 0; i < sizeof meetings / sizeof *meetings; i++)
        if (b->dtype == DTYPE_FLOAT64 || meetings[i].b != 0.1) check_meeting(b, &meetings[i]);
}
END_TEST

/* ---- products of every size and orientation against the definition ---- */

static void check_gemm(const struct backend *b, bool ta, bool tb, size_t m, size_t n, size_t k, double beta)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 28);
    double *A = arena_doubles(&arena, m * k), *B = arena_doubles(&arena, k * n), *C = arena_doubles(&arena, m * n),
           *want = arena_doubles(&arena, m * n);
    for (size_t i = 0; i < m * k; i++)
        A[i] = (double)(float)uniform(-1, 1);
    for (size_t i = 0; i < k * n; i++)
        B[i] = (double)(float)uniform(-1, 1);
    for (size_t i = 0; i < m * n; i++)
        want[i] = C[i] = beta != 0 ? (double)(float)uniform(-1, 1) : NAN; /* beta = 0 must not read C */
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t p = 0; p < k; p++)
                sum += (ta ? A[p * m + i] : A[i * k + p]) * (tb ? B[j * k + p] : B[p * n + j]);
            want[i * n + j] = 0.5 * sum + (beta != 0 ? beta * want[i * n + j] : 0);
        }
    void *a, *bb, *c;
    ck_assert(b->allocate(&arena, m * k, &a) == CODE_OK && b->allocate(&arena, k * n, &bb) == CODE_OK &&
              b->allocate(&arena, m * n, &c) == CODE_OK);
    b->upload(m * k, A, a); /* failures show in the result */
    b->upload(k * n, B, bb);
    b->upload(m * n, C, c);
    ck_assert_int_eq(b->gemm(ta, tb, m, n, k, 0.5, a, bb, beta, c), CODE_OK);
    b->download(m * n, c, C);
    double tolerance = (b->dtype == DTYPE_FLOAT32 ? 1e-5 : 1e-14) * (double)(k + 1);
    for (size_t i = 0; i < m * n; i++)
        ck_assert_msg(fabs(C[i] - want[i]) <= tolerance, "gemm %d%d %zux%zux%zu", ta, tb, m, n, k);
    b->release(a);
    b->release(bb);
    b->release(c);
    arena_free(&arena);
}

START_TEST(products)
{
    const size_t sizes[][3] = {{1, 1, 1},    {4, 3, 2},   {1, 9, 33},   {16, 16, 16},
                               {17, 16, 16}, {64, 5, 40}, {40, 70, 33}, {3, 2, 0}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int o = 0; o < 8; o++)
            check_gemm(backend_of_loop(_i, 1), o & 1, o & 2, sizes[s][0], sizes[s][1], sizes[s][2], o & 4 ? 1.5 : 0);
}
END_TEST

void conformance_add_values(Suite *suite)
{
    TCase *tcase = tcase_create("values");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, maps_are_finite, 0, MAP_ACTIVATIONS * conformance.count);
    tcase_add_loop_test(tcase, maps_and_losses_hand_nan_on, 0, conformance.count);
    tcase_add_loop_test(tcase, saturated, 0, conformance.count);
    tcase_add_loop_test(tcase, elementary, 0, conformance.count);
    tcase_add_loop_test(tcase, products, 0, conformance.count);
    suite_add_tcase(suite, tcase);
}
