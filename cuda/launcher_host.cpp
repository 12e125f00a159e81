/* The host stand-in for the launcher: runs kernels on the CPU, thread by thread.
 *
 * The blocks of a launch run one after the other. The threads of a block are fibers: each runs until it has to wait for
 * others, at a barrier or a shuffle, or ends; warps take turns. Most never wait, and one fiber serves them all in turn.
 * A block whose threads can no longer all meet (some wait at a barrier that others passed by) is an error in a kernel,
 * and ends the program with a message. Shared memory and fresh device memory are filled with NaN, and lie between
 * guards; so does memory that is used again, and pieces that the backend makes of one allocation.
 *
 * What a queue is asked for is done at once, but not so that anybody could rely on it: what comes out of the device is
 * NaN until the thread that asked for it has waited, and what goes in must until then stay as it is. */
#undef _FORTIFY_SOURCE /* whose longjmp allows no other stack */

#ifdef __clang__
#pragma clang diagnostic ignored "-Wc99-extensions" /* in OpenBLAS's header */
#endif
#include <cblas.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <atomic>

#include "cuda/launcher.h"
#include "cuda/standin.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <dlfcn.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

enum {
    THREADS_MAX = 1024,
    STACK_BYTES = 256 << 10,
    EXCHANGE_BYTES = 16,
    GUARD_BYTES = 64,
    GUARD_BYTE = 0xA5,
    FENCES_MAX = 32
};

#define DEVICE_BYTES ((size_t)16 << 30)
#define FENCE_BYTES_MAX ((size_t)4096) /* as far as a fence is looked at */

__thread struct standin_place standin_here;

static bool descending;
/* Calls to go before one fails; with what; whether all later ones do. */
static struct {
    std::atomic<size_t> left;
    std::atomic<int> code;
    std::atomic<bool> sick;
} failing;
static __thread struct standin_counts counts;

/* A copy that has not been waited for. */
struct pending_copy {
    struct queue *queue;
    bool out;
    void *host;
    size_t bytes;
    unsigned char *content; /* what comes to the host, or what was there when it was asked for */
    struct pending_copy *next;
};
static __thread struct pending_copy *pending; /* the calling thread's, in order */

[[noreturn]] static void fault(const char *what)
{
    fprintf(stderr, "host stand-in: block %u, thread %u: %s\n", standin_here.block, standin_here.thread, what);
    abort();
}

void standin_descending(bool on)
{
    descending = on;
}

void standin_fail_in(size_t calls, int code, bool sick)
{
    failing.code = code;
    failing.sick = sick;
    failing.left = calls;
}

size_t standin_fail_left(void)
{
    return failing.left;
}

struct standin_counts standin_count(void)
{
    struct standin_counts now = counts;
    for (const struct pending_copy *p = pending; p != NULL; p = p->next)
        now.pending++;
    return now;
}

/* Looks whether another process asks for a failure. */
static void read_failure(void)
{
    static const char *const path = getenv("GRADCHECKD_TEST_STANDIN_FAIL");
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL) return;
    size_t calls = 0;
    char code[16] = "", sick[16] = "";
    bool good = fscanf(file, "%zu %15s %15s", &calls, code, sick) >= 2;
    fclose(file);
    remove(path);
    if (good) standin_fail_in(calls, code[0] == 'm' ? CODE_OUT_OF_MEMORY : CODE_DEVICE, sick[0] != '\0');
}

static int may_fail(void)
{
    if (failing.left == 0) read_failure();
    if (failing.left == 0) return CODE_OK;
    if (failing.left == 1) {
        if (!failing.sick) failing.left = 0;
        return failing.code;
    }
    failing.left--;
    return CODE_OK;
}

/* ---- fibers ---- */

enum state { WAITS_FOR_START, RUNS, WAITS_AT_SHUFFLE, WAITS_AT_BARRIER, ENDED };

struct fiber {
    jmp_buf here;
    void *stack;
    bool started;
    unsigned thread; /* which it serves */
#ifdef WITH_ASAN
    void *fake_stack;
#endif
#ifdef WITH_TSAN
    void *tsan;
#endif
};

