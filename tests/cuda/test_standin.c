/* The conformance suite on the CUDA backend, its kernels run on the CPU by the host stand-in; what happens when a call
 * on the device fails; and what becomes of memory that is given back. */
#include "tests/core/conformance.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pass/differences.h"
#include "core/pass/pass.h"
#include "core/backend/plugin.h"
#include "core/pass/fused.h"
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
static int one_pass(const struct backend *b, const struct test_chain *chain)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 22);
    struct error error = {0};
    struct pass pass;
    double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {1, 0, 0, 1, 0, 1, 1, 0}, w[64] = {0.5, 0.25, -1}, read[64];
    double *parameters[] = {w, w, w, w};
    const struct problem problem = chain_problem(&arena, chain, b, x, t, parameters);
    int code = problem_pass(&arena, &problem, b, &pass, &error);
    if (code == CODE_OK) code = pass_forward(&pass, &error);
    if (code == CODE_OK) code = pass_backward(&pass, &error);
    if (code == CODE_OK) code = pass_read_gradient(&pass, chain->network.graded[0].value, read, &error);
    pass_free(&pass);
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
    struct test_chain chain;
    struct error error = {0};
    chain_define(2, links, "cross_entropy", &chain);
    chain.definition.l2 = 0.1;
    ck_assert_int_eq(chain_build_defined(&arena, 4, &chain, &error), CODE_OK);
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

/* ---- many small networks ---- */

struct many {
    struct arena arena;
    struct test_chain chain;
    struct fused fused;
    double *x, *target, *parameters;
};

/* With targets between 0 and 1, and parameters for so many networks. */
static void many_new(struct many *m, size_t input, size_t batch, const struct link *links, const char *loss,
                     size_t networks)
{
    struct error error = {0};
    arena_init(&m->arena, (size_t)1 << 26);
    ck_assert_int_eq(chain_build(&m->arena, input, batch, links, loss, &m->chain, &error), CODE_OK);
    ck_assert(fused_of(&m->chain.network, &m->fused));
    size_t xs = batch * input, ts = m->chain.network.output->size, ws = networks * m->chain.network.parameter_elements;
    m->x = arena_doubles(&m->arena, xs);
    m->target = arena_doubles(&m->arena, ts);
    m->parameters = arena_doubles(&m->arena, ws);
    ck_assert(m->x != NULL && m->target != NULL && m->parameters != NULL);
    conformance_seed();
    for (size_t i = 0; i < xs; i++)
        m->x[i] = (double)(float)uniform(0, 1);
    for (size_t i = 0; i < ts; i++)
        m->target[i] = (double)(float)uniform(0, 1);
    for (size_t i = 0; i < ws; i++)
        m->parameters[i] = (double)(float)uniform(0, 0.5);
}

static const struct link small_links[] = {{"linear", 3}, {"tanh", 0}, {"linear", 1}, {"sigmoid", 0}, {NULL, 0}};

/* Losses of variants, or passes that are compared with what was submitted. */
static int many_at_once(const struct backend *b, const struct many *m, bool passes)
{
    enum { COUNT = 40, ELEMENTS = 13 };
    static double value[COUNT], losses[COUNT], gradients[COUNT * ELEMENTS], largest[COUNT];
    static unsigned at[COUNT], worst[COUNT];
    static bool edge[COUNT];
    ck_assert_uint_eq(m->fused.parameters, ELEMENTS);
    if (!passes) return b->losses_of_many(&m->fused, m->parameters, m->x, m->target, COUNT, at, value, losses, edge);
    return b->passes_of_many(&m->fused, COUNT, m->parameters, m->x, m->target, losses, gradients, m->parameters,
                             largest, worst);
}

