/* What each thread of the host keeps: its queue and a little scratch memory on both sides. And the device's memory, of
 * which what was given back is kept in one pool for all threads (a cudaMalloc is slow, and a cudaFree waits for the
 * whole device).
 *
 * Memory is worked on by the queue of the thread that allocated it, and given back by any thread: in the daemon a
 * worker computes, and the thread of the connection gives back after it. So work may still be on its way when a piece
 * comes to the pool. It then goes to the same queue, whose next work comes after, or to another one where that has
 * nothing left to do; nobody waits for another thread's work as long as there is memory. */
#ifndef CUDA_CONTEXT_H
#define CUDA_CONTEXT_H

#include <pthread.h>

#include "cuda/launcher.h"

enum { SCRATCH_BYTES = 1 << 20, STAGING_BYTES = 1 << 20 };

/* The pool holds at most so much, in so many pieces. The stand-in's holds little, so that tests come to its end. */
#ifdef __CUDACC__
#define KEPT_BYTES_MAX ((size_t)512 << 20)
#else
#define KEPT_BYTES_MAX ((size_t)16 << 20)
#endif
enum { KEPT_MAX = 1024, ALLOCATION_UNIT = 256 };

struct piece {
    void *memory;
    size_t bytes;
    struct queue *queue; /* which works on it, or did last; NULL where it is new. Queues are for ever */
    struct piece *next;
};

/* Never destroyed: a thread that ends leaves its own to the next one that begins. */
struct context {
    struct queue *queue;
    void *scratch; /* of the device, SCRATCH_BYTES: partial sums and the like, from one primitive's launches to the next
                    */
    void *staging; /* of the host, page-locked, STAGING_BYTES */
    struct context *next; /* idle contexts */
};

static pthread_mutex_t contexts_lock = PTHREAD_MUTEX_INITIALIZER; /* over what follows */
static struct context *idle_contexts;
static struct piece *live; /* allocated and not released */
static struct piece *pool; /* released and kept, the last in front */

static pthread_once_t context_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static int context_key_code = CODE_DEVICE;

/* ---- the pool ---- */

static void pieces_free(struct piece *first)
{
    while (first != NULL) {
        struct piece *p = first;
        first = p->next;
        (void)device_release(p->memory);
        free(p);
    }
}

/* Gives the whole pool back to the device; false where there was nothing. */
static bool pool_empty()
{
    pthread_mutex_lock(&contexts_lock);
    struct piece *all = pool;
    pool = NULL;
    pthread_mutex_unlock(&contexts_lock);
    pieces_free(all);
    return all != NULL;
}

/* Puts a piece in front, and returns those that the pool has no room for any more, the oldest. Under the lock. */
static struct piece *pool_put(struct piece *p)
{
    p->next = pool;
    pool = p;
    size_t count = 0, bytes = 0;
    struct piece **at = &pool;
    for (; *at != NULL && count < KEPT_MAX && (*at)->bytes <= KEPT_BYTES_MAX - bytes; at = &(*at)->next) {
        count++;
        bytes += (*at)->bytes;
    }
    struct piece *rest = *at;
    *at = NULL;
    return rest;
}

/* Into *taken the smallest piece that holds `bytes` without wasting as much again: of this queue where it has one, else
 * of one that has nothing left to do; NULL where there is none. Under the lock. */
static int pool_take(const struct queue *queue, size_t bytes, struct piece **taken)
{
    struct piece **best = NULL;
    const struct queue *asked = NULL; /* the last one, and its answer: many pieces in a row are of the same */
    bool idle = false;
    *taken = NULL;
    for (struct piece **p = &pool; *p != NULL; p = &(*p)->next) {
        if ((*p)->bytes < bytes || (*p)->bytes / 2 > bytes) continue;
        const bool own = (*p)->queue == queue, best_own = best != NULL && (*best)->queue == queue;
        if (best != NULL && (own == best_own ? (*p)->bytes >= (*best)->bytes : best_own)) continue;
        if (!own && (*p)->queue != asked) {
            asked = (*p)->queue;
            int code = queue_idle((*p)->queue, &idle);
            if (code != CODE_OK) return code;
        }
        if (own || idle) best = p;
    }
    if (best == NULL) return CODE_OK;
    *taken = *best;
    *best = (*taken)->next;
    return CODE_OK;
}

/* ---- contexts ---- */

static void context_leave(void *left)
{
    struct context *c = static_cast<struct context *>(left);
    pthread_mutex_lock(&contexts_lock);
    c->next = idle_contexts;
    idle_contexts = c;
    pthread_mutex_unlock(&contexts_lock);
}

static void context_key_make()
{
    if (pthread_key_create(&context_key, context_leave) == 0) context_key_code = CODE_OK;
}