/* One for each thread of the host that launches; its fibers are kept for the next launch. */
struct block_run {
    void (*body)(void *);
    void *closure;
    enum state state[THREADS_MAX];
    struct fiber *fiber[THREADS_MAX]; /* of threads that have started and not ended */
    struct fiber *idle[THREADS_MAX];
    unsigned idle_count;
    struct fiber *current, *made; /* made: the fiber that begins */
    jmp_buf scheduler;
    ucontext_t back;
    alignas(16) unsigned char slots[2][THREADS_MAX][EXCHANGE_BYTES];
    unsigned turn[THREADS_MAX]; /* shuffles done */
#ifdef WITH_ASAN
    void *fake_stack;
    const void *stack_bottom;
    size_t stack_size;
#endif
#ifdef WITH_TSAN
    void *tsan;
#endif
};

static __thread struct block_run *run;

static pthread_once_t run_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t run_key;

/* A thread of the host ends; all its fibers are idle. */
static void run_free(void *ended)
{
    if (pending != NULL) fault("a thread ends that has not waited for its copies");
    struct block_run *r = static_cast<struct block_run *>(ended);
    for (unsigned i = 0; i < r->idle_count; i++) {
#ifdef WITH_TSAN
        __tsan_destroy_fiber(r->idle[i]->tsan);
#endif
        munmap(r->idle[i]->stack, STACK_BYTES);
        free(r->idle[i]);
    }
    free(r);
}

static void run_key_make()
{
    if (pthread_key_create(&run_key, run_free) != 0) fault("no key for what a thread keeps");
}

static void run_make()
{
    pthread_once(&run_key_once, run_key_make);
    run = static_cast<struct block_run *>(calloc(1, sizeof *run));
    if (run == NULL || pthread_setspecific(run_key, run) != 0) fault("no memory for a block");
}

/* Switching is announced to the sanitizers, who follow stacks. */
static void leave_fiber(struct fiber *f)
{
    (void)f;
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(&f->fake_stack, run->stack_bottom, run->stack_size);
#endif
#ifdef WITH_TSAN
    __tsan_switch_to_fiber(run->tsan, 0);
#endif
}

static void entered_fiber(struct fiber *f)
{
    (void)f;
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(f->fake_stack, &run->stack_bottom, &run->stack_size);
#endif
}

#ifdef WITH_ASAN
/* The C library's own longjmp. AddressSanitizer puts one before it that forgets all it knows of the stack, since it
 * takes the frames that are jumped over for left; here they are come back to, and forgetting takes most of the time. */
static void (*const jump)(jmp_buf to, int value) = [] {
    void *library = dlopen("libc.so.6", RTLD_LAZY), *found = library != NULL ? dlsym(library, "_longjmp") : NULL;
    if (found == NULL) fault("no longjmp in the C library");
    return reinterpret_cast<void (*)(jmp_buf, int)>(found);
}();
#else
#define jump _longjmp
#endif

/* The running thread gives way to the scheduler. */
static void give_way()
{
    struct fiber *f = run->current;
    if (_setjmp(f->here) == 0) {
        leave_fiber(f);
        jump(run->scheduler, 1);
    }
    entered_fiber(f);
}

/* A fiber serves one thread after another, for ever. */
static void serve()
{
    struct fiber *f = run->made;
    entered_fiber(f);
    for (;;) {
        run->body(run->closure);
        run->state[f->thread] = ENDED;
        give_way();
    }
}

static struct fiber *fiber_take()
{
    if (run->idle_count > 0) return run->idle[--run->idle_count];
    struct fiber *f = static_cast<struct fiber *>(calloc(1, sizeof *f));
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (f == NULL || stack == MAP_FAILED) fault("no memory for a fiber");
    f->stack = stack;
#ifdef WITH_TSAN
    f->tsan = __tsan_create_fiber(0);
#endif
    return f;
}

static void switch_to(struct fiber *f)
{
    run->current = f;
    if (_setjmp(run->scheduler) == 0) {
#ifdef WITH_ASAN
        __sanitizer_start_switch_fiber(&run->fake_stack, f->stack, STACK_BYTES);
#endif
#ifdef WITH_TSAN
        __tsan_switch_to_fiber(f->tsan, 0);
#endif
        if (f->started) jump(f->here, 1);
        f->started = true;
        run->made = f;
        ucontext_t begin;
        getcontext(&begin);
        begin.uc_stack.ss_sp = f->stack;
        begin.uc_stack.ss_size = STACK_BYTES;
        begin.uc_link = NULL;
        makecontext(&begin, serve, 0);
        swapcontext(&run->back, &begin);
    }
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(run->fake_stack, NULL, NULL);
#endif
}

