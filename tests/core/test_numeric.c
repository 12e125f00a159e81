/* Central differences as a user asks for them (verify_reference). */
#include "tests/main.h"

#include <string.h>

#include "core/pass/differences.h"
#include "core/pass/fused.h"
#include "tests/core/chain.h"

enum { BATCH = 4, PARAMETERS_MAX = 16 };

static struct arena arena;
static struct test_chain chain;
static struct error error;
static struct problem problem;
static double *parameters[PARAMETERS_MAX], *gradients[PARAMETERS_MAX];
static double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, target[] = {0, 1, 1, 0};

static size_t size_of(size_t p)
{
    return chain.network.graded[p].value->size;
}

/* The network on the XOR data with its reference gradients. */
static void prepare_defined(double bias)
{
    arena_init(&arena, (size_t)1 << 26);
    error = (struct error){0};
    ck_assert_int_eq(chain_build_defined(&arena, BATCH, &chain, &error), CODE_OK);
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        parameters[p] = arena_doubles(&arena, size_of(p));
        gradients[p] = arena_doubles(&arena, size_of(p));
        bool drawn = chain.network.graded[p].slot->initial == INITIAL_DRAWN;
        for (size_t i = 0; i < size_of(p); i++)
            parameters[p][i] = drawn ? sin(1.0 + (double)(7 * p + i)) : bias;
    }
    problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x, target, parameters);
    struct pass pass;
    ck_assert_int_eq(problem_pass(&arena, &problem, problem.backend, &pass, &error), CODE_OK);
    ck_assert_int_eq(pass_forward(&pass, &error), CODE_OK);
    ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        ck_assert_int_eq(pass_read_gradient(&pass, chain.network.graded[p].value, gradients[p], &error), CODE_OK);
}

static void prepare(const struct link *links, const char *loss, double bias)
{
    chain_define(2, links, loss, &chain);
    prepare_defined(bias);
}

static struct verification verify(void)
{
    struct verification v;
    ck_assert_int_eq(differences_verify(&arena, &problem, gradients, &v, &error), CODE_OK);
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

/* A scale, and penalties of all weights or of each parameter; at a number that is 0 that of l1 has a kink. */
START_TEST(agrees_with_scale_and_penalties)
{
    static const double l2_of[] = {0.3, 0, 0, 0.2}, l1_of[] = {0, 0.1, 0.4, 0};
    for (int named = 0; named < 2; named++) {
        chain_define(2, smooth, "mse", &chain);
        chain.definition.loss.attributes[LOSS_SCALE] = 0.5;
        chain.definition.l2 = 0.1;
        chain.definition.l1 = 0.2;
        chain.definition.l2_of = named ? l2_of : NULL;
        chain.definition.l1_of = named ? l1_of : NULL;
        prepare_defined(named ? 0 : 0.1);
        struct fused fused;
        ck_assert(!fused_of(&chain.network, &fused)); /* which knows l2 of all weights alone */
        struct verification v = verify();
        ck_assert_uint_eq(v.at_kinks, named ? 3 : 0); /* b1, whose numbers are 0 */
        ck_assert_uint_eq(v.checked + v.at_kinks, chain.network.parameter_elements);
        ck_assert_double_lt(v.max_rel_diff, 1e-8);
        arena_free(&arena);
    }
}
END_TEST

START_TEST(finds_a_wrong_one_and_where)
{
    prepare(smooth, "mse", 0.1);
    gradients[2][1] += 1e-3;
    struct verification v = verify();
    ck_assert_double_eq_tol(v.max_abs_diff, 1e-3, 1e-8);
    ck_assert(v.graded == 2 && v.worst == 1);
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
    ck_assert_int_eq(chain_build(&arena, 1, 2, links, "bce", &chain, &error), CODE_OK);
    double w = 1, b = 0, dw = 0, db = 0, edge_x[] = {0, 1}, edge_y[] = {0, 1};
    double *at[] = {&w, &b}, *of[] = {&dw, &db};
    struct verification v;
    problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), edge_x, edge_y, at);
    ck_assert_int_eq(differences_verify(&arena, &problem, of, &v, &error), CODE_OK);
    ck_assert(v.at_kinks == 2 && v.checked == 0);
    arena_free(&arena);
}
END_TEST

START_TEST(can_be_cancelled)
{
    prepare(smooth, "mse", 0.1);
    atomic_bool cancelled = true;
    struct verification v;
    problem.cancelled = &cancelled;
    ck_assert_int_eq(differences_verify(&arena, &problem, gradients, &v, &error), CODE_CANCELLED);
    arena_free(&arena);
}
END_TEST

/* ---- by a backend that evaluates many variants at once: the gradients themselves decide what losses it makes up ----
 */

static struct {
    size_t calls, variants, largest; /* of a call */
    size_t cancel_at, fail_at;       /* the call that does; 0: none */
    atomic_bool cancelled;
} asked;