/* Every call fails once, and nothing of the caller's is touched after the error. */
START_TEST(failures_of_many)
{
    const struct backend *b = backend_of((enum dtype)(_i % 2));
    int code = _i / 4 ? CODE_DEVICE : CODE_OUT_OF_MEMORY;
    bool passes = _i / 2 % 2;
    struct many m;
    many_new(&m, 2, 4, small_links, "bce", 40);
    for (size_t n = 1;; n++) {
        standin_fail_in(n, code, false);
        int got = many_at_once(b, &m, passes);
        bool reached = standin_fail_left() == 0;
        standin_fail_in(0, CODE_OK, false);
        ck_assert_uint_eq(standin_count().pending, 0);
        ck_assert(got == (reached ? code : CODE_OK) || (got == CODE_OK && code == CODE_OUT_OF_MEMORY));
        if (reached) continue;
        ck_assert_uint_ge(n, 15);
        break;
    }
    arena_free(&m.arena);
}
END_TEST

/* Whichever call on the device fails: for want of memory the CPU does it, all else is told. */
START_TEST(verification_without_a_device)
{
    enum { PARAMETERS_MAX = 8 };
    const struct backend *b = backend_of((enum dtype)(_i / 2));
    int failure = _i % 2 ? CODE_DEVICE : CODE_OUT_OF_MEMORY;
    bool sick = failure == CODE_OUT_OF_MEMORY; /* an allocation that fails once is tried again */
    struct many m;
    many_new(&m, 2, 4, small_links, "bce", 1);
    const struct network *network = &m.chain.network;
    double *w_of[PARAMETERS_MAX];
    for (size_t p = 0, offset = 0; p < network->parameter_count; offset += network->graded[p++].value->size)
        w_of[p] = m.parameters + offset;
    const struct problem problem = chain_problem(&m.arena, &m.chain, b, m.x, m.target, w_of);
    struct verification want, got;
    struct error error = {0};
    ck_assert_int_eq(differences_verify(&m.arena, &problem, w_of, &want, &error), CODE_OK);
    for (size_t n = 1;; n++) {
        standin_fail_in(n, failure, sick);
        int code = differences_verify_on_device(&m.arena, &problem, w_of, NULL, &got, &error);
        bool reached = standin_fail_left() <= sick;
        standin_fail_in(0, CODE_OK, false);
        ck_assert_uint_eq(standin_count().pending, 0);
        ck_assert_int_eq(code, reached && failure == CODE_DEVICE ? CODE_DEVICE : CODE_OK);
        ck_assert_int_eq(error.code, code);
        error = (struct error){0};
        if (code == CODE_OK) {
            ck_assert(got.checked == want.checked && got.worst == want.worst && got.graded == want.graded);
            ck_assert_double_eq_tol(got.max_abs_diff, want.max_abs_diff, 1e-9);
        }
        if (reached) continue;
        ck_assert_uint_gt(n, 20);
        break;
    }
    arena_free(&m.arena);
}
END_TEST

/* What the losses of so many equal variants took. */
static struct standin_counts cost_of(const struct backend *b, const struct many *m, size_t count)
{
    enum { MOST = 400 };
    static unsigned at[MOST];
    static double value[MOST], loss[MOST];
    static bool edge[MOST];
    ck_assert_uint_le(count, MOST);
    for (size_t v = 0; v < count; v++)
        value[v] = 0.25;
    struct standin_counts before = standin_count(), after;
    ck_assert_int_eq(b->losses_of_many(&m->fused, m->parameters, m->x, m->target, count, at, value, loss, edge),
                     CODE_OK);
    for (size_t v = 1; v < count; v++)
        ck_assert_mem_eq(&loss[0], &loss[v], sizeof *loss);
    after = standin_count();
    return (struct standin_counts){.launches = after.launches - before.launches,
                                   .blocks = after.blocks - before.blocks};
}

/* A launch is bounded by its work, but has some evaluations at least; by the number of evaluations; and by the memory
 * that its blocks take. The numbers are the stand-in's (cuda/crew.h). */
START_TEST(launches_are_bounded)
{
    enum { FEW = 20, MANY = 400 };
    const struct link one[] = {{"linear", 1}, {NULL, 0}},
                      wide[] = {{"linear", 26}, {"silu", 0}, {"linear", 4}, {NULL, 0}};
    const struct backend *b = backend_of((enum dtype)_i);
    struct many small, large;
    many_new(&small, 1, 3, one, "bce", 1);
    many_new(&large, 5, 140, wide, "mse", 1);
    ck_assert_uint_eq(cost_of(b, &small, FEW).launches, 2); /* the network as it is, and all variants */
    ck_assert_uint_ge(cost_of(b, &small, MANY).launches, 10);
    struct standin_counts cost = cost_of(b, &large, FEW);
    ck_assert(cost.launches >= 4 && cost.launches < FEW);
    ck_assert_uint_le(cost.blocks, 2 * cost.launches);
    arena_free(&small.arena);
    arena_free(&large.arena);
}
END_TEST

