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
    for (int f = 0; f < MAP_COUNT; f++)
        ck_assert_msg(isnan(map_at(b, (enum map)f, NAN)), "map %d", f);
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
    tcase_add_loop_test(tcase, products, 0, conformance.count);
    suite_add_tcase(suite, tcase);
}
