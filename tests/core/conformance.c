/* Every op of the table, on every backend: its backward against central differences of its forward with a
 * random cotangent; nothing written outside its tensors; and, so that this suite itself can be trusted,
 * mutants of every backward are refused. */
#include "tests/core/conformance.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ops/ops.h"

enum { BATCH = 3, TENSOR_MAX = 256, VARIANTS_MAX = 8, KINK_CLEARANCE = 100 };

/* A step for which truncation and rounding of a central difference are both near 1e-10. */
#define STEP 1e-5
#define TOLERANCE 2e-8
#define FLOAT64_TOLERANCE 1e-12
#define FLOAT32_TOLERANCE 3e-5

struct conformance conformance;

/* ---- a generator whose seed is in every message ---- */

static _Thread_local unsigned long long state;

void conformance_seed(void)
{
    state = 42;
}

double uniform(double low, double high)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return low + (high - low) * (double)(state >> 11) / 9007199254740992.0;
}

/* ---- tensors in a backend's memory, with guards on both sides ---- */

void *guarded_data(const struct guarded *t)
{
    return (char *)t->memory + GUARD * t->backend->element_size;
}

struct guarded guarded_new(struct arena *arena, const struct backend *backend, size_t n, const double *values)
{
    struct guarded t = {.backend = backend, .n = n};
    ck_assert_int_eq(backend->allocate(arena, n + 2 * GUARD, &t.memory), CODE_OK);
    double *all = malloc((n + 2 * GUARD) * sizeof *all);
    ck_assert_ptr_nonnull(all);
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        all[i] = i >= GUARD && i < n + GUARD && values != NULL ? values[i - GUARD] : GUARD_VALUE;
    ck_assert_int_eq(backend->upload(n + 2 * GUARD, all, t.memory), CODE_OK);
    free(all);
    return t;
}

void guarded_read(const struct guarded *t, double *values)
{
    double *all = malloc((t->n + 2 * GUARD) * sizeof *all);
    ck_assert_ptr_nonnull(all);
    ck_assert_int_eq(t->backend->download(t->n + 2 * GUARD, t->memory, all), CODE_OK);
    for (size_t i = 0; i < GUARD; i++) {
        bool kept = fabs(all[i] / GUARD_VALUE - 1) < 1e-6 && fabs(all[t->n + GUARD + i] / GUARD_VALUE - 1) < 1e-6;
        if (!kept) ck_abort_msg("a guard was overwritten");
    }
    memcpy(values, all + GUARD, t->n * sizeof *values);
    free(all);
}

void guarded_free(struct guarded *t)
{
    t->backend->release(t->memory);
    t->memory = NULL;
}

/* ---- one op on one input ---- */

struct trial {
    const struct op *op;
    double attributes[OP_ATTRIBUTES_MAX];
    struct shape in;
    struct op_plan plan;
    size_t x_n, y_n, parameter_n[OP_PARAMETERS_MAX];
    double x[TENSOR_MAX], target[TENSOR_MAX], dy[TENSOR_MAX], parameters[OP_PARAMETERS_MAX][TENSOR_MAX];
};

struct outcome {
    double value; /* sum of dy * y, or the loss */
    double y[TENSOR_MAX], dx[TENSOR_MAX], gradients[OP_PARAMETERS_MAX][TENSOR_MAX];
};

