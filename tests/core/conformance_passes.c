/* Whole passes of networks, on every backend against the CPU's in float64; again and again, and on several threads. */
#include "tests/core/conformance.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/pass/pass.h"
#include "tests/core/chain.h"

#define TOLERANCE_F64 1e-12
#define TOLERANCE_F32 2e-4

enum { PARAMETERS_MAX = 8 };

static const struct {
    size_t input, batch;
    struct link links[9];
    const char *loss;
    double l2, l1;
} networks[] = {
    {2, 4, {{"linear", 3}, {"tanh", 0}, {"linear", 1}, {"sigmoid", 0}, {NULL, 0}}, "bce", 0, 0.05},
    {5, 33, {{"linear", 40}, {"relu", 0}, {"linear", 7}, {NULL, 0}}, "cross_entropy", 1e-3, 0.02},
    {9, 300, {{"linear", 33}, {"gelu", 0}, {"linear", 65}, {"silu", 0}, {"linear", 3}, {NULL, 0}}, "mse", 0, 0},
    {31, 7, {{"linear", 64}, {"leaky_relu", 0}, {"linear", 10}, {"log_softmax", 0}, {NULL, 0}}, "nll", 0.1, 0},
    {3, 17, {{"linear", 12}, {"elu", 0}, {"linear", 5}, {"softmax", 0}, {NULL, 0}}, "mse", 0, 0},
    {4, 257, {{"linear", 9}, {"softplus", 0}, {"flatten", 0}, {"linear", 4}, {NULL, 0}}, "hinge", 0, 0},
    {6, 50, {{"linear", 8}, {"sigmoid", 0}, {"linear", 8}, {NULL, 0}}, "smooth_l1", 0, 0},
};

enum { NETWORKS = sizeof networks / sizeof *networks };

static void network_of_table(struct arena *arena, int k, struct test_chain *chain)
{
    struct error error = {0};
    chain_define(networks[k].input, networks[k].links, networks[k].loss, chain);
    chain->definition.l2 = networks[k].l2;
    chain->definition.l1 = networks[k].l1;
    ck_assert_int_eq(chain_build_defined(arena, networks[k].batch, chain, &error), CODE_OK);
}

/* A pass's loss, outputs and gradients, one behind the other. */
struct outcome {
    size_t n;
    double *values;
};

/* Its code; no assertion, since threads of a test's own cannot make any. */
static int try_forward_and_backward(struct arena *arena, const struct backend *b, const struct test_chain *chain,
                                    struct outcome *out, struct error *error)
{
    const struct network *network = &chain->network;
    struct pass pass;
    struct problem problem;
    double *parameters[PARAMETERS_MAX];
    conformance_seed();
    size_t inputs = network->feeds[0]->size, outputs = network->output->size, classes = chain_width(chain);
    out->n = 0;
    out->values = arena_doubles(arena, 1 + outputs + network->parameter_elements);
    double *x = arena_doubles(arena, inputs), *t = arena_doubles(arena, outputs);
    if (out->values == NULL || x == NULL || t == NULL) return CODE_OUT_OF_MEMORY;
    for (size_t i = 0; i < inputs; i++)
        x[i] = (double)(float)uniform(-1, 1);
    for (size_t i = 0; i < outputs; i++)
        t[i] = chain->definition.loss.op->target == TARGET_LIKE_OUTPUT ? (double)(float)uniform(0, 1)
                                                                       : i % classes == (i / classes) % classes;
    for (size_t p = 0; p < network->parameter_count; p++) {
        size_t n = network->graded[p].value->size;
        parameters[p] = arena_doubles(arena, n);
        if (parameters[p] == NULL) return CODE_OUT_OF_MEMORY;
        for (size_t i = 0; i < n; i++)
            parameters[p][i] = (double)(float)uniform(-0.5, 0.5);
    }
    if (!chain_pose(arena, chain, b, x, t, parameters, &problem)) return CODE_OUT_OF_MEMORY;
    int code = problem_pass(arena, &problem, b, &pass, error);
    if (code == CODE_OK) code = pass_forward(&pass, error);
    if (code == CODE_OK) code = pass_backward(&pass, error);
    if (code == CODE_OK) {
        out->values[0] = pass.loss;
        code = pass_read(&pass, network->output, out->values + 1, error);
        out->n = 1 + outputs;
    }
    for (size_t p = 0; code == CODE_OK && p < network->parameter_count; p++) {
        code = pass_read_gradient(&pass, network->graded[p].value, out->values + out->n, error);
        out->n += network->graded[p].value->size;
    }
    pass_free(&pass);
    return code;
}

static void forward_and_backward(struct arena *arena, const struct backend *b, const struct test_chain *chain,
                                 struct outcome *out)
{
    struct error error = {0};
    int code = try_forward_and_backward(arena, b, chain, out, &error);
    ck_assert_msg(code == CODE_OK, "code %d: %s", code, error.detail);
}