START_TEST(a_sick_device_is_noticed)
{
    char why[256] = "";
    ck_assert_int_eq(gradcheckd_cuda_trial(why, sizeof why), CODE_OK);
    for (size_t n = 1;; n++) {
        standin_fail_in(n, CODE_DEVICE, false);
        int code = gradcheckd_cuda_trial(why, sizeof why);
        bool reached = standin_fail_left() == 0;
        standin_fail_in(0, CODE_OK, false);
        if (!reached) break;
        ck_assert_int_eq(code, CODE_DEVICE);
        ck_assert_ptr_nonnull(strstr(why, "was told to fail"));
        standin_fail_in(1, CODE_DEVICE, false);
        ck_assert_ptr_null(gradcheckd_cuda_backend(DTYPE_FLOAT64, why, sizeof why));
        standin_fail_in(0, CODE_OK, false);
    }
    ck_assert_int_eq(gradcheckd_cuda_trial(why, sizeof why), CODE_OK);
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

/* ---- the pool of memory that was given back ---- */

static size_t free_memory(void)
{
    struct gradcheckd_cuda_device device;
    ck_assert_int_eq(gradcheckd_cuda_describe(&device), CODE_OK);
    return device.free_memory;
}

/* The device gets room for so much beyond what is taken. */
static void leave_room(size_t bytes)
{
    struct gradcheckd_cuda_device device;
    ck_assert_int_eq(gradcheckd_cuda_describe(&device), CODE_OK);
    standin_device_bytes(device.memory - device.free_memory + bytes);
}

/* Nothing is in the pool, and the calling thread has a queue. */
static void begin_without_pool(const struct backend *b)
{
    void *memory = NULL;
    ck_assert_int_eq(b->allocate(NULL, 1, &memory), CODE_OK);
    b->release(memory);
    ck_assert_int_eq(b->allocate(NULL, SIZE_MAX / 32, &memory), CODE_OUT_OF_MEMORY);
}

/* What a thread that ends at once is to do: allocate n elements and set the device to work on them, wait for that, or
 * release them. The next such thread gets the queue of the last. */
struct errand {
    const struct backend *backend;
    size_t n;
    void *memory;
    int code;
};

static void *allocate_and_work(void *given)
{
    struct errand *e = given;
    e->code = e->backend->allocate(NULL, e->n, &e->memory);
    if (e->code == CODE_OK) e->code = e->backend->axpby(e->n, 0, e->memory, 0, e->memory);
    return NULL;
}

static void *wait_for_it(void *given)
{
    struct errand *e = given;
    const double none[1] = {0};
    e->code = e->backend->upload(0, none, NULL);
    return NULL;
}

static void *release_it(void *given)
{
    struct errand *e = given;
    e->backend->release(e->memory);
    return NULL;
}

static int code_on_another_thread(void *(*does)(void *), struct errand *e)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, does, e), 0);
    pthread_join(thread, NULL);
    return e->code;
}

static void on_another_thread(void *(*does)(void *), struct errand *e)
{
    ck_assert_int_eq(code_on_another_thread(does, e), CODE_OK);
}

/* Allocates so much and says how often that waited for a queue. */
static size_t waits_to_allocate(const struct backend *b, size_t n, void **memory)
{
    size_t before = standin_count().waits;
    ck_assert_int_eq(b->allocate(NULL, n, memory), CODE_OK);
    return standin_count().waits - before;
}

