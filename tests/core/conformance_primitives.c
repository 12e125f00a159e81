/* Every primitive of a backend against the scalar formulas, on sizes around those of warps and blocks: the right
 * numbers, NaN and infinities where they belong, nothing written elsewhere, the inputs left alone, and the same bits
 * again. */
#include "tests/core/conformance.h"

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

#define TOLERANCE_F64 1e-12
#define TOLERANCE_F32 4e-6

enum { OPERANDS_MAX = 4 };

/* ---- a call of one primitive ---- */

struct operand {
    size_t n;
    double *value; /* before; numbers of the backend's arithmetic */
    double *want;  /* after; the same as before where it is an input */
};

struct call {
    const struct backend *b;
    int (*run)(struct call *call);
    struct operand operands[OPERANDS_MAX];
    size_t count;
    size_t rows, columns, n;
    int which; /* map, loss, whether logarithm, ... */
    double a, scale, low, high;
    const struct update *update;
    /* what run sees and sets */
    void *p[OPERANDS_MAX];
    double sum;
    size_t offset, *counts;
    /* what is right */
    double want_sum, floor; /* an error relative to |want| + floor */
    const char *name;
};

static double rounded(const struct backend *b, double x)
{
    return b->dtype == DTYPE_FLOAT32 ? (double)(float)x : x;
}

/* Adds an operand of n numbers of [low, high]; an output where that is empty. */
static struct operand *add(struct call *c, size_t n, double low, double high)
{
    struct operand *o = &c->operands[c->count++];
    o->n = n;
    o->value = malloc((n + 1) * sizeof(double));
    o->want = malloc((n + 1) * sizeof(double));
    ck_assert(o->value != NULL && o->want != NULL);
    for (size_t i = 0; i < n; i++)
        o->want[i] = o->value[i] = low < high ? rounded(c->b, uniform(low, high)) : GUARD_VALUE;
    return o;
}

/* A few numbers of the kind that naive code gets wrong, at the start, the end and in between. */
static void sprinkle(struct operand *o)
{
    const double odd[] = {NAN, HUGE_VAL, -HUGE_VAL, 0, -0.0, 88, -88};
    for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
        size_t at = (k * 997 + 1) % o->n;
        o->want[at] = o->value[at] = odd[k];
    }
    o->want[o->n - 1] = o->value[o->n - 1] = NAN;
}

static void same(const struct call *c, double got, double want, const char *what, size_t at)
{
    double tolerance = c->b->dtype == DTYPE_FLOAT32 ? TOLERANCE_F32 : TOLERANCE_F64;
    bool right = isnan(want)   ? isnan(got)
                 : isinf(want) ? got == want
                               : fabs(got - want) <= tolerance * (fabs(want) + c->floor);
    if (right) return; /* not ck_assert_msg, which writes to a file for every element */
    ck_abort_msg("%s %d on %s %s, %zu x %zu (%zu): %s %zu is %.17g, not %.17g", c->name, c->which, c->b->device,
                 dtype_names[c->b->dtype], c->rows, c->columns, c->n, what, at, got, want);
}

static bool same_bits(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

/* Runs it once, into got[operand]. */
static void once(struct call *c, double *const *got)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 30);
    struct guarded t[OPERANDS_MAX];
    for (size_t k = 0; k < c->count; k++) {
        t[k] = guarded_new(&arena, c->b, c->operands[k].n, c->operands[k].value);
        c->p[k] = guarded_data(&t[k]);
    }
    c->sum = NAN;
    ck_assert_int_eq(c->run(c), CODE_OK);
    for (size_t k = 0; k < c->count; k++) {
        guarded_read(&t[k], got[k]);
        guarded_free(&t[k]);
    }
    arena_free(&arena);
}