START_TEST(whole_passes)
{
    const struct backend *b = conformance.backends[_i / NETWORKS];
    int k = _i % NETWORKS;
    struct arena arena;
    arena_init(&arena, (size_t)1 << 28);
    struct test_chain chain;
    network_of_table(&arena, k, &chain);
    struct outcome want, got, again;
    forward_and_backward(&arena, backend_cpu(DTYPE_FLOAT64), &chain, &want);
    forward_and_backward(&arena, b, &chain, &got);
    if (conformance.reorder != NULL) conformance.reorder(true);
    forward_and_backward(&arena, b, &chain, &again);
    if (conformance.reorder != NULL) conformance.reorder(false);
    ck_assert_uint_eq(got.n, want.n);
    double tolerance = b->dtype == DTYPE_FLOAT32 ? TOLERANCE_F32 : TOLERANCE_F64;
    for (size_t i = 0; i < want.n; i++)
        if (!(fabs(got.values[i] - want.values[i]) <= tolerance * (fabs(want.values[i]) + 1e-2)))
            ck_abort_msg("network %d, number %zu: %.17g for %.17g", k, i, got.values[i], want.values[i]);
    ck_assert_mem_eq(got.values, again.values, got.n * sizeof *got.values);
    arena_free(&arena);
}
END_TEST

/* Memory is given back and taken again: nothing of the last pass is seen in the next, and no more is taken. */
START_TEST(passes_again_and_again)
{
    const struct backend *b = conformance.backends[_i];
    struct outcome first = {0}, next;
    struct arena arena, kept;
    struct test_chain chain;
    arena_init(&kept, (size_t)1 << 26);
    network_of_table(&kept, 0, &chain);
    for (int k = 0; k < 50; k++) {
        arena_init(&arena, (size_t)1 << 26);
        forward_and_backward(k == 0 ? &kept : &arena, b, &chain, &next);
        if (k == 0) first = next;
        ck_assert_mem_eq(first.values, next.values, first.n * sizeof *first.values);
        arena_free(&arena);
    }
    arena_free(&kept);
}
END_TEST

/* One thread of several: passes of a network, and memory that the next thread in its place releases. */
struct worker {
    const struct backend *backend;
    const struct test_chain *chain;
    struct arena arena;
    struct outcome alone; /* what one thread got that had the device for itself */
    void *left_behind;
    bool same;
    int code; /* the first that is not CODE_OK */
    struct error error;
};

static void *work_of_thread(void *given)
{
    struct worker *w = given;
    for (int i = 0; w->code == CODE_OK && i < 5; i++) {
        struct outcome got;
        w->code = try_forward_and_backward(&w->arena, w->backend, w->chain, &got, &w->error);
        if (w->code == CODE_OK)
            w->same = w->same && memcmp(got.values, w->alone.values, got.n * sizeof *got.values) == 0;
    }
    if (w->left_behind != NULL) w->backend->release(w->left_behind);
    w->left_behind = NULL;
    if (w->code == CODE_OK) w->code = w->backend->allocate(&w->arena, 1000, &w->left_behind);
    return NULL;
}

/* Threads have queues of their own, hand them on when they end, and may release what another allocated; what they get
 * is to the bit what each gets alone. */
START_TEST(threads_side_by_side)
{
    enum { THREADS = 4, ROUNDS = 3 };
    const struct backend *b = conformance.backends[_i];
    static struct worker workers[THREADS];
    static struct test_chain chains[THREADS];
    for (int t = 0; t < THREADS; t++) {
        struct worker *w = &workers[t];
        *w = (struct worker){.backend = b, .chain = &chains[t], .same = true};
        arena_init(&w->arena, (size_t)1 << 28);
        network_of_table(&w->arena, t, &chains[t]);
        forward_and_backward(&w->arena, b, w->chain, &w->alone);
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        for (int t = 0; t < THREADS; t++)
            ck_assert_int_eq(pthread_create(&threads[t], NULL, work_of_thread, &workers[t]), 0);
        for (int t = 0; t < THREADS; t++)
            pthread_join(threads[t], NULL);
        for (int t = 0; t < THREADS; t++)
            ck_assert_msg(workers[t].code == CODE_OK, "network %d: code %d: %s", t, workers[t].code,
                          workers[t].error.detail);
    }
    for (int t = 0; t < THREADS; t++) {
        ck_assert_msg(workers[t].same, "network %d is another beside others", t);
        b->release(workers[t].left_behind);
        arena_free(&workers[t].arena);
    }
}
END_TEST

void conformance_add_passes(Suite *suite)
{
    TCase *tcase = tcase_create("passes");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, whole_passes, 0, NETWORKS * conformance.count);
    tcase_add_loop_test(tcase, passes_again_and_again, 0, conformance.count);
    tcase_add_loop_test(tcase, threads_side_by_side, 0, conformance.count);
    suite_add_tcase(suite, tcase);
}
