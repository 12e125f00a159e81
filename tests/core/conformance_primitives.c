/* Every primitive of a backend against the scalar formulas, on sizes around those of warps and blocks: the right
 * numbers, NaN and infinities where they belong, nothing written elsewhere, the inputs left alone, and the same bits
 * again. */
#include "tests/core/conformance_call.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

#include "core/base/error.h"

#define FORMULA static inline

#define REAL double
#define NAME(x) x##_f64
#include "core/backend/formulas.h"
#include "core/backend/updates.h"
#undef REAL
#undef NAME

#define REAL float
#define NAME(x) x##_f32
#include "core/backend/formulas.h"
#include "core/backend/updates.h"
#undef REAL
#undef NAME

/* Around those of warps and blocks. */
static const size_t sizes[] = {1, 2, 31, 32, 33, 63, 255, 256, 257, 1023, 1024, 1025, 4099};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* ---- elementwise ---- */

static int run_map(struct call *c)
{
    return c->b->map((enum map)c->which, c->a, c->n, c->p[0], c->p[1]);
}

static int run_map_in_place(struct call *c)
{
    return c->b->map((enum map)c->which, c->a, c->n, c->p[0], c->p[0]);
}

static int run_map_gradient(struct call *c)
{
    return c->b->map_gradient((enum map)c->which, c->a, c->n, c->p[0], c->p[1], c->p[2], c->p[3]);
}