/* Lets one thread go on until it waits or ends. */
static void resume(unsigned t)
{
    standin_here.thread = t;
    if (run->fiber[t] == NULL) {
        run->fiber[t] = fiber_take();
        run->fiber[t]->thread = t;
    }
    run->state[t] = RUNS;
    switch_to(run->fiber[t]);
    if (run->state[t] != ENDED) return;
    run->idle[run->idle_count++] = run->fiber[t];
    run->fiber[t] = NULL;
}

/* ---- what threads wait for ---- */

void standin_barrier()
{
    unsigned t = standin_here.thread;
    counts.barriers++;
    run->state[t] = WAITS_AT_BARRIER;
    give_way();
}

/* A lane that goes on may put in its next value before another has read its last: two slots, in turn. It cannot be two
 * ahead, since each shuffle takes all lanes. */
const void *standin_exchange(const void *mine, size_t bytes, unsigned mask)
{
    unsigned t = standin_here.thread, turn = run->turn[t]++ & 1u;
    if (bytes > EXCHANGE_BYTES || mask >= WARP) fault("a shuffle that cannot be");
    counts.shuffles++;
    memcpy(run->slots[turn][t], mine, bytes);
    run->state[t] = WAITS_AT_SHUFFLE;
    give_way();
    return run->slots[turn][t ^ mask];
}

static bool all_in(unsigned from, unsigned to, enum state state)
{
    for (unsigned t = from; t < to; t++)
        if (run->state[t] != state) return false;
    return true;
}

/* Runs a warp until its lanes all wait for each other, or have ended. True where they go on among themselves. */
static bool run_warp(unsigned from)
{
    for (unsigned l = 0; l < WARP; l++)
        resume(from + (descending ? WARP - 1 - l : l));
    if (all_in(from, from + WARP, WAITS_AT_SHUFFLE)) return true;
    if (!all_in(from, from + WARP, run->state[from])) fault("not all lanes of the warp come to the same point");
    return false;
}

/* Warps take turns at every shuffle, so that what one does to another's memory is seen. */
static void run_block(unsigned threads)
{
    for (unsigned t = 0; t < threads; t++) {
        run->state[t] = WAITS_FOR_START;
        run->turn[t] = 0;
    }
    do {
        bool first = true, busy;
        do {
            busy = false;
            for (unsigned w = 0; w < threads; w += WARP) {
                unsigned from = descending ? threads - WARP - w : w;
                if (first || run->state[from] == WAITS_AT_SHUFFLE) busy |= run_warp(from);
            }
            first = false;
        } while (busy);
        if (!all_in(0, threads, run->state[0])) fault("not all threads of the block come to the barrier");
    } while (run->state[0] != ENDED);
}

static void guard_set(void *memory, size_t bytes)
{
    memset(memory, GUARD_BYTE, bytes);
}

static void guard_check(const void *memory, size_t bytes, const char *what)
{
    for (size_t i = 0; i < bytes; i++)
        if (static_cast<const unsigned char *>(memory)[i] != GUARD_BYTE) fault(what);
}

/* ---- memory ---- */

struct queue {
    std::atomic<size_t> submitted, waited; /* calls */
};

/* A piece of device memory, its header in front: pieces are in a list, so that all their guards are looked at after
 * everything that writes. */
struct device_piece {
    struct device_piece *next, **at;
    size_t bytes;
    bool of_host;
    const struct queue *queue; /* which may still be at work on it, given back; NULL where it is in use */
    size_t submitted;          /* by then */
    struct {
        size_t offset, bytes;
    } fences[FENCES_MAX];
    unsigned fence_count;
    alignas(GUARD_BYTES) unsigned char before[GUARD_BYTES];
};

static struct device_piece *pieces;
static size_t pieces_bytes, device_bytes = DEVICE_BYTES; /* those of the device */
static pthread_mutex_t pieces_lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned char *piece_memory(const struct device_piece *p)
{
    return const_cast<unsigned char *>(p->before) + GUARD_BYTES;
}