START_TEST(memory_goes_from_thread_to_thread)
{
    const struct backend *b = backend_of(DTYPE_FLOAT64);
    enum { N = 100000 };
    struct errand e = {.backend = b, .n = N};
    void *own = NULL, *memory = NULL;
    begin_without_pool(b);
    ck_assert_int_eq(b->allocate(NULL, N + 1000, &own), CODE_OK);
    on_another_thread(allocate_and_work, &e);
    size_t left = free_memory();
    on_another_thread(wait_for_it, &e);
    b->release(own);
    b->release(e.memory);
    ck_assert_uint_eq(free_memory(), left);

    /* the thread's own, though the other fits better; then the other's, whose queue is done; never with a wait */
    ck_assert_uint_eq(waits_to_allocate(b, N, &memory), 0);
    ck_assert_ptr_eq(memory, own);
    ck_assert_uint_eq(waits_to_allocate(b, N, &memory), 0);
    ck_assert_ptr_eq(memory, e.memory);
    ck_assert_uint_eq(free_memory(), left);

    /* now it is the thread's own */
    ck_assert_int_eq(b->axpby(N, 0, memory, 0, memory), CODE_OK);
    b->release(memory);
    ck_assert_uint_eq(waits_to_allocate(b, N, &memory), 0);
    ck_assert_ptr_eq(memory, e.memory);

    /* what is too small, or more than twice as large, is not taken */
    b->release(memory);
    ck_assert_uint_eq(waits_to_allocate(b, N / 3, &memory), 0);
    ck_assert_ptr_ne(memory, e.memory);
    ck_assert_uint_eq(waits_to_allocate(b, 2 * N, &memory), 0);
    ck_assert_ptr_ne(memory, e.memory);
}
END_TEST

/* A thread that only releases makes no call on the device for it. */
START_TEST(any_thread_gives_back)
{
    const struct backend *b = backend_of(DTYPE_FLOAT32);
    struct errand e = {.backend = b, .n = 5000};
    begin_without_pool(b);
    allocate_and_work(&e);
    size_t left = free_memory();
    standin_fail_in(1, CODE_DEVICE, false);
    on_another_thread(release_it, &e);
    ck_assert_uint_eq(standin_fail_left(), 1);
    standin_fail_in(0, CODE_OK, false);
    ck_assert_uint_eq(free_memory(), left);
    void *memory = NULL;
    ck_assert_uint_eq(waits_to_allocate(b, e.n, &memory), 0);
    ck_assert_ptr_eq(memory, e.memory);
    b->release(memory);
}
END_TEST

/* Memory of a queue that is at work is not waited for, but taken anew; what fits less is taken where its queue is done.
 */
START_TEST(memory_of_a_busy_queue)
{
    const struct backend *b = backend_of(DTYPE_FLOAT64);
    enum { N = 40000, ROUNDED = N * 8 + 256 };
    struct errand e = {.backend = b, .n = N};
    void *memory = NULL;
    begin_without_pool(b);
    on_another_thread(allocate_and_work, &e);
    b->release(e.memory);
    size_t left = free_memory();
    ck_assert_uint_eq(waits_to_allocate(b, N, &memory), 0);
    ck_assert_ptr_ne(memory, e.memory);
    ck_assert_uint_eq(free_memory(), left - ROUNDED);
    on_another_thread(wait_for_it, &e);
    ck_assert_uint_eq(waits_to_allocate(b, N, &memory), 0);
    ck_assert_ptr_eq(memory, e.memory);
    ck_assert_uint_eq(free_memory(), left - ROUNDED);

    /* and where memory is short, it is given back to the device, which waits */
    on_another_thread(allocate_and_work, &e);
    b->release(e.memory);
    leave_room(N);
    left = free_memory();
    ck_assert_uint_eq(waits_to_allocate(b, N, &memory), 0);
    ck_assert_uint_eq(free_memory(), left);
    standin_device_bytes(0);
}
END_TEST

/* Memory of a queue that fails when it is asked goes to nobody else, and the request ends. */
START_TEST(memory_of_a_sick_queue)
{
    const struct backend *b = backend_of(DTYPE_FLOAT64);
    struct errand e = {.backend = b, .n = 50000};
    begin_without_pool(b);
    on_another_thread(allocate_and_work, &e);
    b->release(e.memory);
    size_t left = free_memory();
    void *memory = NULL;
    standin_fail_in(1, CODE_DEVICE, false);
    ck_assert_int_eq(b->allocate(NULL, e.n, &memory), CODE_DEVICE);
    ck_assert_uint_eq(standin_fail_left(), 0);
    ck_assert_ptr_null(memory);
    ck_assert_uint_eq(free_memory(), left);
}
END_TEST

