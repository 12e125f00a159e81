/* What rounding may make of a pass: enough for what float32 makes of it, and no more than a part of the gradients. */
#include "tests/main.h"

#include <float.h>

#include "core/pass/magnitude.h"
#include "tests/core/chain.h"

enum { BATCH = 6, WIDTH = 3, PARAMETERS_MAX = 40 };

static struct arena arena;
static struct test_chain chain;
static struct error error;
static struct problem problem;
static struct pass pass;
static struct magnitudes magnitudes;
static double *parameters[PARAMETERS_MAX];
static double x[BATCH * WIDTH], target[BATCH * WIDTH];

static size_t size_of(size_t p)
{
    return chain.network.graded[p].value->size;
}

static void run(const struct backend *backend, struct pass *made)
{
    ck_assert_int_eq(problem_pass(&arena, &problem, backend, made, &error), CODE_OK);
    ck_assert_int_eq(pass_forward(made, &error), CODE_OK);
    ck_assert_int_eq(pass_backward(made, &error), CODE_OK);
}

/* The chain that was defined, on numbers as irregular as `unit` leaves them: they are its multiples. */
static void prepare_defined(double scale, double unit, double eps)
{
    arena_init(&arena, (size_t)1 << 26);
    error = (struct error){0};
    ck_assert_int_eq(chain_build_defined(&arena, BATCH, &chain, &error), CODE_OK);
    ck_assert_uint_le(chain.network.parameter_count, PARAMETERS_MAX);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        x[i] = rint(2 * sin(3.0 + (double)(5 * i)) / unit) * unit;
        target[i] = rint((0.5 + 0.4 * cos((double)(3 * i))) / unit) * unit;
    }
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        parameters[p] = arena_doubles(&arena, size_of(p));
        for (size_t i = 0; i < size_of(p); i++)
            parameters[p][i] = rint(scale * sin(1.0 + (double)(7 * p + i)) / unit) * unit;
    }
    problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x, target, parameters);
    run(problem.backend, &pass);
    ck_assert_int_eq(magnitudes_of(&arena, &pass, eps, &magnitudes, &error), CODE_OK);
}

static void prepare(const struct link *links, const char *loss, double scale)
{
    chain_define(WIDTH, links, loss, &chain);
    prepare_defined(scale, 0x1p-40, DBL_EPSILON);
}

static double allowed(size_t p, size_t i, double eps)
{
    return MAGNITUDE_ROUNDINGS * eps * magnitudes.gradients[chain.network.graded[p].value->index][i];
}

static const double *gradient(size_t p)
{
    return pass.gradients[chain.network.graded[p].value->index];
}

/* The most that rounding of float64 is allowed, of the largest number of its tensor. */
static double most_allowed(void)
{
    double most = 0;
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        double largest = 0, most_here = 0;
        for (size_t i = 0; i < size_of(p); i++) {
            largest = fmax(largest, fabs(gradient(p)[i]));
            most_here = fmax(most_here, allowed(p, i, DBL_EPSILON));
        }
        most = fmax(most, most_here / largest);
    }
    return most;
}

static const struct {
    const char *loss;
    struct link links[8];
} chains[] = {
    {"mse", {{"linear", 4}, {"tanh", 0}, {"linear", 3}, {NULL, 0}}},
    {"bce", {{"linear", 4}, {"sigmoid", 0}, {"linear", 3}, {"sigmoid", 0}, {NULL, 0}}},
    {"bce_with_logits", {{"linear", 5}, {"softplus", 0}, {"linear", 3}, {NULL, 0}}},
    {"cross_entropy", {{"linear", 4}, {"silu", 0}, {"linear", 3}, {NULL, 0}}},
    {"mse", {{"linear", 4}, {"layer_norm", 0}, {"gelu", 0}, {"linear", 3}, {"layer_norm", 0}, {NULL, 0}}},
    {"mse", {{"linear", 6}, {"softmax", 0}, {"linear", 3}, {"log_softmax", 0}, {NULL, 0}}},
};