static void piece_check(const struct device_piece *p)
{
    guard_check(p->before, GUARD_BYTES, "a write before device memory");
    guard_check(piece_memory(p) + p->bytes, GUARD_BYTES, "a write behind device memory");
    for (unsigned i = 0; i < p->fence_count; i++)
        guard_check(piece_memory(p) + p->fences[i].offset, p->fences[i].bytes, "a write between pieces of memory");
}

static void pieces_check()
{
    pthread_mutex_lock(&pieces_lock);
    for (const struct device_piece *p = pieces; p != NULL; p = p->next)
        piece_check(p);
    pthread_mutex_unlock(&pieces_lock);
}

static struct device_piece *piece_of(void *memory)
{
    return reinterpret_cast<struct device_piece *>(static_cast<unsigned char *>(memory) - sizeof(struct device_piece));
}

/* Takes so much of the device's memory, if it is there. */
static bool device_take(size_t bytes)
{
    pthread_mutex_lock(&pieces_lock);
    bool there = pieces_bytes <= device_bytes && bytes <= device_bytes - pieces_bytes;
    if (there) pieces_bytes += bytes;
    pthread_mutex_unlock(&pieces_lock);
    return there;
}

void standin_device_bytes(size_t bytes)
{
    pthread_mutex_lock(&pieces_lock);
    device_bytes = bytes > 0 ? bytes : DEVICE_BYTES;
    pthread_mutex_unlock(&pieces_lock);
}

static int piece_new(bool of_host, size_t bytes, void **memory)
{
    int code = may_fail();
    if (code != CODE_OK) return code;
    if (bytes > DEVICE_BYTES || (!of_host && !device_take(bytes))) return CODE_OUT_OF_MEMORY;
    size_t all = sizeof(struct device_piece) + bytes + GUARD_BYTES;
    struct device_piece *p = static_cast<struct device_piece *>(
        aligned_alloc(GUARD_BYTES, (all + GUARD_BYTES - 1) / GUARD_BYTES * GUARD_BYTES));
    if (p == NULL) fault("no memory for a piece of device memory");
    p->bytes = bytes;
    p->of_host = of_host;
    p->queue = NULL;
    p->fence_count = 0;
    guard_set(p->before, GUARD_BYTES);
    memset(piece_memory(p), 0xFF, bytes);
    guard_set(piece_memory(p) + bytes, GUARD_BYTES);
    pthread_mutex_lock(&pieces_lock);
    p->next = pieces;
    p->at = &pieces;
    if (pieces != NULL) pieces->at = &p->next;
    pieces = p;
    pthread_mutex_unlock(&pieces_lock);
    *memory = piece_memory(p);
    return CODE_OK;
}

/* Memory that was given back and has lain there since. */
static void retired_check(const struct device_piece *p)
{
    const unsigned char *m = piece_memory(p);
    if (m[0] != 0xFF || memcmp(m, m + 1, p->bytes - 1) != 0) fault("a write to memory that was given back");
}

/* All such memory, be it never used again. */
static void all_retired_check()
{
    pthread_mutex_lock(&pieces_lock);
    for (const struct device_piece *p = pieces; p != NULL; p = p->next)
        if (p->queue != NULL) retired_check(p);
    pthread_mutex_unlock(&pieces_lock);
}

int device_allocate(size_t bytes, void **memory)
{
    all_retired_check();
    return piece_new(false, bytes, memory);
}

int device_release(void *memory)
{
    struct device_piece *p = piece_of(memory);
    piece_check(p);
    if (p->queue != NULL) retired_check(p);
    pthread_mutex_lock(&pieces_lock);
    if (!p->of_host) pieces_bytes -= p->bytes;
    *p->at = p->next;
    if (p->next != NULL) p->next->at = p->at;
    pthread_mutex_unlock(&pieces_lock);
    free(p);
    return CODE_OK;
}

