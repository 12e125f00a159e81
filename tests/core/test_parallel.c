/* Helping threads: every part is done once, whoever asks at the same time; and large products are right, and the same
 * bits, in one part or in two. */
#include "tests/main.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/backend.h"
#include "core/base/parallel.h"
#include "core/base/error.h"

enum { PARTS = 37, CALLERS = 4, ROUNDS = 3000 };

static void count(void *context, size_t part)
{
    atomic_fetch_add(&((atomic_int *)context)[part], 1);
}

static void *ask(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        atomic_int done[PARTS];
        for (size_t i = 0; i < PARTS; i++)
            atomic_init(&done[i], 0);
        parallel_run(PARTS, count, done);
        for (size_t i = 0; i < PARTS; i++)
            if (atomic_load(&done[i]) != 1) return "a part was not done once";
    }
    return unused;
}

START_TEST(every_part_once)
{
    ck_assert(parallel_start((unsigned)_i));
    pthread_t threads[CALLERS];
    for (size_t i = 0; i < CALLERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, NULL), 0);
    for (size_t i = 0; i < CALLERS; i++) {
        void *fault;
        pthread_join(threads[i], &fault);
        ck_assert_msg(fault == NULL, "%s", (char *)fault);
    }
    parallel_stop();
}
END_TEST

/* [m,k] by [k,n] for both storages of both; sizes around the one from which a product is halved. */
static const size_t sizes[][3] = {{64, 256, 784}, {784, 256, 64}, {129, 131, 127}, {33, 1000, 70}, {1, 2500, 1000}};

static void multiply(const struct backend *b, bool ta, bool tb, const size_t *size, const void *A, const void *B,
                     void *C)
{
    ck_assert_int_eq(b->gemm(ta, tb, size[0], size[1], size[2], 0.5, A, B, 2, C), CODE_OK);
}

START_TEST(large_products)
{
    const size_t *size = sizes[_i / 4], m = size[0], n = size[1], k = size[2];
    bool ta = _i & 1, tb = (_i & 2) != 0;
    double *A = malloc(m * k * sizeof *A), *B = malloc(k * n * sizeof *B);
    double *C = malloc(m * n * sizeof *C), *D = malloc(m * n * sizeof *D);
    ck_assert(A != NULL && B != NULL && C != NULL && D != NULL);
    for (size_t i = 0; i < m * k; i++)
        A[i] = sin(1.3 * (double)i);
    for (size_t i = 0; i < k * n; i++)
        B[i] = cos(0.7 * (double)i);
    for (size_t i = 0; i < m * n; i++)
        C[i] = D[i] = (double)(i % 7);
    const struct backend *b = backend_cpu(DTYPE_FLOAT64);
    multiply(b, ta, tb, size, A, B, C);
    for (size_t i = 0; i < m * n; i += 1 + i % 13) { /* a part of them: the sums take long */
        size_t row = i / n, column = i % n;
        double sum = 0;
        for (size_t p = 0; p < k; p++)
            sum += A[ta ? p * m + row : row * k + p] * B[tb ? column * k + p : p * n + column];
        ck_assert_double_eq_tol(C[i], 0.5 * sum + 2 * (double)(i % 7), 1e-10);
    }
    ck_assert(parallel_start(2));
    multiply(b, ta, tb, size, A, B, D);
    parallel_stop();
    ck_assert_mem_eq(C, D, m * n * sizeof *C);
    free(A);
    free(B);
    free(C);
    free(D);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("parallel");
    TCase *tcase = tcase_create("parallel");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_part_once, 0, 4);
    tcase_add_loop_test(tcase, large_products, 0, 4 * sizeof sizes / sizeof *sizes);
    suite_add_tcase(suite, tcase);
    return suite;
}