/* Where memory is short, all that is kept is given back: for an allocation, and for a thread that begins. */
START_TEST(a_small_device)
{
    const struct backend *b = backend_of(DTYPE_FLOAT64);
    enum { N = 1 << 20 };
    struct errand e = {.backend = b, .n = 100};
    void *memory = NULL, *more = NULL;
    begin_without_pool(b);
    leave_room((N + 1000) * sizeof(double));
    ck_assert_int_eq(b->allocate(NULL, N, &memory), CODE_OK);
    ck_assert_int_eq(b->allocate(NULL, N / 4, &more), CODE_OUT_OF_MEMORY);
    b->release(memory);
    ck_assert_uint_lt(free_memory(), 1000 * sizeof(double));
    ck_assert_int_eq(b->allocate(NULL, N / 4, &more), CODE_OK);
    ck_assert_int_eq(b->allocate(NULL, 2 * N, &memory), CODE_OUT_OF_MEMORY);
    b->release(more);
    ck_assert_int_eq(b->allocate(NULL, N, &memory), CODE_OK);
    b->release(memory);
    ck_assert_uint_lt(free_memory(), 1000 * sizeof(double));
    on_another_thread(allocate_and_work, &e); /* which needs a megabyte for itself */
    b->release(e.memory);
    standin_device_bytes(0);
}
END_TEST

/* What a thread needs for itself is given back where one part of it cannot be had; the next one gets it. */
START_TEST(a_thread_that_cannot_begin)
{
    enum { CALLS = 4, SCRATCH = 1 << 20 }; /* the device, a queue, memory on both sides */
    const struct backend *b = backend_of(DTYPE_FLOAT64);
    struct errand e = {.backend = b, .n = 100};
    int code = _i ? CODE_DEVICE : CODE_OUT_OF_MEMORY;
    begin_without_pool(b);
    size_t left = free_memory();
    for (size_t n = 1; n <= CALLS + 1; n++) {
        standin_fail_in(n, code, false);
        ck_assert_int_eq(code_on_another_thread(allocate_and_work, &e), code);
        ck_assert_uint_eq(standin_fail_left(), 0);
        ck_assert_ptr_null(e.memory);
        ck_assert_uint_eq(free_memory(), n <= CALLS ? left : left - SCRATCH);
    }
    on_another_thread(allocate_and_work, &e);
    ck_assert_uint_lt(left - SCRATCH - free_memory(), SCRATCH);
    b->release(e.memory);
}
END_TEST

/* The pool has an end: the oldest goes. */
START_TEST(the_pool_is_bounded)
{
    const struct backend *b = backend_of(DTYPE_FLOAT64);
    enum { PIECES = 1500, KEPT = 1024, BYTES = 256 };
    void *memory[PIECES], *again = NULL;
    begin_without_pool(b);
    size_t left = free_memory();
    for (int i = 0; i < PIECES; i++)
        ck_assert_int_eq(b->allocate(NULL, 1, &memory[i]), CODE_OK);
    for (int i = 0; i < PIECES; i++)
        b->release(memory[i]);
    ck_assert_uint_eq(free_memory(), left - KEPT * BYTES);
    void *last = memory[PIECES - 1];
    ck_assert_uint_eq(waits_to_allocate(b, 1, &again), 0);
    ck_assert_ptr_eq(again, last);
    b->release(again);
}
END_TEST