/* Runs it twice, the second time in another order where the device can, and frees the operands. */
static void conform(struct call *c)
{
    double *got[OPERANDS_MAX] = {0}, *again[OPERANDS_MAX] = {0};
    for (size_t k = 0; k < c->count; k++) {
        got[k] = malloc((c->operands[k].n + 1) * sizeof(double));
        again[k] = malloc((c->operands[k].n + 1) * sizeof(double));
        ck_assert(got[k] != NULL && again[k] != NULL);
    }
    once(c, got);
    double sum = c->sum;
    size_t offset = c->offset;
    if (conformance.reorder != NULL) conformance.reorder(true);
    once(c, again);
    if (conformance.reorder != NULL) conformance.reorder(false);
    ck_assert_msg(same_bits(sum, c->sum) && offset == c->offset, "%s %d: another sum the second time", c->name,
                  c->which);
    for (size_t k = 0; k < c->count; k++) {
        for (size_t i = 0; i < c->operands[k].n; i++) {
            same(c, got[k][i], c->operands[k].want[i], "element", i);
            if (!same_bits(got[k][i], again[k][i]))
                ck_abort_msg("%s %d: other bits the second time", c->name, c->which);
        }
        free(got[k]);
        free(again[k]);
        free(c->operands[k].value);
        free(c->operands[k].want);
    }
}

/* A new call of n elements or of a matrix. */
static struct call call_of(const struct backend *b, const char *name, int (*run)(struct call *), size_t rows,
                           size_t columns)
{
    return (struct call){
        .b = b, .name = name, .run = run, .rows = rows, .columns = columns, .n = rows * columns, .floor = 1e-3};
}

/* ---- sizes ---- */

static const size_t sizes[] = {1, 2, 31, 32, 33, 63, 255, 256, 257, 1023, 1024, 1025, 4099};
/* rows and columns, the longest row of which is taken in two pieces by some, and more rows than a grid may be high */
static const size_t shapes[][2] = {{1, 1},     {1, 33},    {33, 1},    {31, 32},  {32, 31},  {7, 3},
                                   {257, 5},   {256, 4},   {3, 1024},  {3, 1025}, {2, 3000}, {65537, 1},
                                   {70001, 3}, {2, 33000}, {1025, 40}, {6, 200},  {6, 1300}};

enum { SIZES = sizeof sizes / sizeof *sizes, SHAPES = sizeof shapes / sizeof *shapes, SMALL = 4099 };

/* Small sizes alone, for tools under which a kernel takes a thousand times as long. */
static bool small_only;

static void set_small_only(void)
{
    small_only = true;
}

static void unset_small_only(void)
{
    small_only = false;
}

static bool is_tried(size_t elements)
{
    return !small_only || elements <= SMALL;
}

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
    struct operand *x = add(&c, n, -3, 3);
    if (odd) sprinkle(x);
    struct operand *y = in_place ? x : add(&c, n, 0, 0);
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
    struct operand *x = add(&c, n, -3, 3);
    if (odd) sprinkle(x);
    struct operand *y = add(&c, n, -1, 1), *dy = add(&c, n, -1, 1), *dx = add(&c, n, 0, 0);
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
    struct operand *p = add(&c, n, 0.05, 0.95), *t = add(&c, n, 0, 1), *dp = gradient ? add(&c, n, 0, 0) : NULL;
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
    if (!gradient) same(&c, c.sum, sum, "sum", 0);
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
    struct operand *x = add(&c, n, -1, 1), *y = add(&c, n, -1, 1);
    if (n > 40) sprinkle(x);
    for (size_t i = 0; i < n; i++) {
        if (beta == 0) y->value[i] = NAN; /* must not be read */
        y->want[i] = c.a * x->value[i] + (beta == 0 ? 0 : beta * y->value[i]);
    }
    conform(&c);
}

static void check_dot(const struct backend *b, size_t n, bool odd)
{
    struct call c = call_of(b, "dot", run_dot, n, 1);
    struct operand *x = add(&c, n, -1, 1), *y = add(&c, n, -1, 1);
    if (odd) sprinkle(x);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x->value[i] * y->value[i];
        c.floor += fabs(x->value[i] * y->value[i]);
    }
    if (odd) c.floor = 1;
    conform(&c);
    same(&c, c.sum, sum, "sum", 0);
}

static void check_first_outside(const struct backend *b, size_t n, size_t first, double value)
{
    struct call c = call_of(b, "first_outside", run_first_outside, n, 1);
    struct operand *x = add(&c, n, -1, 1);
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
    struct operand *g = add(&c, n, -1, 1), *w = add(&c, n, -1, 1), *first = add(&c, n, -1, 1),
                   *second = add(&c, n, 0.1, 1);
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
    struct operand *v = add(&c, columns, -1, 1), *X = add(&c, rows * columns, -1, 1);
    if (rows * columns > 40) sprinkle(X);
    for (size_t i = 0; i < rows * columns; i++)
        X->want[i] = rounded(b, X->value[i] + v->value[i % columns]);
    conform(&c);
}