void device_fence(void *memory, size_t offset, size_t bytes)
{
    struct device_piece *p = piece_of(memory);
    if (p->queue != NULL) fault("memory is in use that was given back");
    if (bytes > FENCE_BYTES_MAX) bytes = FENCE_BYTES_MAX;
    if (p->fence_count == FENCES_MAX) fault("too many fences in a piece of memory");
    if (offset > p->bytes || bytes > p->bytes - offset) fault("a fence outside its piece of memory");
    pthread_mutex_lock(&pieces_lock);
    guard_set(piece_memory(p) + offset, bytes);
    p->fences[p->fence_count].offset = offset;
    p->fences[p->fence_count++].bytes = bytes;
    pthread_mutex_unlock(&pieces_lock);
}

/* Filled with NaN: who reads it still gets that, and who writes to it is noticed when memory is used again or
 * allocated. */
void device_retire(struct queue *q, void *memory)
{
    struct device_piece *p = piece_of(memory);
    if (p->queue != NULL) fault("memory is given back twice");
    pthread_mutex_lock(&pieces_lock);
    piece_check(p);
    p->fence_count = 0;
    memset(memory, 0xFF, p->bytes);
    p->queue = q;
    p->submitted = q->submitted;
    pthread_mutex_unlock(&pieces_lock);
}

void device_renew(struct queue *q, void *memory)
{
    struct device_piece *p = piece_of(memory);
    if (p->queue == NULL) fault("memory is used again that was not given back");
    if (p->queue != q && p->queue->waited < p->submitted)
        fault("memory is used again on which another queue may still be at work");
    retired_check(p);
    pthread_mutex_lock(&pieces_lock); /* somebody may be looking whether it still is as it was */
    p->queue = NULL;
    pthread_mutex_unlock(&pieces_lock);
}

int host_allocate(size_t bytes, void **memory)
{
    return piece_new(true, bytes, memory);
}

int host_release(void *memory)
{
    return device_release(memory);
}

/* ---- the queue: all is done at once ---- */

/* Forgets the calling thread's copies of a queue: they have arrived, or nobody can know whether they have. */
static void pending_drop(struct queue *q)
{
    for (struct pending_copy **at = &pending; *at != NULL;) {
        struct pending_copy *p = *at;
        if (p->queue != q) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        free(p->content);
        free(p);
    }
}

static void pending_add(struct queue *q, bool out, void *host, const void *content, size_t bytes)
{
    if (run == NULL) run_make(); /* which looks, when the thread ends, whether all was waited for */
    struct pending_copy *p = static_cast<struct pending_copy *>(calloc(1, sizeof *p)), **last = &pending;
    unsigned char *kept = static_cast<unsigned char *>(malloc(bytes));
    if (p == NULL || kept == NULL) fault("no memory for a copy");
    memcpy(kept, content, bytes);
    p->queue = q;
    p->out = out;
    p->host = host;
    p->bytes = bytes;
    p->content = kept;
    while (*last != NULL)
        last = &(*last)->next;
    *last = p;
}

/* Every call that gives a queue something to do. Where it fails, what came before it goes on. */
static int submit(struct queue *q)
{
    int code = may_fail();
    if (code == CODE_OK) q->submitted++;
    return code;
}

int queue_new(struct queue **made)
{
    int code = may_fail();
    if (code != CODE_OK) return code;
    *made = static_cast<struct queue *>(calloc(1, sizeof **made));
    return *made != NULL ? CODE_OK : CODE_OUT_OF_MEMORY;
}

void queue_free(struct queue *q)
{
    free(q);
}

/* Work is known to be done once it was waited for. */
int queue_idle(struct queue *q, bool *idle)
{
    int code = may_fail();
    size_t waited = q->waited; /* before what was submitted, which only grows */
    *idle = code == CODE_OK && waited == q->submitted;
    return code;
}

/* The calling thread's copies arrive, or are given up where the wait fails. */
int queue_wait(struct queue *q)
{
    size_t submitted = q->submitted;
    int code = may_fail();
    for (struct pending_copy *p = pending; code == CODE_OK && p != NULL; p = p->next) {
        if (p->queue != q) continue;
        if (p->out)
            memcpy(p->host, p->content, p->bytes);
        else if (memcmp(p->host, p->content, p->bytes) != 0)
            fault("the host changed what was still to be copied to the device");
    }
    pending_drop(q);
    if (code != CODE_OK) return code;
    counts.waits++;
    size_t waited = q->waited;
    while (waited < submitted && !q->waited.compare_exchange_weak(waited, submitted))
        continue;
    return CODE_OK;
}

