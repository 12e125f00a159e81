/* The conformance suite on the CUDA backend, its kernels run on the CPU by the host stand-in; and what happens when a
 * call on the device fails. */
#include "tests/core/conformance.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pass.h"
#include "core/backend_object.h"
#include "cuda/standin.h"
#include "tests/core/chain.h"

static const struct backend *backend_of(enum dtype dtype)
{
    char why[256] = "";
    const struct backend *b = gradcheckd_cuda_backend(dtype, why, sizeof why);
    if (b == NULL) {
        fprintf(stderr, "no backend: %s\n", why);
        abort();
    }
    return b;
}

/* A forward and backward pass with everything around it; its code. */
static int one_pass(const struct backend *b, const struct chain *chain)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 22);
    struct error error = {0};
    struct pass pass;
    double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {1, 0, 0, 1, 0, 1, 1, 0}, w[64] = {0.5, 0.25, -1}, read[64];
    int code = pass_new(&arena, &chain->network, b, 4, &pass, &error);
    bool made = code == CODE_OK;
    if (code == CODE_OK) code = pass_set_data(&pass, x, t, &error);
    for (size_t p = 0; code == CODE_OK && p < chain->network.parameter_count; p++)
        code = pass_set_parameter(&pass, p, w, &error);
    if (code == CODE_OK) code = pass_forward(&pass, &error);
    if (code == CODE_OK) code = pass_backward(&pass, &error);
    if (code == CODE_OK) code = pass_read(&pass, pass.gradients[0], chain->network.parameters[0].size, read, &error);
    if (made) pass_free(&pass);
    arena_free(&arena);
    return code;
}

/* Every single call fails once: an error of the request, and the next request is right again. */
START_TEST(every_failure_is_told)
{
    const struct link links[] = {{"linear", 3}, {"tanh", 0}, {"linear", 2}, {NULL, 0}};
    const struct backend *b = backend_of((enum dtype)(_i % 2));
    int code = _i / 2 ? CODE_DEVICE : CODE_OUT_OF_MEMORY;
    struct arena arena;
    arena_init(&arena, (size_t)1 << 22);
    struct chain chain;
    struct error error = {0};
    ck_assert_int_eq(chain_build(&arena, 2, links, "cross_entropy", &chain, &error), CODE_OK);
    chain.definition.l2 = 0.1;
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        standin_fail_in(n, code, false);
        int got = one_pass(b, &chain);
        bool reached = standin_fail_left() == 0;
        standin_fail_in(0, CODE_OK, false);
        if (!reached) {
            ck_assert_int_eq(got, CODE_OK);
            break;
        }
        /* an allocation that fails for want of memory is tried again, with what was kept given back */
        if (got != CODE_OK) failures++;
        ck_assert(got == code || (got == CODE_OK && code == CODE_OUT_OF_MEMORY));
        ck_assert_uint_eq(standin_count().pending, 0);
        ck_assert_int_eq(one_pass(b, &chain), CODE_OK);
    }
    ck_assert_uint_ge(failures, 20);
    arena_free(&arena);
}
END_TEST

START_TEST(a_sick_device_is_noticed)
{
    char why[256] = "";
    ck_assert_int_eq(gradcheckd_cuda_health(why, sizeof why), CODE_OK);
    for (size_t n = 1;; n++) {
        standin_fail_in(n, CODE_DEVICE, false);
        int code = gradcheckd_cuda_health(why, sizeof why);
        bool reached = standin_fail_left() == 0;
        standin_fail_in(0, CODE_OK, false);
        if (!reached) break;
        ck_assert_int_eq(code, CODE_DEVICE);
        ck_assert_ptr_nonnull(strstr(why, "was told to fail"));
        standin_fail_in(1, CODE_DEVICE, false);
        ck_assert_ptr_null(gradcheckd_cuda_backend(DTYPE_FLOAT64, why, sizeof why));
        standin_fail_in(0, CODE_OK, false);
    }
    ck_assert_int_eq(gradcheckd_cuda_health(why, sizeof why), CODE_OK);
    ck_assert_uint_eq(gradcheckd_cuda_interface(), GRADCHECKD_CUDA_INTERFACE);
    struct gradcheckd_cuda_device device;
    ck_assert_int_eq(gradcheckd_cuda_describe(&device), CODE_OK);
    ck_assert_str_eq(device.name, "host stand-in");
}
END_TEST