static void check_sum_rows(const struct backend *b, size_t rows, size_t columns, bool odd)
{
    struct call c = call_of(b, "sum_rows", run_sum_rows, rows, columns);
    struct operand *X = add(&c, rows * columns, -1, 1), *v = add(&c, columns, 0, 0);
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
    struct operand *X = add(&c, rows * columns, -1, 1);
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
        check_sum_rows(b, shapes[s][0], shapes[s][1], false);
        check_count_within(b, shapes[s][0], shapes[s][1]);
    }
    if (is_tried(300 * 70)) check_sum_rows(b, 300, 70, true);
    check_sum_rows(b, 30, 7, true);
}
END_TEST

/* ---- rows ---- */

static int run_softmax(struct call *c)
{
    return c->b->softmax(c->which != 0, c->rows, c->columns, c->p[0], c->p[1]);
}

static int run_softmax_gradient(struct call *c)
{
    return c->b->softmax_gradient(c->which != 0, c->rows, c->columns, c->p[0], c->p[1], c->p[2]);
}

static int run_cross_entropy(struct call *c)
{
    return c->b->softmax_cross_entropy(c->rows, c->columns, c->p[0], c->p[1], &c->sum);
}

static int run_cross_entropy_gradient(struct call *c)
{
    return c->b->softmax_cross_entropy_gradient(c->scale, c->rows, c->columns, c->p[0], c->p[1], c->p[2]);
}

static int run_hinge(struct call *c)
{
    return c->b->hinge(c->rows, c->columns, c->p[0], c->p[1], &c->sum);
}

static int run_hinge_gradient(struct call *c)
{
    return c->b->hinge_gradient(c->scale, c->rows, c->columns, c->p[0], c->p[1], c->p[2]);
}

/* log sum exp of a row; NaN where the row holds NaN or +infinity, as the largest taken off makes it */
static double log_sum_exp(size_t n, const double *x)
{
    double max = -HUGE_VAL, sum = 0;
    for (size_t j = 0; j < n; j++)
        if (x[j] > max) max = x[j];
    for (size_t j = 0; j < n; j++)
        sum += exp(x[j] - max);
    return max + log(sum);
}

static void check_softmax(const struct backend *b, bool logarithm, size_t rows, size_t columns, bool odd)
{
    struct call c = call_of(b, "softmax", run_softmax, rows, columns);
    c.which = logarithm;
    if (b->dtype == DTYPE_FLOAT32 && logarithm) c.floor = 1;
    struct operand *X = add(&c, rows * columns, -5, 5), *Y = add(&c, rows * columns, 0, 0);
    if (odd) sprinkle(X);
    for (size_t i = 0; i < rows; i++) {
        double lse = log_sum_exp(columns, X->value + i * columns);
        for (size_t j = i * columns; j < (i + 1) * columns; j++)
            Y->want[j] = logarithm ? X->value[j] - lse : exp(X->value[j] - lse);
    }
    conform(&c);
}

static void check_softmax_gradient(const struct backend *b, bool logarithm, size_t rows, size_t columns, bool odd)
{
    struct call c = call_of(b, "softmax_gradient", run_softmax_gradient, rows, columns);
    c.which = logarithm;
    c.floor = logarithm ? (double)columns : 1;
    struct operand *Y = add(&c, rows * columns, logarithm ? -3 : 0, logarithm ? 0 : 1),
                   *dY = add(&c, rows * columns, -1, 1), *dX = add(&c, rows * columns, 0, 0);
    if (odd) sprinkle(dY);
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t j = i * columns; j < (i + 1) * columns; j++)
            sum += logarithm ? dY->value[j] : dY->value[j] * Y->value[j];
        if (!odd) c.floor = fmax(c.floor, fabs(sum));
        for (size_t j = i * columns; j < (i + 1) * columns; j++)
            dX->want[j] = logarithm ? dY->value[j] - exp(Y->value[j]) * sum : Y->value[j] * (dY->value[j] - sum);
    }
    conform(&c);
}