static int make_up_losses(const struct fused *fused, const double *all, const double *inputs, const double *targets,
                          size_t count, const unsigned *at, const double *value, double *losses, bool *edge)
{
    (void)all;
    (void)inputs;
    (void)targets;
    asked.calls++;
    if (asked.calls == asked.fail_at) return CODE_OUT_OF_MEMORY;
    if (count > asked.largest) asked.largest = count;
    for (size_t v = 0; v < count; v++) {
        /* two of each, in order */
        ck_assert_uint_eq(at[v], (asked.variants + v) / 2);
        ck_assert_uint_lt(at[v], fused->parameters);
        losses[v] = (double)(at[v] % 7) * value[v];
        edge[v] = at[v] % 5 == 4;
    }
    asked.variants += count;
    if (asked.calls == asked.cancel_at) asked.cancelled = true;
    return CODE_OK;
}

static int verify_made_up(size_t batch, struct verification *v)
{
    struct backend backend = *backend_cpu(DTYPE_FLOAT64);
    backend.losses_of_many = make_up_losses;
    asked.calls = asked.variants = asked.largest = 0;
    asked.cancelled = false;
    error = (struct error){0};
    double *rows = arena_doubles(&arena, 2 * batch), *targets = arena_doubles(&arena, batch);
    for (size_t i = 0; i < batch; i++) {
        memcpy(rows + 2 * i, x + 2 * (i % BATCH), 2 * sizeof *x);
        targets[i] = target[i % BATCH];
    }
    ck_assert_int_eq(chain_build_defined(&arena, batch, &chain, &error), CODE_OK);
    problem = chain_problem(&arena, &chain, &backend, rows, targets, parameters);
    problem.cancelled = &asked.cancelled;
    return differences_verify_on_device(&arena, &problem, gradients, NULL, v, &error);
}

static void prepare_made_up(size_t width)
{
    const struct link wide[] = {
        {"linear", (double)width}, {"tanh", 0}, {"linear", (double)width}, {"tanh", 0}, {"linear", 1}, {NULL, 0}};
    asked.cancel_at = asked.fail_at = 0;
    prepare(wide, "mse", 0.1);
    size_t element = 0;
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        for (size_t i = 0; i < size_of(p); i++)
            gradients[p][i] = (double)(element++ % 7);
}

/* The heavier an evaluation, the fewer at once; all elements have their turn whatever the portions. */
START_TEST(many_at_once_in_portions)
{
    struct verification v;
    prepare_made_up(60);
    for (size_t batch = 4, last = 0; batch <= 2500; batch *= 5) {
        ck_assert_int_eq(verify_made_up(batch, &v), CODE_OK);
        ck_assert_uint_eq(asked.variants, 2 * chain.network.parameter_elements);
        ck_assert_uint_eq(v.at_kinks, chain.network.parameter_elements / 5);
        ck_assert_uint_eq(v.checked + v.at_kinks, chain.network.parameter_elements);
        ck_assert_double_lt(v.max_abs_diff, 1e-8);
        ck_assert(last == 0 || asked.largest <= last);
        ck_assert(asked.largest == 128 || (double)asked.largest * chain.network.work / 3 <= 1e10);
        last = asked.largest;
    }
    ck_assert_uint_gt(asked.calls, chain.network.parameter_count);
    arena_free(&arena);
}
END_TEST

START_TEST(many_at_once_can_be_cancelled_between_portions)
{
    struct verification v;
    prepare_made_up(60);
    asked.cancel_at = 3;
    ck_assert_int_eq(verify_made_up(2500, &v), CODE_CANCELLED);
    ck_assert_uint_eq(asked.calls, 3);
    arena_free(&arena);
}
END_TEST

/* A device that has no memory left, at once or later, leaves it to the CPU. */
START_TEST(many_at_once_without_memory)
{
    struct verification want, v;
    prepare_made_up(3);
    ck_assert_int_eq(differences_verify(&arena, &problem, gradients, &want, &error), CODE_OK);
    asked.fail_at = (size_t)_i + 1;
    ck_assert_int_eq(verify_made_up(BATCH, &v), CODE_OK);
    ck_assert_uint_eq(asked.calls, asked.fail_at);
    ck_assert(v.checked == want.checked && v.at_kinks == want.at_kinks && v.max_abs_diff == want.max_abs_diff &&
              v.max_rel_diff == want.max_rel_diff && v.graded == want.graded && v.worst == want.worst);
    arena_free(&arena);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("numeric");
    TCase *tcase = tcase_create("numeric");
    tcase_add_test(tcase, agrees_with_a_right_reference);
    tcase_add_test(tcase, agrees_with_scale_and_penalties);
    tcase_add_test(tcase, finds_a_wrong_one_and_where);
    tcase_add_test(tcase, leaves_out_what_lies_at_a_kink);
    tcase_add_test(tcase, leaves_the_parameters_as_they_were);
    tcase_add_test(tcase, probes_beyond_the_edge_of_a_loss_are_left_out);
    tcase_add_test(tcase, can_be_cancelled);
    tcase_add_test(tcase, many_at_once_in_portions);
    tcase_add_test(tcase, many_at_once_can_be_cancelled_between_portions);
    tcase_add_loop_test(tcase, many_at_once_without_memory, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
