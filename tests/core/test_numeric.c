/* Central differences as a user asks for them (verify_reference). */
#include "tests/main.h"

#include <string.h>

#include "core/numeric.h"
#include "tests/core/chain.h"

enum { BATCH = 4, PARAMETERS_MAX = 16 };

static struct arena arena;
static struct chain chain;
static struct error error;
static double *parameters[PARAMETERS_MAX], *gradients[PARAMETERS_MAX];
static double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, target[] = {0, 1, 1, 0};

/* The network on the XOR data with its reference gradients. */
static void prepare(const struct link *links, const char *loss, double bias)
{
    arena_init(&arena, (size_t)1 << 26);
    error = (struct error){0};
    ck_assert_int_eq(chain_build(&arena, 2, links, loss, &chain, &error), CODE_OK);
    struct pass pass;
    ck_assert_int_eq(pass_new(&arena, &chain.network, backend_cpu(DTYPE_FLOAT64), BATCH, &pass, &error), CODE_OK);
    ck_assert_int_eq(pass_set_data(&pass, x, target, &error), CODE_OK);
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        const struct parameter *parameter = &chain.network.parameters[p];
        parameters[p] = arena_doubles(&arena, parameter->size);
        gradients[p] = arena_doubles(&arena, parameter->size);
        for (size_t i = 0; i < parameter->size; i++)
            parameters[p][i] = parameter->role->weight ? sin(1.0 + (double)(7 * p + i)) : bias;
        ck_assert_int_eq(pass_set_parameter(&pass, p, parameters[p], &error), CODE_OK);
    }
    ck_assert_int_eq(pass_forward(&pass, &error), CODE_OK);
    ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        ck_assert_int_eq(pass_read(&pass, pass.gradients[p], chain.network.parameters[p].size, gradients[p], &error),
                         CODE_OK);
}

static struct verification verify(void)
{
    struct verification v;
    ck_assert_int_eq(numeric_verify(&arena, &chain.network, BATCH, parameters, x, target, gradients, NULL, &v, &error),
                     CODE_OK);
    return v;
}

static const struct link smooth[] = {{"linear", 3}, {"tanh", 0}, {"linear", 1}, {"sigmoid", 0}, {NULL, 0}};
static const struct link kinked[] = {{"linear", 3}, {"relu", 0}, {"linear", 1}, {"sigmoid", 0}, {NULL, 0}};

START_TEST(agrees_with_a_right_reference)
{
    prepare(smooth, "mse", 0.1);
    struct verification v = verify();
    ck_assert(v.checked == chain.network.parameter_elements && v.at_kinks == 0);
    ck_assert_double_lt(v.max_rel_diff, 1e-8);
    arena_free(&arena);
}
END_TEST

START_TEST(finds_a_wrong_one_and_where)
{
    prepare(smooth, "mse", 0.1);
    gradients[2][1] += 1e-3;
    struct verification v = verify();
    ck_assert_double_eq_tol(v.max_abs_diff, 1e-3, 1e-8);
    ck_assert(v.parameter == 2 && v.worst == 1);
    arena_free(&arena);
}
END_TEST

/* With zero biases the input [0,0] lies exactly on every ReLU's kink: only the first layer's bias moves it
 * off. */
START_TEST(leaves_out_what_lies_at_a_kink)
{
    prepare(kinked, "mse", 0);
    struct verification v = verify();
    ck_assert_uint_eq(v.at_kinks, 3);
    ck_assert_uint_eq(v.checked, chain.network.parameter_elements - 3);
    ck_assert_double_lt(v.max_rel_diff, 1e-8);
    arena_free(&arena);
}
END_TEST

START_TEST(leaves_the_parameters_as_they_were)
{
    prepare(smooth, "bce", 0.1);
    double before[6];
    memcpy(before, parameters[0], sizeof before);
    verify();
    ck_assert_mem_eq(before, parameters[0], sizeof before);
    arena_free(&arena);
}
END_TEST

/* A probe may leave [0,1], where bce ends: an edge like a kink, not the client's fault. */
START_TEST(probes_beyond_the_edge_of_a_loss_are_left_out)
{
    const struct link links[] = {{"linear", 1}, {NULL, 0}};
    arena_init(&arena, (size_t)1 << 24);
    error = (struct error){0};
    ck_assert_int_eq(chain_build(&arena, 1, links, "bce", &chain, &error), CODE_OK);
    double w = 1, b = 0, dw = 0, db = 0, edge_x[] = {0, 1}, edge_y[] = {0, 1};
    double *at[] = {&w, &b}, *of[] = {&dw, &db};
    struct verification v;
    ck_assert_int_eq(numeric_verify(&arena, &chain.network, 2, at, edge_x, edge_y, of, NULL, &v, &error), CODE_OK);
    ck_assert(v.at_kinks == 2 && v.checked == 0);
    arena_free(&arena);
}
END_TEST

START_TEST(can_be_cancelled)
{
    prepare(smooth, "mse", 0.1);
    atomic_bool cancelled = true;
    struct verification v;
    ck_assert_int_eq(
        numeric_verify(&arena, &chain.network, BATCH, parameters, x, target, gradients, &cancelled, &v, &error),
        CODE_CANCELLED);
    arena_free(&arena);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("numeric");
    TCase *tcase = tcase_create("numeric");
    tcase_add_test(tcase, agrees_with_a_right_reference);
    tcase_add_test(tcase, finds_a_wrong_one_and_where);
    tcase_add_test(tcase, leaves_out_what_lies_at_a_kink);
    tcase_add_test(tcase, leaves_the_parameters_as_they_were);
    tcase_add_test(tcase, probes_beyond_the_edge_of_a_loss_are_left_out);
    tcase_add_test(tcase, can_be_cancelled);
    suite_add_tcase(suite, tcase);
    return suite;
}