/* In bytes, too: what is larger than the whole pool is not kept, and nothing else goes for it. */
START_TEST(the_pool_is_bounded_in_bytes)
{
    enum { PIECES = 5, UNIT = 256, BOUND = 16 << 20, EACH = BOUND / 4 }; /* of which 3 are kept, each a unit more */
    const struct backend *b = backend_of(DTYPE_FLOAT64);
    void *memory[PIECES], *large = NULL, *all = NULL;
    begin_without_pool(b);
    size_t left = free_memory();
    for (int i = 0; i < PIECES; i++)
        ck_assert_int_eq(b->allocate(NULL, EACH / sizeof(double), &memory[i]), CODE_OK);
    ck_assert_int_eq(b->allocate(NULL, BOUND / sizeof(double), &large), CODE_OK);
    ck_assert_int_eq(b->allocate(NULL, (BOUND - UNIT) / sizeof(double), &all), CODE_OK);
    for (int i = 0; i < PIECES; i++)
        b->release(memory[i]);
    b->release(large);
    ck_assert_uint_eq(free_memory(), left - BOUND - (size_t)3 * (EACH + UNIT));
    for (int i = PIECES - 1; i > PIECES - 4; i--) {
        void *again = NULL;
        ck_assert_int_eq(b->allocate(NULL, EACH / sizeof(double), &again), CODE_OK);
        ck_assert_ptr_eq(again, memory[i]);
    }
    for (int i = PIECES - 1; i > PIECES - 4; i--)
        b->release(memory[i]);
    b->release(all); /* fills it */
    ck_assert_uint_eq(free_memory(), left - BOUND);
}
END_TEST

/* The stand-in ends a program that writes one element behind what it allocated, be that rounded up. */
START_TEST(behind_an_allocation)
{
    const struct backend *b = backend_of((enum dtype)_i);
    void *memory = NULL;
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    ck_assert_int_eq(b->allocate(NULL, 3, &memory), CODE_OK);
    ck_assert_int_eq(b->axpby(3, 0, memory, 0, memory), CODE_OK);
    (void)b->axpby(4, 0, memory, 0, memory);
    exit(EXIT_SUCCESS);
}
END_TEST

/* ... and one that writes to what it gave back, be that never used again. */
START_TEST(after_a_release)
{
    const struct backend *b = backend_of((enum dtype)_i);
    const double value = 1;
    void *memory = NULL, *other = NULL;
    begin_without_pool(b);
    ck_assert_int_eq(b->allocate(NULL, 3, &memory), CODE_OK);
    b->release(memory);
    ck_assert_int_eq(b->upload(1, &value, memory), CODE_OK);
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    (void)b->allocate(NULL, 1000, &other);
    exit(EXIT_SUCCESS);
}
END_TEST

/* Whoever asks for the device's health keeps nothing for it: the next that computes gets it. */
START_TEST(asking_takes_nothing)
{
    char why[256];
    struct errand e = {.backend = backend_of(DTYPE_FLOAT64), .n = 100};
    size_t left = free_memory();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(gradcheckd_cuda_trial(why, sizeof why), CODE_OK);
    on_another_thread(allocate_and_work, &e);
    ck_assert_uint_ge(free_memory() + 10000, left);
    e.backend->release(e.memory);
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
    tcase_add_loop_test(tcase, failures_of_many, 0, 8);
    tcase_add_loop_test(tcase, verification_without_a_device, 0, 4);
    tcase_add_loop_test(tcase, launches_are_bounded, 0, 2);
    tcase_add_test(tcase, a_sick_device_is_noticed);
    tcase_add_loop_test(tcase, the_host_waits, 0, 2);
    tcase_add_loop_test(tcase, what_cannot_be_allocated, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("pool");
    tcase_add_test(tcase, memory_goes_from_thread_to_thread);
    tcase_add_test(tcase, any_thread_gives_back);
    tcase_add_test(tcase, memory_of_a_busy_queue);
    tcase_add_test(tcase, memory_of_a_sick_queue);
    tcase_add_test(tcase, a_small_device);
    tcase_add_test(tcase, the_pool_is_bounded);
    tcase_add_test(tcase, the_pool_is_bounded_in_bytes);
    tcase_add_test(tcase, asking_takes_nothing);
    const char *fork = getenv("CK_FORK");
    if (fork == NULL || strcmp(fork, "no") != 0) {
        tcase_add_loop_test(tcase, a_thread_that_cannot_begin, 0, 2); /* where no other test has left idle contexts */
        tcase_add_loop_test_raise_signal(tcase, behind_an_allocation, SIGABRT, 0, 2);
        tcase_add_loop_test_raise_signal(tcase, after_a_release, SIGABRT, 0, 2);
    }
    suite_add_tcase(suite, tcase);
    return suite;
}