/* One-hot targets, or (soft) any weights. */
static struct operand *add_targets(struct call *c, bool soft)
{
    struct operand *T = add(c, c->n, 0, 1);
    for (size_t i = 0; !soft && i < c->rows; i++) {
        size_t class = (size_t)uniform(0, (double)c->columns);
        for (size_t j = 0; j < c->columns; j++)
            T->want[i * c->columns + j] = T->value[i * c->columns + j] = j == class;
    }
    return T;
}

static void check_cross_entropy(const struct backend *b, bool gradient, size_t rows, size_t columns, bool odd)
{
    struct call c = call_of(b, gradient ? "softmax_cross_entropy_gradient" : "softmax_cross_entropy",
                            gradient ? run_cross_entropy_gradient : run_cross_entropy, rows, columns);
    c.scale = 0.37;
    struct operand *P = add(&c, c.n, -5, 5), *T = add_targets(&c, rows % 2), *dP = gradient ? add(&c, c.n, 0, 0) : NULL;
    if (odd) sprinkle(P);
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        const double *p = P->value + i * columns, *t = T->value + i * columns;
        double lse = log_sum_exp(columns, p), weight = 0;
        for (size_t j = 0; j < columns; j++) {
            weight += t[j];
            sum += t[j] * (lse - p[j]);
        }
        c.floor = fmax(c.floor, weight);
        for (size_t j = 0; gradient && j < columns; j++)
            dP->want[i * columns + j] = c.scale * (exp(p[j] - lse) * weight - t[j]);
    }
    conform(&c);
    if (!gradient) same(&c, c.sum, sum, "sum", 0);
}

static void check_hinge(const struct backend *b, bool gradient, size_t rows, size_t columns, bool odd)
{
    struct call c =
        call_of(b, gradient ? "hinge_gradient" : "hinge", gradient ? run_hinge_gradient : run_hinge, rows, columns);
    c.scale = 0.37;
    struct operand *P = add(&c, c.n, -2, 2), *T = add_targets(&c, false), *dP = gradient ? add(&c, c.n, 0, 0) : NULL;
    if (odd) sprinkle(P);
    if (rows > 5) /* a row without a class counts as the last one's */
        for (size_t j = 0; j < columns; j++)
            T->want[2 * columns + j] = T->value[2 * columns + j] = 0;
    if (rows > 5) /* of several classes the first counts */
        for (size_t j = columns / 3; j < columns; j++)
            T->want[3 * columns + j] = T->value[3 * columns + j] = 1;
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        const double *p = P->value + i * columns, *t = T->value + i * columns;
        size_t right = 0, violated = 0;
        while (right + 1 < columns && t[right] == 0)
            right++;
        for (size_t j = 0; j < columns; j++) {
            double margin = p[j] - p[right] + 1;
            if (j != right && !(margin <= 0)) sum += margin;
            violated += j != right && margin > 0;
            if (gradient) dP->want[i * columns + j] = j != right && margin > 0 ? c.scale : 0;
        }
        if (gradient) dP->want[i * columns + right] = -c.scale * (double)violated;
    }
    conform(&c);
    if (!gradient) same(&c, c.sum, sum, "sum", 0);
}

START_TEST(rows)
{
    const struct backend *b = conformance.backends[_i / 2];
    bool second = _i % 2;
    conformance_seed();
    for (size_t s = 0; s <= SHAPES; s++) {
        bool odd = s == SHAPES;
        size_t m = odd ? 300 : shapes[s][0], n = odd ? 7 : shapes[s][1];
        if (!is_tried(m * n)) continue;
        check_softmax(b, second, m, n, odd);
        check_softmax_gradient(b, second, m, n, odd);
        check_cross_entropy(b, second, m, n, odd);
        check_hinge(b, second, m, n, odd);
    }
    check_softmax(b, second, 3, 1500, true);
    check_softmax_gradient(b, second, 3, 1500, true);
    check_cross_entropy(b, second, 3, 1500, true);
    check_hinge(b, second, 3, 1500, true);
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
    tcase_add_loop_test(tcase, rows, 0, 2 * count);
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