/* Runs forward and, where asked, backward, and checks all guards. */
static void run(const struct trial *t, const struct backend *backend, bool backward, struct outcome *out)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 26);
    bool loss = t->op->kind == OP_LOSS;
    struct guarded x = guarded_new(&arena, backend, t->x_n, t->x),
                   y = guarded_new(&arena, backend, loss ? 0 : t->y_n, NULL),
                   dy = guarded_new(&arena, backend, loss ? 0 : t->y_n, t->dy),
                   dx = guarded_new(&arena, backend, t->x_n, NULL),
                   target = guarded_new(&arena, backend, loss ? t->x_n : 0, t->target);
    struct guarded w[OP_PARAMETERS_MAX], dw[OP_PARAMETERS_MAX];
    void *parameters[OP_PARAMETERS_MAX] = {0}, *gradients[OP_PARAMETERS_MAX] = {0};
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++) {
        w[r] = guarded_new(&arena, backend, t->parameter_n[r], t->parameters[r]);
        dw[r] = guarded_new(&arena, backend, t->parameter_n[r], NULL);
        if (t->parameter_n[r] == 0) continue;
        parameters[r] = guarded_data(&w[r]);
        gradients[r] = guarded_data(&dw[r]);
    }
    struct op_call call = {.op = t->op,
                           .backend = backend,
                           .attributes = t->attributes,
                           .batch = BATCH,
                           .in = &t->in,
                           .out = &t->plan.out,
                           .parameters = parameters,
                           .gradients = gradients,
                           .x = guarded_data(&x),
                           .y = guarded_data(&y),
                           .dy = guarded_data(&dy),
                           .dx = guarded_data(&dx),
                           .target = guarded_data(&target),
                           .scale = 0.37,
                           .loss = &out->value};
    ck_assert_int_eq(t->op->forward(&call), CODE_OK);
    if (backward) ck_assert_int_eq(t->op->backward(&call), CODE_OK);
    double unused[TENSOR_MAX];
    guarded_read(&x, unused);
    for (size_t i = 0; i < t->x_n; i++) /* the input is left alone */
        ck_assert_double_eq_tol(unused[i], t->x[i], 1e-6 * (1 + fabs(t->x[i])));
    guarded_read(&dy, unused);
    guarded_read(&target, unused);
    guarded_read(&y, out->y);
    guarded_read(&dx, out->dx);
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++) {
        guarded_read(&w[r], unused);
        guarded_read(&dw[r], out->gradients[r]);
        guarded_free(&w[r]);
        guarded_free(&dw[r]);
    }
    struct guarded *all[] = {&x, &y, &dy, &dx, &target};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        guarded_free(all[i]);
    if (!loss) {
        out->value = 0;
        for (size_t i = 0; i < t->y_n; i++)
            out->value += t->dy[i] * out->y[i];
    }
    arena_free(&arena);
}

/* The backend whose turn it is. */
static const struct backend *tested;

/* The op whose turn it is, too: loop tests go through the ops on the first backend, then on the second. */
static const struct op *op_of_loop(int i)
{
    int count = 0;
    while (ops[count] != NULL)
        count++;
    tested = conformance.backends[i / count];
    return ops[i % count];
}

static double difference(struct trial *t, double *element)
{
    struct outcome up, down;
    double here = *element;
    *element = here + STEP;
    run(t, tested, false, &up);
    double above = *element;
    *element = here - STEP;
    run(t, tested, false, &down);
    double below = *element;
    *element = here;
    return (up.value - down.value) / (above - below);
}

/* |analytic - numeric| / (1 + |numeric|) into *worst where it is larger; what is not a number counts as
 * infinite. */
static void worsen(double *worst, double analytic, double numeric)
{
    double e = fabs(analytic - numeric) / (1 + fabs(numeric));
    if (!(e <= *worst)) *worst = isnan(e) ? HUGE_VAL : e;
}

/* The largest error of everything that the backward pass computes. */
static double worst_error(struct trial *t, const struct outcome *analytic)
{
    double worst = 0;
    for (size_t i = 0; i < t->x_n; i++)
        worsen(&worst, analytic->dx[i], difference(t, &t->x[i]));
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++)
        for (size_t i = 0; i < t->parameter_n[r]; i++)
            worsen(&worst, analytic->gradients[r][i], difference(t, &t->parameters[r][i]));
    return worst;
}

/* ---- inputs, away from each op's kinks ---- */

static bool near_kink(const struct trial *t, size_t i)
{
    double clearance = KINK_CLEARANCE * STEP;
    size_t classes = t->x_n / BATCH, row = i / classes * classes;
    if (t->op->kink == KINK_INPUT) return fabs(t->x[i] - t->op->kink_at) < clearance;
    if (t->op->kink == KINK_ERROR) return fabs(t->x[i] - t->target[i]) < clearance;
    if (t->op->kink != KINK_MARGIN) return false;
    for (size_t j = row; j <= i; j++)
        if (fabs(fabs(t->x[j] - t->x[i]) - 1) < clearance) return true;
    return false;
}