int copy_in(struct queue *q, void *to, const void *from, size_t bytes)
{
    int code = submit(q);
    if (code != CODE_OK || bytes == 0) return code;
    memcpy(to, from, bytes);
    pieces_check();
    pending_add(q, false, const_cast<void *>(from), from, bytes);
    return CODE_OK;
}

int copy_out(struct queue *q, void *to, const void *from, size_t bytes)
{
    int code = submit(q);
    if (code != CODE_OK || bytes == 0) return code;
    pending_add(q, true, to, from, bytes);
    memset(to, 0xFF, bytes);
    return CODE_OK;
}

/* ---- launches ---- */

int standin_launch(struct queue *q, unsigned blocks, unsigned threads, size_t shared, void (*body)(void *),
                   void *closure)
{
    int code = submit(q);
    if (code != CODE_OK) return code;
    /* as the CUDA runtime does */
    if (blocks == 0 || threads == 0 || threads > THREADS_MAX || threads % WARP != 0 || shared > (48u << 10))
        return CODE_DEVICE;
    if (run == NULL) run_make();
#ifdef WITH_TSAN
    run->tsan = __tsan_get_current_fiber();
#endif
    unsigned char *memory =
        static_cast<unsigned char *>(aligned_alloc(GUARD_BYTES, (shared / GUARD_BYTES + 3) * GUARD_BYTES));
    if (memory == NULL) return CODE_OUT_OF_MEMORY;
    run->body = body;
    run->closure = closure;
    standin_here.threads = threads;
    standin_here.blocks = blocks;
    standin_here.shared = memory + GUARD_BYTES;
    guard_set(memory, GUARD_BYTES);
    guard_set(memory + GUARD_BYTES + shared, GUARD_BYTES);
    for (unsigned b = 0; b < blocks; b++) {
        standin_here.block = descending ? blocks - 1 - b : b;
        memset(memory + GUARD_BYTES, 0xFF, shared); /* NaN in both arithmetics */
        run_block(threads);
        guard_check(memory, GUARD_BYTES, "a write before the shared memory");
        guard_check(memory + GUARD_BYTES + shared, GUARD_BYTES, "a write behind the shared memory");
    }
    pieces_check();
    counts.launches++;
    counts.blocks += blocks;
    counts.threads += (size_t)blocks * threads;
    free(memory);
    return CODE_OK;
}

/* ---- products ---- */

/* Of a stored matrix; at least 1, which BLAS wants even where there are no elements. */
static int row_length(bool transposed, size_t rows, size_t columns)
{
    size_t length = transposed ? rows : columns;
    return length > 0 ? (int)length : 1;
}

int product(struct queue *q, bool ta, bool tb, size_t m, size_t n, size_t k, double alpha, const double *A,
            const double *B, double beta, double *C)
{
    int code = submit(q);
    if (code != CODE_OK) return code;
    counts.products++;
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k,
                alpha, A, row_length(ta, m, k), B, row_length(tb, k, n), beta, C, (int)n);
    pieces_check();
    return CODE_OK;
}

int product(struct queue *q, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *A,
            const float *B, float beta, float *C)
{
    int code = submit(q);
    if (code != CODE_OK) return code;
    counts.products++;
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k,
                alpha, A, row_length(ta, m, k), B, row_length(tb, k, n), beta, C, (int)n);
    pieces_check();
    return CODE_OK;
}

/* ---- the device ---- */

int device_describe(struct gradcheckd_cuda_device *d)
{
    *d = gradcheckd_cuda_device{};
    snprintf(d->name, sizeof d->name, "host stand-in");
    pthread_mutex_lock(&pieces_lock);
    d->memory = device_bytes;
    d->free_memory = device_bytes > pieces_bytes ? device_bytes - pieces_bytes : 0;
    pthread_mutex_unlock(&pieces_lock);
    return CODE_OK;
}

int device_open(char *why, size_t size)
{
    int code = may_fail();
    if (code != CODE_OK) snprintf(why, size, "the stand-in was told to fail");
    return code;
}

const char *device_failure()
{
    return "the stand-in was told to fail";
}