static double map_value(bool narrow, enum map f, double a, double x)
{
#define MAP_CASE(name)                                                                                                 \
    if (f == MAP_##name) return narrow ? (double)name##_f32((float)a, (float)x) : name##_f64(a, x);
    FORMULAS_OF_MAPS(MAP_CASE)
#undef MAP_CASE
    return NAN;
}

static double map_slope(bool narrow, enum map f, double a, double x, double y)
{
#define MAP_CASE(name)                                                                                                 \
    if (f == MAP_##name)                                                                                               \
        return narrow ? (double)name##_slope_f32((float)a, (float)x, (float)y) : name##_slope_f64(a, x, y);
    FORMULAS_OF_MAPS(MAP_CASE)
#undef MAP_CASE
    return NAN;
}

static void check_map(const struct backend *b, enum map f, size_t n, bool odd, bool in_place)
{
    struct call c = call_of(b, "map", in_place ? run_map_in_place : run_map, n, 1);
    bool narrow = b->dtype == DTYPE_FLOAT32;
    c.which = (int)f;
    c.a = 0.3;
    struct operand *x = add_operand(&c, n, -3, 3);
    if (odd) sprinkle(x);
    struct operand *y = in_place ? x : add_operand(&c, n, 0, 0);
    for (size_t i = 0; i < n; i++)
        y->want[i] = map_value(narrow, f, c.a, x->value[i]);
    conform(&c);
}

static void check_map_gradient(const struct backend *b, enum map f, size_t n, bool odd)
{
    struct call c = call_of(b, "map_gradient", run_map_gradient, n, 1);
    bool narrow = b->dtype == DTYPE_FLOAT32;
    c.which = (int)f;
    c.a = 0.3;
    c.floor = 1; /* slopes near 0 are differences */
    struct operand *x = add_operand(&c, n, -3, 3);
    if (odd) sprinkle(x);
    struct operand *y = add_operand(&c, n, -1, 1), *dy = add_operand(&c, n, -1, 1), *dx = add_operand(&c, n, 0, 0);
    for (size_t i = 0; i < n; i++) {
        y->want[i] = y->value[i] = map_value(narrow, f, c.a, x->value[i]);
        dx->want[i] = rounded(b, dy->value[i] * map_slope(narrow, f, c.a, x->value[i], y->value[i]));
    }
    conform(&c);
}

/* 0 * infinity is the same NaN everywhere; the rest follows from it. */
START_TEST(maps)
{
    const struct backend *b = conformance.backends[_i / MAP_COUNT];
    enum map f = (enum map)(_i % MAP_COUNT);
    conformance_seed();
    for (size_t s = 0; s < SIZES; s++) {
        check_map(b, f, sizes[s], false, s % 2 == 0);
        check_map_gradient(b, f, sizes[s], false);
    }
    check_map(b, f, 300, true, false);
    check_map_gradient(b, f, 300, true);
}
END_TEST

static int run_loss(struct call *c)
{
    return c->b->loss((enum elementwise_loss)c->which, c->a, c->n, c->p[0], c->p[1], &c->sum);
}

static int run_loss_gradient(struct call *c)
{
    return c->b->loss_gradient((enum elementwise_loss)c->which, c->a, c->scale, c->n, c->p[0], c->p[1], c->p[2]);
}

static double loss_value(bool narrow, enum elementwise_loss l, double a, double p, double t, bool slope)
{
#define LOSS_CASE(name)                                                                                                \
    if (l == LOSS_##name && slope)                                                                                     \
        return narrow ? (double)name##_slope_f32((float)a, (float)p, (float)t) : name##_slope_f64(a, p, t);            \
    if (l == LOSS_##name) return narrow ? (double)name##_f32((float)a, (float)p, (float)t) : name##_f64(a, p, t);
    FORMULAS_OF_LOSSES(LOSS_CASE)
#undef LOSS_CASE
    return NAN;
}

static void check_loss(const struct backend *b, enum elementwise_loss l, size_t n, bool gradient, bool odd)
{
    struct call c = call_of(b, gradient ? "loss_gradient" : "loss", gradient ? run_loss_gradient : run_loss, n, 1);
    bool narrow = b->dtype == DTYPE_FLOAT32;
    c.which = (int)l;
    c.a = 0.3;
    c.scale = rounded(b, 0.37);
    struct operand *p = add_operand(&c, n, 0.05, 0.95), *t = add_operand(&c, n, 0, 1),
                   *dp = gradient ? add_operand(&c, n, 0, 0) : NULL;
    if (odd) sprinkle(p);
    double sum = 0;
    c.floor = 1;
    for (size_t i = 0; i < n; i++) {
        double v = loss_value(narrow, l, c.a, p->value[i], t->value[i], gradient);
        if (gradient) dp->want[i] = rounded(b, c.scale * v);
        sum += v;
        if (!gradient && !isnan(v)) c.floor += fabs(v);
    }
    conform(&c);
    if (!gradient) check_same(&c, c.sum, sum, "sum", 0);
}

START_TEST(losses)
{
    const struct backend *b = conformance.backends[_i / LOSS_COUNT];
    enum elementwise_loss l = (enum elementwise_loss)(_i % LOSS_COUNT);
    conformance_seed();
    for (size_t s = 0; s < SIZES; s++)
        for (int gradient = 0; gradient < 2; gradient++)
            check_loss(b, l, sizes[s], gradient, false);
    for (int gradient = 0; gradient < 2; gradient++)
        check_loss(b, l, 300, gradient, true);
}
END_TEST

static int run_axpby(struct call *c)
{
    return c->b->axpby(c->n, c->a, c->p[0], c->scale, c->p[1]);
}

/* How the three vectors of a product lie. */
enum placement { APART, INTO_FIRST, INTO_SECOND, SQUARED };

static int run_multiply(struct call *c)
{
    void *second = c->which == SQUARED ? c->p[0] : c->p[1];
    return c->b->multiply(c->n, c->p[0], second,
                          c->which == INTO_FIRST    ? c->p[0]
                          : c->which == INTO_SECOND ? c->p[1]
                                                    : c->p[2]);
}

static int run_dot(struct call *c)
{
    return c->b->dot(c->n, c->p[0], c->p[1], &c->sum);
}

static int run_first_outside(struct call *c)
{
    return c->b->first_outside(c->n, c->p[0], c->low, c->high, &c->offset);
}

static void check_axpby(const struct backend *b, size_t n, double beta)
{
    struct call c = call_of(b, "axpby", run_axpby, n, 1);
    c.a = 0.75;
    c.scale = beta;
    c.floor = 1;
    struct operand *x = add_operand(&c, n, -1, 1), *y = add_operand(&c, n, -1, 1);
    if (n > 40) sprinkle(x);
    for (size_t i = 0; i < n; i++) {
        if (beta == 0) y->value[i] = NAN; /* must not be read */
        y->want[i] = c.a * x->value[i] + (beta == 0 ? 0 : beta * y->value[i]);
    }
    conform(&c);
}

static void check_multiply(const struct backend *b, size_t n, enum placement placement)
{
    struct call c = call_of(b, "multiply", run_multiply, n, 1);
    c.which = (int)placement;
    struct operand *x = add_operand(&c, n, -1, 1), *y = add_operand(&c, n, -1, 1), *z = add_operand(&c, n, 0, 0);
    if (n > 40) sprinkle(x);
    struct operand *out = placement == INTO_FIRST ? x : placement == INTO_SECOND ? y : z;
    for (size_t i = 0; i < n; i++)
        out->want[i] = rounded(b, x->value[i] * (placement == SQUARED ? x : y)->value[i]);
    conform(&c);
}

static void check_dot(const struct backend *b, size_t n, bool odd)
{
    struct call c = call_of(b, "dot", run_dot, n, 1);
    struct operand *x = add_operand(&c, n, -1, 1), *y = add_operand(&c, n, -1, 1);
    if (odd) sprinkle(x);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x->value[i] * y->value[i];
        c.floor += fabs(x->value[i] * y->value[i]);
    }
    if (odd) c.floor = 1;
    conform(&c);
    check_same(&c, c.sum, sum, "sum", 0);
}

static void check_first_outside(const struct backend *b, size_t n, size_t first, double value)
{
    struct call c = call_of(b, "first_outside", run_first_outside, n, 1);
    struct operand *x = add_operand(&c, n, -1, 1);
    c.low = -1;
    c.high = 1;
    for (size_t i = first; i < n; i += 37)
        x->want[i] = x->value[i] = value;
    conform(&c);
    ck_assert_uint_eq(c.offset, first < n ? first : n);
}

START_TEST(vectors)
{
    const struct backend *b = conformance.backends[_i];
    conformance_seed();
    for (size_t s = 0; s < SIZES; s++) {
        size_t n = sizes[s];
        check_axpby(b, n, 0);
        check_axpby(b, n, 1.5);
        for (enum placement p = APART; p <= SQUARED; p++)
            check_multiply(b, n, p);
        check_dot(b, n, false);
        check_first_outside(b, n, n, 2);
        check_first_outside(b, n, 0, NAN);
        check_first_outside(b, n, n - 1, -1.5);
        check_first_outside(b, n, n / 2, HUGE_VAL);
    }
    check_dot(b, 3000, true);
    if (!is_tried(300007)) return;
    check_dot(b, 300007, false); /* beyond what one step of a full grid takes */
    check_axpby(b, 300007, 0.5);
    check_multiply(b, 300007, APART);
    check_first_outside(b, 300007, 250001, NAN);
}
END_TEST

/* ---- updates ---- */

static int run_update(struct call *c)
{
    return c->b->update(c->update, c->n, c->p[0], c->p[1], c->p[2], c->p[3]);
}

static void update_scalar(bool narrow, const struct update *u, double g, double *w, double *first, double *second)
{
    float w_f = (float)*w, first_f = (float)*first, second_f = (float)*second;
    switch (u->rule) {
#define UPDATE_CASE(name)                                                                                              \
    case UPDATE_##name:                                                                                                \
        if (narrow)                                                                                                    \
            update_##name##_f32(u, (float)g, &w_f, &first_f, &second_f);                                               \
        else                                                                                                           \
            update_##name##_f64(u, g, w, first, second);                                                               \
        break;
        FORMULAS_OF_UPDATES(UPDATE_CASE)
#undef UPDATE_CASE
    case UPDATE_COUNT:
        break;
    }
    if (!narrow) return;
    *w = (double)w_f;
    *first = (double)first_f;
    *second = (double)second_f;
}

static void check_update(const struct backend *b, enum update_rule rule, bool nesterov, size_t n, bool odd)
{
    const struct update u = {.rule = rule,
                             .rate = 0.01,
                             .weight_decay = 0.1,
                             .shrink = 0.99,
                             .keep = 0.9,
                             .add = 0.1,
                             .keep_square = 0.95,
                             .add_square = 0.05,
                             .correction = 0.3,
                             .epsilon = 1e-8,
                             .nesterov = nesterov};
    struct call c = call_of(b, "update", run_update, n, 1);
    c.which = (int)rule;
    c.update = &u;
    c.floor = 1;
    struct operand *g = add_operand(&c, n, -1, 1), *w = add_operand(&c, n, -1, 1), *first = add_operand(&c, n, -1, 1),
                   *second = add_operand(&c, n, 0.1, 1);
    if (odd) sprinkle(g);
    for (size_t i = 0; i < n; i++)
        update_scalar(b->dtype == DTYPE_FLOAT32, &u, g->value[i], &w->want[i], &first->want[i], &second->want[i]);
    conform(&c);
}

START_TEST(updates)
{
    const struct backend *b = conformance.backends[_i / UPDATE_COUNT];
    enum update_rule rule = (enum update_rule)(_i % UPDATE_COUNT);
    conformance_seed();
    for (size_t s = 0; s < SIZES; s++)
        check_update(b, rule, s % 2 == 0, sizes[s], false);
    check_update(b, rule, false, 300, true);
}
END_TEST

/* ---- matrices and row vectors ---- */

static int run_add_row(struct call *c)
{
    return c->b->add_row(c->rows, c->columns, c->p[0], c->p[1]);
}

static int run_multiply_row(struct call *c)
{
    return c->b->multiply_row(c->rows, c->columns, c->p[0], c->p[1], c->which == INTO_SECOND ? c->p[1] : c->p[2]);
}

static int run_copy_rows(struct call *c)
{
    return c->b->copy_rows(c->rows, c->columns, c->from_stride, c->p[0], c->to_stride, c->p[1]);
}

static int run_sum_rows(struct call *c)
{
    return c->b->sum_rows(c->rows, c->columns, c->p[0], c->p[1]);
}

static int run_count_within(struct call *c)
{
    for (size_t j = 0; j < c->columns; j++)
        c->counts[j] = j; /* it adds */
    return c->b->count_within(c->rows, c->columns, c->p[0], c->low, c->high, c->counts);
}

static void check_add_row(const struct backend *b, size_t rows, size_t columns)
{
    struct call c = call_of(b, "add_row", run_add_row, rows, columns);
    c.floor = 1;
    struct operand *v = add_operand(&c, columns, -1, 1), *X = add_operand(&c, rows * columns, -1, 1);
    if (rows * columns > 40) sprinkle(X);
    for (size_t i = 0; i < rows * columns; i++)
        X->want[i] = rounded(b, X->value[i] + v->value[i % columns]);
    conform(&c);
}

static void check_multiply_row(const struct backend *b, size_t rows, size_t columns, bool in_place)
{
    struct call c = call_of(b, "multiply_row", run_multiply_row, rows, columns);
    c.which = in_place ? INTO_SECOND : APART;
    struct operand *v = add_operand(&c, columns, -1, 1), *X = add_operand(&c, rows * columns, -1, 1),
                   *Y = in_place ? X : add_operand(&c, rows * columns, 0, 0);
    if (rows * columns > 40) sprinkle(X);
    for (size_t i = 0; i < rows * columns; i++)
        Y->want[i] = rounded(b, X->value[i] * v->value[i % columns]);
    conform(&c);
}

/* Rows that are so much further apart than they are long. What lies in the gaps of the source, which is NaN, must not
 * be taken; what lies in those of the result must stay, and behind its last row there is the guard. */
static void check_copy_rows(const struct backend *b, size_t rows, size_t columns, size_t from_gap, size_t to_gap)
{
    struct call c = call_of(b, "copy_rows", run_copy_rows, rows, columns);
    c.from_stride = columns + from_gap;
    c.to_stride = columns + to_gap;
    struct operand *from = add_operand(&c, rows * c.from_stride, -1, 1),
                   *to = add_operand(&c, (rows - 1) * c.to_stride + columns, -1, 1);
    if (rows * columns > 40) sprinkle(from);
    for (size_t i = 0; i < from->n; i++)
        if (i % c.from_stride >= columns) from->want[i] = from->value[i] = NAN;
    for (size_t i = 0; i < rows; i++)
        memcpy(to->want + i * c.to_stride, from->value + i * c.from_stride, columns * sizeof *to->want);
    conform(&c);
}

static void check_sum_rows(const struct backend *b, size_t rows, size_t columns, bool odd)
{
    struct call c = call_of(b, "sum_rows", run_sum_rows, rows, columns);
    struct operand *X = add_operand(&c, rows * columns, -1, 1), *v = add_operand(&c, columns, 0, 0);
    if (odd) sprinkle(X);
    c.floor = (double)rows;
    for (size_t j = 0; j < columns; j++) {
        double sum = 0;
        for (size_t i = 0; i < rows; i++)
            sum += X->value[i * columns + j];
        v->want[j] = rounded(b, sum);
    }
    conform(&c);
}

static void check_count_within(const struct backend *b, size_t rows, size_t columns)
{
    struct call c = call_of(b, "count_within", run_count_within, rows, columns);
    struct operand *X = add_operand(&c, rows * columns, -1, 1);
    c.low = rounded(b, -0.25);
    c.high = X->value[0] > -0.25 ? X->value[0] : 0.5; /* the ends are within */
    if (rows * columns > 40) sprinkle(X);
    size_t *want = calloc(columns, sizeof *want);
    c.counts = calloc(columns, sizeof *c.counts);
    ck_assert(want != NULL && c.counts != NULL);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            want[j] += X->value[i * columns + j] >= c.low && X->value[i * columns + j] <= c.high;
    conform(&c);
    for (size_t j = 0; j < columns; j++)
        if (c.counts[j] != want[j] + j) ck_abort_msg("count_within %zu x %zu, column %zu", rows, columns, j);
    free(want);
    free(c.counts);
}

START_TEST(matrices)
{
    const struct backend *b = conformance.backends[_i];
    conformance_seed();
    for (size_t s = 0; s < SHAPES; s++) {
        if (!is_tried(shapes[s][0] * shapes[s][1])) continue;
        check_add_row(b, shapes[s][0], shapes[s][1]);
        check_multiply_row(b, shapes[s][0], shapes[s][1], s % 2 == 0);
        check_multiply_row(b, shapes[s][0], shapes[s][1], s % 2 != 0);
        check_copy_rows(b, shapes[s][0], shapes[s][1], 0, 0);
        check_copy_rows(b, shapes[s][0], shapes[s][1], 0, 3);
        check_copy_rows(b, shapes[s][0], shapes[s][1], 37, 0);
        check_copy_rows(b, shapes[s][0], shapes[s][1], 5, 1);
        check_copy_rows(b, shapes[s][0], shapes[s][1], 2, 2);
        check_sum_rows(b, shapes[s][0], shapes[s][1], false);
        check_count_within(b, shapes[s][0], shapes[s][1]);
    }
    if (is_tried(300 * 70)) check_sum_rows(b, 300, 70, true);
    check_sum_rows(b, 30, 7, true);
}
END_TEST

static void add_primitives(Suite *suite, TCase *tcase)
{
    int count = conformance.count;
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, maps, 0, MAP_COUNT * count);
    tcase_add_loop_test(tcase, losses, 0, LOSS_COUNT * count);
    tcase_add_loop_test(tcase, updates, 0, UPDATE_COUNT * count);
    tcase_add_loop_test(tcase, vectors, 0, count);
    tcase_add_loop_test(tcase, matrices, 0, count);
    conformance_add_rows(tcase);
    conformance_add_broadcasts(tcase);
    conformance_add_layouts(tcase);
    suite_add_tcase(suite, tcase);
}

void conformance_add_primitives(Suite *suite)
{
    add_primitives(suite, tcase_create("primitives"));
}

void conformance_add_small_primitives(Suite *suite)
{
    TCase *tcase = tcase_create("small_primitives");
    tcase_add_checked_fixture(tcase, set_small_only, unset_small_only);
    add_primitives(suite, tcase);
}