static void draw(struct trial *t)
{
    double low = t->op->test_low, high = t->op->test_high;
    if (low == 0 && high == 0) {
        low = -2;
        high = 2;
    }
    bool classes = t->op->kind == OP_LOSS && t->op->target != TARGET_LIKE_OUTPUT;
    size_t width = t->x_n / BATCH;
    for (size_t i = 0; i < t->x_n; i++)
        t->target[i] = classes ? 0 : uniform(low, high);
    for (size_t b = 0; classes && b < BATCH; b++)
        t->target[b * width + (size_t)uniform(0, (double)width)] = 1;
    for (size_t i = 0; i < t->x_n; i++)
        do
            t->x[i] = uniform(low, high);
        while (near_kink(t, i));
    for (size_t i = 0; i < t->y_n; i++)
        t->dy[i] = uniform(-1, 1);
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++)
        for (size_t i = 0; i < t->parameter_n[r]; i++)
            t->parameters[r][i] = uniform(-1, 1);
}

/* False where the op does not take that input. */
static bool prepare(struct trial *t, const struct op *op, const double *attributes, struct shape in)
{
    *t = (struct trial){.op = op, .in = in};
    memcpy(t->attributes, attributes, sizeof t->attributes);
    if (op->kind == OP_LOSS && op->target != TARGET_LIKE_OUTPUT && (in.rank != 1 || in.dim[0] < 2)) return false;
    struct error error = {0};
    ck_assert_int_eq(op->plan(t->attributes, &t->in, &t->plan, &error), CODE_OK);
    t->x_n = BATCH * op_elements(&t->in);
    t->y_n = op->kind == OP_LOSS ? 0 : BATCH * op_elements(&t->plan.out);
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++)
        if (op->parameters[r].symbol != NULL && t->plan.has[r]) t->parameter_n[r] = op_elements(&t->plan.parameters[r]);
    draw(t);
    return true;
}

/* Attribute values worth trying: the defaults, and each attribute on its own at other values. */
static size_t variants(const struct op *op, double list[VARIANTS_MAX][OP_ATTRIBUTES_MAX])
{
    double defaults[OP_ATTRIBUTES_MAX] = {0};
    size_t count = 0, n = 0;
    while (op->attributes[n].name != NULL) {
        defaults[n] = op->attributes[n].required ? 3 : op->attributes[n].fallback;
        n++;
    }
    memcpy(list[count++], defaults, sizeof defaults);
    for (size_t a = 0; a < n; a++) {
        double others[2] = {0.3, 1.7};
        if (op->attributes[a].kind == ATTRIBUTE_FLAG) others[0] = others[1] = 1 - defaults[a];
        if (op->attributes[a].kind == ATTRIBUTE_CHOICE) others[0] = others[1] = 1;
        if (op->attributes[a].kind == ATTRIBUTE_SIZE) others[0] = others[1] = op->attributes[a].required ? 1 : 0;
        for (size_t k = 0; k < 2; k++) {
            ck_assert_uint_lt(count, VARIANTS_MAX);
            memcpy(list[count], defaults, sizeof defaults);
            list[count++][a] = others[k];
        }
    }
    return count;
}

/* Calls `body` for every attribute variant and input shape that the op takes; the number of calls. */
static size_t each_trial(const struct op *op, void (*body)(struct trial *))
{
    const struct shape shapes[] = {{1, {4}}, {1, {1}}, {2, {2, 3}}, {1, {7}}};
    double list[VARIANTS_MAX][OP_ATTRIBUTES_MAX];
    size_t done = 0, count = variants(op, list);
    state = 42;
    for (size_t v = 0; v < count; v++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            static struct trial t;
            if (!prepare(&t, op, list[v], shapes[s])) continue;
            body(&t);
            done++;
        }
    return done;
}

/* ---- the tests ---- */

static void agrees_with_differences(struct trial *t)
{
    static struct outcome analytic;
    run(t, tested, true, &analytic);
    double e = worst_error(t, &analytic);
    char text[SHAPE_TEXT_MAX];
    ck_assert_msg(e <= TOLERANCE, "%s, first attribute %g, input %s: error %g", t->op->name, t->attributes[0],
                  shape_text(&t->in, text), e);
}

START_TEST(central_differences)
{
    const struct op *op = op_of_loop(_i);
    if (tested->dtype == DTYPE_FLOAT64) ck_assert_uint_ge(each_trial(op, agrees_with_differences), 2);
}
END_TEST

static void close_to(const struct trial *t, size_t n, const double *got, const double *want)
{
    double tolerance = tested->dtype == DTYPE_FLOAT32 ? FLOAT32_TOLERANCE : FLOAT64_TOLERANCE;
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs(got[i] - want[i]) <= tolerance * (1 + fabs(want[i])), "%s: %.17g for %.17g", t->op->name,
                      got[i], want[i]);
}