START_TEST(covers_what_float32_makes)
{
    static const double scales[] = {0.1, 1, 5};
    for (size_t s = 0; s < 3; s++) {
        prepare(chains[_i].links, chains[_i].loss, scales[s]);
        struct pass in_float32;
        run(backend_cpu(DTYPE_FLOAT32), &in_float32);
        for (size_t p = 0; p < chain.network.parameter_count; p++) {
            double *theirs = arena_doubles(&arena, size_of(p));
            ck_assert_int_eq(pass_read_gradient(&in_float32, chain.network.graded[p].value, theirs, &error), CODE_OK);
            for (size_t i = 0; i < size_of(p); i++)
                ck_assert_double_le(fabs(theirs[i] - gradient(p)[i]), allowed(p, i, FLT_EPSILON) + FLT_MIN);
        }
        ck_assert_double_lt(most_allowed(), 1e-9);
        pass_free(&in_float32);
        arena_free(&arena);
    }
}
END_TEST

/* A bound of the worst case is more than the gradients here. */
START_TEST(stays_small_in_a_deep_network)
{
    struct link deep[CHAIN_LAYERS_MAX];
    for (size_t i = 0; i < CHAIN_LAYERS_MAX - 1; i++)
        deep[i] = i % 2 == 0 ? (struct link){"linear", i + 2 < CHAIN_LAYERS_MAX ? 30 : 3} : (struct link){"tanh", 0};
    deep[CHAIN_LAYERS_MAX - 1] = (struct link){NULL, 0};
    prepare(deep, "mse", 1);
    ck_assert_double_lt(most_allowed(), 1e-9);
    arena_free(&arena);
}
END_TEST

/* Where the prediction is the target but for rounding, all of the gradient is. */
START_TEST(covers_a_perfect_fit)
{
    prepare(chains[0].links, "mse", 1);
    const struct value *output = chain.network.output;
    const double *y = pass.values[output->index];
    for (size_t i = 0; i < output->size; i++)
        target[i] = nextafter(y[i], i % 2 == 0 ? 10 : -10);
    run(problem.backend, &pass);
    ck_assert_int_eq(magnitudes_of(&arena, &pass, DBL_EPSILON, &magnitudes, &error), CODE_OK);
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        for (size_t i = 0; i < size_of(p); i++)
            ck_assert_double_le(fabs(gradient(p)[i]), allowed(p, i, DBL_EPSILON));
    arena_free(&arena);
}
END_TEST

/* What layer_norm leaves from forward to backward is nothing that a penalty reads. */
START_TEST(stays_small_with_penalties)
{
    chain_define(WIDTH, chains[4].links, "mse", &chain);
    chain.definition.l1 = 0.5;
    chain.definition.l2 = 0.1;
    prepare_defined(1, 0x1p-40, DBL_EPSILON);
    ck_assert_double_lt(most_allowed(), 1e-12);
    arena_free(&arena);
}
END_TEST

static size_t count_exact(const struct value *value)
{
    size_t exact = 0;
    for (size_t i = 0; i < value->size; i++)
        exact += magnitude_is_exact(&magnitudes, value, i);
    return exact;
}

/* Sums of products of whole multiples are the same in any order while they fit into a number: of 24 bits in float32. */
START_TEST(knows_what_is_exact)
{
    static const struct {
        double unit, eps;
        bool exact;
    } cases[] = {{0.25, DBL_EPSILON, true},
                 {0x1p-20, DBL_EPSILON, true},
                 {0x1p-30, DBL_EPSILON, false},
                 {0.25, FLT_EPSILON, true},
                 {0x1p-20, FLT_EPSILON, false}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        chain_define(WIDTH, chains[0].links, "mse", &chain);
        prepare_defined(1, cases[c].unit, cases[c].eps);
        const struct value *z = chain.network.graph.nodes[0]->output;
        ck_assert_uint_eq(count_exact(z), cases[c].exact ? z->size : 0);
        ck_assert_uint_eq(count_exact(chain.network.output), 0); /* behind a tanh nothing is */
        arena_free(&arena);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("magnitude");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, covers_what_float32_makes, 0, sizeof chains / sizeof *chains);
    tcase_add_test(all, stays_small_in_a_deep_network);
    tcase_add_test(all, covers_a_perfect_fit);
    tcase_add_test(all, stays_small_with_penalties);
    tcase_add_test(all, knows_what_is_exact);
    suite_add_tcase(suite, all);
    return suite;
}