static int context_try_make(struct context **made)
{
    struct context *c = static_cast<struct context *>(calloc(1, sizeof *c));
    if (c == NULL) return CODE_OUT_OF_MEMORY;
    int code = queue_new(&c->queue);
    if (code == CODE_OK) code = device_allocate(SCRATCH_BYTES, &c->scratch);
    if (code == CODE_OK) code = host_allocate(STAGING_BYTES, &c->staging);
    if (code != CODE_OK) {
        if (c->scratch != NULL) (void)device_release(c->scratch);
        queue_free(c->queue);
        free(c);
        return code;
    }
    *made = c;
    return CODE_OK;
}

static int context_make(struct context **made)
{
    int code = context_try_make(made);
    return code == CODE_OUT_OF_MEMORY && pool_empty() ? context_try_make(made) : code;
}

/* The calling thread's, NULL where it has none yet. */
static struct context *context_of_thread()
{
    pthread_once(&context_key_once, context_key_make);
    return context_key_code == CODE_OK ? static_cast<struct context *>(pthread_getspecific(context_key)) : NULL;
}

/* The calling thread's. */
static int context_get(struct context **context)
{
    struct context *c = context_of_thread();
    if (context_key_code != CODE_OK) return context_key_code;
    if (c == NULL) {
        char why[1];
        int code = device_open(why, sizeof why);
        if (code != CODE_OK) return code;
        pthread_mutex_lock(&contexts_lock);
        c = idle_contexts;
        if (c != NULL) idle_contexts = c->next;
        pthread_mutex_unlock(&contexts_lock);
        if (c == NULL) code = context_make(&c);
        if (code != CODE_OK) return code;
        if (pthread_setspecific(context_key, c) != 0) {
            context_leave(c);
            return CODE_OUT_OF_MEMORY;
        }
    }
    *context = c;
    return CODE_OK;
}

/* The calling thread goes on without the one it may have, which is left to others. */
static void context_give_up()
{
    struct context *c = context_of_thread();
    if (c != NULL && pthread_setspecific(context_key, NULL) == 0) context_leave(c);
}

/* ---- device memory ---- */

/* A new piece, for which the pool is given up where memory is short. */
static int piece_new(size_t bytes, struct piece **made)
{
    struct piece *p = static_cast<struct piece *>(calloc(1, sizeof *p));
    if (p == NULL) return CODE_OUT_OF_MEMORY;
    int code = device_allocate(bytes, &p->memory);
    if (code == CODE_OUT_OF_MEMORY && pool_empty()) code = device_allocate(bytes, &p->memory);
    if (code != CODE_OK) {
        free(p);
        return code;
    }
    p->bytes = bytes;
    *made = p;
    return CODE_OK;
}

static int context_allocate(struct context *c, size_t bytes, void **memory)
{
    if (bytes > SIZE_MAX / 2) return CODE_OUT_OF_MEMORY;
    const size_t rounded = (bytes / ALLOCATION_UNIT + 1) * ALLOCATION_UNIT;
    struct piece *p;
    pthread_mutex_lock(&contexts_lock);
    int code = pool_take(c->queue, rounded, &p);
    pthread_mutex_unlock(&contexts_lock);
    if (code == CODE_OK && p == NULL) code = piece_new(rounded, &p);
    if (code != CODE_OK) return code;
    if (p->queue != NULL) device_renew(c->queue, p->memory);
    device_fence(p->memory, bytes, p->bytes - bytes);
    p->queue = c->queue;
    pthread_mutex_lock(&contexts_lock);
    p->next = live;
    live = p;
    pthread_mutex_unlock(&contexts_lock);
    *memory = p->memory;
    return CODE_OK;
}

/* By any thread, which needs no context for it. */
static void context_release(void *memory)
{
    pthread_mutex_lock(&contexts_lock);
    struct piece **at = &live;
    while (*at != NULL && (*at)->memory != memory)
        at = &(*at)->next;
    struct piece *p = *at, *rest = NULL;
    if (p != NULL) {
        *at = p->next;
        p->next = NULL;
        device_retire(p->queue, p->memory);
        rest = p->bytes <= KEPT_BYTES_MAX ? pool_put(p) : p;
    }
    pthread_mutex_unlock(&contexts_lock);
    pieces_free(rest);
}

/* What a primitive computed into the scratch memory, into host memory. */
static int context_read(struct context *c, const void *from, void *to, size_t bytes)
{
    int code = copy_out(c->queue, c->staging, from, bytes);
    if (code == CODE_OK) code = queue_wait(c->queue);
    if (code == CODE_OK) memcpy(to, c->staging, bytes);
    return code;
}

#endif