/* Every backend against the CPU's in float64: the same numbers to rounding. The input is a float32's, so that all see
 * the same. */
static void agrees_with_cpu(struct trial *t)
{
    static struct outcome want, got;
    for (size_t i = 0; i < t->x_n; i++) {
        t->x[i] = (double)(float)t->x[i];
        t->target[i] = (double)(float)t->target[i];
    }
    run(t, backend_cpu(DTYPE_FLOAT64), true, &want);
    run(t, tested, true, &got);
    close_to(t, 1, &got.value, &want.value);
    close_to(t, t->op->kind == OP_LOSS ? 0 : t->y_n, got.y, want.y);
    close_to(t, t->x_n, got.dx, want.dx);
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++)
        close_to(t, t->parameter_n[r], got.gradients[r], want.gradients[r]);
}

START_TEST(agreement)
{
    const struct op *op = op_of_loop(_i);
    ck_assert_uint_ge(each_trial(op, agrees_with_cpu), 2);
}
END_TEST

/* Mutants of a right gradient, in place. */
static void mutate(int mutant, size_t n, double *g)
{
    for (size_t i = 0; i < n; i++)
        g[i] = mutant == 0 ? -g[i] : mutant == 1 ? 2 * g[i] : mutant == 2 ? 0 : g[i];
    if (mutant == 3) g[n / 2] = NAN;
    if (mutant == 4) g[n / 2] += 1e-3;
}

static void refuses_mutants(struct trial *t)
{
    static struct outcome analytic, mutated;
    run(t, tested, true, &analytic);
    double largest = 0;
    for (size_t i = 0; i < t->x_n; i++)
        largest = fmax(largest, fabs(analytic.dx[i]));
    bool soft_of_one = largest < 1e-9; /* a softmax over one element is constant: nothing to mutate but NaN */
    for (int m = soft_of_one ? 3 : 0; m < 5; m++) {
        mutated = analytic;
        mutate(m, t->x_n, mutated.dx);
        ck_assert_msg(worst_error(t, &mutated) > TOLERANCE, "%s: mutant %d of dx passes", t->op->name, m);
        for (size_t r = 0; r < OP_PARAMETERS_MAX; r++) {
            if (t->parameter_n[r] == 0) continue;
            mutated = analytic;
            mutate(m, t->parameter_n[r], mutated.gradients[r]);
            ck_assert_msg(worst_error(t, &mutated) > TOLERANCE, "%s: mutant %d of gradient %zu passes", t->op->name, m,
                          r);
        }
    }
    if (soft_of_one) ck_assert_msg(strstr(t->op->name, "softmax") != NULL, "%s has no gradient to test", t->op->name);
}

START_TEST(mutants)
{
    tested = backend_cpu(DTYPE_FLOAT64); /* it is the suite that is tested here */
    ck_assert_uint_ge(each_trial(ops[_i], refuses_mutants), 2);
}
END_TEST

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

/* No value and no slope is NaN or infinite anywhere on the axis, but where the function itself is that large.
 */
START_TEST(maps_are_finite)
{
    const double points[] = {-1e308, -1e154, -1e4, -750, -40, -1e-300, -0.0, 0, 1e-300, 40, 750, 1e4, 1e154, 1e308};
    const struct backend *b = backend_of_loop(_i, MAP_COUNT);
    enum map f = (enum map)(_i % MAP_COUNT);
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

void conformance_add_ops(Suite *suite)
{
    int count = 0;
    while (ops[count] != NULL)
        count++;
    TCase *tcase = tcase_create("ops");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, central_differences, 0, count * conformance.count);
    tcase_add_loop_test(tcase, agreement, 0, count * conformance.count);
    tcase_add_loop_test(tcase, mutants, 0, count);
    tcase_add_loop_test(tcase, maps_are_finite, 0, MAP_COUNT * conformance.count);
    tcase_add_loop_test(tcase, maps_and_losses_hand_nan_on, 0, conformance.count);
    tcase_add_loop_test(tcase, saturated, 0, conformance.count);
    tcase_add_loop_test(tcase, products, 0, conformance.count);
    suite_add_tcase(suite, tcase);
}

Suite *conformance_suite(const char *name)
{
    Suite *suite = suite_create(name);
    conformance_add_ops(suite);
    conformance_add_primitives(suite);
    conformance_add_sums(suite);
    conformance_add_passes(suite);
    conformance_add_many(suite);
    return suite;
}