START_TEST(what_cannot_be_allocated)
{
    const struct backend *b = backend_of((enum dtype)_i);
    void *memory = NULL;
    ck_assert_int_eq(b->allocate(NULL, SIZE_MAX / 2, &memory), CODE_OUT_OF_MEMORY);
    ck_assert_int_eq(b->allocate(NULL, SIZE_MAX / 32, &memory), CODE_OUT_OF_MEMORY);
    ck_assert_int_eq(b->allocate(NULL, 0, &memory), CODE_OK);
    b->release(memory);
}
END_TEST

/* What is uploaded was copied, and what is downloaded is there, when the call returns; reductions, too. */
START_TEST(the_host_waits)
{
    const struct backend *b = backend_of((enum dtype)_i);
    enum { N = 300000 }; /* more than the staging memory holds of either */
    static double host[N];
    void *memory = NULL;
    for (int i = 0; i < N; i++)
        host[i] = i;
    ck_assert_int_eq(b->allocate(NULL, N, &memory), CODE_OK);
    ck_assert_int_eq(b->upload(N, host, memory), CODE_OK);
    ck_assert_uint_eq(standin_count().pending, 0);
    memset(host, 0, sizeof host);
    ck_assert_int_eq(b->download(N, memory, host), CODE_OK);
    ck_assert_uint_eq(standin_count().pending, 0);
    for (int i = 0; i < N; i++)
        ck_assert(host[i] == i);
    double sum = 0;
    ck_assert_int_eq(b->dot(100, memory, memory, &sum), CODE_OK);
    ck_assert(sum == 328350);
    b->release(memory);
}
END_TEST

/* Threads have queues of their own, hand them on when they end, and may release what another allocated. */
static struct chain threads_chain;
static void *left_behind[8];

static void *thread_of(void *number)
{
    const struct backend *b = backend_of(DTYPE_FLOAT64);
    for (int i = 0; i < 5; i++)
        if (one_pass(b, &threads_chain) != CODE_OK) return NULL;
    int *n = number;
    if (left_behind[*n] != NULL) b->release(left_behind[*n]); /* the last round's */
    return b->allocate(NULL, 1000, &left_behind[*n]) == CODE_OK ? number : NULL;
}

START_TEST(threads_side_by_side)
{
    const struct link links[] = {{"linear", 3}, {"tanh", 0}, {"linear", 2}, {NULL, 0}};
    struct arena arena;
    arena_init(&arena, (size_t)1 << 22);
    struct error error = {0};
    ck_assert_int_eq(chain_build(&arena, 2, links, "cross_entropy", &threads_chain, &error), CODE_OK);
    enum { THREADS = 4 };
    int numbers[THREADS] = {0, 1, 2, 3};
    for (int round = 0; round < 3; round++) {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, thread_of, &numbers[i]), 0);
        for (int i = 0; i < THREADS; i++) {
            void *result = NULL;
            pthread_join(threads[i], &result);
            ck_assert_ptr_eq(result, &numbers[i]);
        }
    }
    for (int i = 0; i < THREADS; i++)
        backend_of(DTYPE_FLOAT64)->release(left_behind[i]);
    arena_free(&arena);
}
END_TEST

/* Between two runs of the same, all has been waited for. */
static void reorder(bool descending)
{
    ck_assert_uint_eq(standin_count().pending, 0);
    standin_descending(descending);
}

Suite *test_suite(void)
{
#ifdef __SANITIZE_THREAD__
    setenv("CK_FORK", "no", 1); /* ThreadSanitizer loses fibers made before a fork */
#endif
    conformance = (struct conformance){
        .backends = {backend_of(DTYPE_FLOAT64), backend_of(DTYPE_FLOAT32)}, .count = 2, .reorder = reorder};
    Suite *suite = conformance_suite("cuda on the host stand-in");
    TCase *tcase = tcase_create("failures");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, every_failure_is_told, 0, 4);
    tcase_add_test(tcase, a_sick_device_is_noticed);
    tcase_add_loop_test(tcase, the_host_waits, 0, 2);
    tcase_add_test(tcase, threads_side_by_side);
    tcase_add_loop_test(tcase, what_cannot_be_allocated, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
