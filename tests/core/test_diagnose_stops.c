/* A search whose time is over, or that nobody waits for, ends before its next step, also while it still prepares: where
 * one value is taken many times, to send back to it once from everywhere takes longer than the search may. */
#include "tests/main.h"

#include <stdatomic.h>

#include "core/diagnosis/diagnose.h"
#include "tests/core/chain.h"

enum { TIMES = 24, BATCH = 2 };

static struct arena arena;
static size_t sent; /* how often something was sent back to x */
static const struct op *mul;

static int backward(const struct op_call *call)
{
    sent++;
    return mul->backward(call);
}

/* The layer x * x * ... * x, and one wrong number for each of x's gradient. */
static int diagnose(double seconds, const atomic_bool *cancelled, struct diagnosis *diagnosis)
{
    static double x[BATCH] = {0.9, 1.1}, target[BATCH], dx[BATCH] = {0.3, 0.7}, points[] = {1};
    static const char *const names[] = {"x"};
    struct test_chain chain;
    struct source inputs[TIMES] = {{0}};
    struct error error = {0};
    const struct link links[] = {{"mul", 0}, {NULL, 0}};
    chain_define(1, links, "mse", &chain);
    mul = chain.layers[0].op;
    struct op counted = *mul;
    counted.backward = backward;
    chain.layers[0].op = &counted;
    chain.layers[0].inputs = inputs;
    chain.layers[0].input_count = TIMES;
    chain.feed.wanted = true;
    ck_assert_int_eq(chain_build_defined(&arena, BATCH, &chain, &error), CODE_OK);
    const struct shape shapes[] = {chain.network.feeds[0]->shape};
    const struct tensor tensor = {.shape = shapes[0], .size = BATCH, .data = dx};
    const struct submission item = {.name = "x", .tensor = &tensor};
    struct check check = {.problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x, target, NULL),
                          .points = points,
                          .gradients = {.items = &item, .count = 1},
                          .tolerance = {.kind = TOLERANCE_PLAIN, .plain = {.atol = 1e-6}}};
    check.problem.shapes = shapes;
    check.problem.names = names;
    struct report report;
    ck_assert_int_eq(check_run(&arena, &check, &report, &error), CODE_OK);
    ck_assert(!report.passed);
    check.problem.cancelled = cancelled;
    sent = 0;
    return diagnose_run(&arena, &check, &report, seconds, diagnosis, &error);
}

START_TEST(at_once)
{
    struct diagnosis diagnosis;
    arena_init(&arena, (size_t)1 << 24);
    ck_assert_int_eq(diagnose(60, NULL, &diagnosis), CODE_OK);
    ck_assert_uint_ge(sent, TIMES);
    ck_assert(!diagnosis.stopped);
    ck_assert_int_eq(diagnose(1e-12, NULL, &diagnosis), CODE_OK);
    ck_assert_uint_le(sent, 1);
    ck_assert(diagnosis.stopped && !diagnosis.explained && diagnosis.count == 0);
    const atomic_bool cancelled = true;
    ck_assert_int_eq(diagnose(60, &cancelled, &diagnosis), CODE_CANCELLED);
    ck_assert_uint_eq(sent, 0);
    arena_free(&arena);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("diagnose_stops");
    TCase *tcase = tcase_create("diagnose_stops");
    tcase_add_test(tcase, at_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
