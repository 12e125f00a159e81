/* What each thread of the host keeps: its queue, a little scratch memory on both sides, and device memory that it has
 * given back and may soon want again (a cudaMalloc waits for the whole device). */
#ifndef CUDA_CONTEXT_H
#define CUDA_CONTEXT_H

#include <pthread.h>

#include "cuda/launcher.h"

enum { SCRATCH_BYTES = 1 << 20, STAGING_BYTES = 1 << 20 };

/* A context keeps at most so much, in so many pieces. */
#define KEPT_BYTES_MAX ((size_t)256 << 20)
enum { KEPT_MAX = 16, ALLOCATION_UNIT = 256 };

struct context;

struct piece {
    void *memory;
    size_t bytes;
    struct context *owner; /* whose queue works on it */
    struct piece *next;
};

struct context {
    struct queue *queue;
    void *scratch; /* of the device, SCRATCH_BYTES: partial sums and the like, from one primitive's launches to the next
                    */
    void *staging; /* of the host, page-locked, STAGING_BYTES */
    struct piece *kept;
    size_t kept_count, kept_bytes;
    struct context *next; /* idle contexts */
};

static pthread_mutex_t contexts_lock = PTHREAD_MUTEX_INITIALIZER; /* over what follows */
static struct context *idle_contexts;
static struct piece *live; /* allocated and not released, all threads' */

static pthread_once_t context_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static int context_key_code = CODE_DEVICE;

/* A thread that ends leaves its context to the next one that begins. */
static void context_leave(void *ended)
{
    struct context *c = static_cast<struct context *>(ended);
    pthread_mutex_lock(&contexts_lock);
    c->next = idle_contexts;
    idle_contexts = c;
    pthread_mutex_unlock(&contexts_lock);
}

static void context_key_make()
{
    if (pthread_key_create(&context_key, context_leave) == 0) context_key_code = CODE_OK;
}

static int context_make(struct context **made)
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

/* ---- device memory ---- */

static void context_drop_kept(struct context *c)
{
    while (c->kept != NULL) {
        struct piece *p = c->kept;
        c->kept = p->next;
        (void)device_release(p->memory);
        free(p);
    }
    c->kept_count = c->kept_bytes = 0;
}

/* The smallest kept piece that holds `bytes` without wasting as much again; NULL where there is none. */
static struct piece *context_find_kept(struct context *c, size_t bytes)
{
    struct piece **best = NULL;
    for (struct piece **p = &c->kept; *p != NULL; p = &(*p)->next)
        if ((*p)->bytes >= bytes && (*p)->bytes / 2 <= bytes && (best == NULL || (*p)->bytes < (*best)->bytes))
            best = p;
    if (best == NULL) return NULL;
    struct piece *found = *best;
    *best = found->next;
    c->kept_count--;
    c->kept_bytes -= found->bytes;
    return found;
}

static int context_allocate(struct context *c, size_t bytes, void **memory)
{
    if (bytes > SIZE_MAX / 2) return CODE_OUT_OF_MEMORY;
    bytes = (bytes / ALLOCATION_UNIT + 1) * ALLOCATION_UNIT;
    struct piece *p = context_find_kept(c, bytes);
    if (p == NULL) {
        p = static_cast<struct piece *>(calloc(1, sizeof *p));
        if (p == NULL) return CODE_OUT_OF_MEMORY;
        int code = device_allocate(bytes, &p->memory);
        if (code == CODE_OUT_OF_MEMORY) {
            context_drop_kept(c);
            pthread_mutex_lock(&contexts_lock);
            for (struct context *idle = idle_contexts; idle != NULL; idle = idle->next)
                context_drop_kept(idle);
            pthread_mutex_unlock(&contexts_lock);
            code = device_allocate(bytes, &p->memory);
        }
        if (code != CODE_OK) {
            free(p);
            return code;
        }
        p->bytes = bytes;
        p->owner = c;
    }
    pthread_mutex_lock(&contexts_lock);
    p->next = live;
    live = p;
    pthread_mutex_unlock(&contexts_lock);
    *memory = p->memory;
    return CODE_OK;
}

/* c: the calling thread's, or NULL. Kept only by the context whose queue has worked on it: the next work there comes
 * after. A cudaFree waits for all queues. */
static void context_release(struct context *c, void *memory)
{
    pthread_mutex_lock(&contexts_lock);
    struct piece **at = &live, *p;
    while (*at != NULL && (*at)->memory != memory)
        at = &(*at)->next;
    p = *at;
    if (p != NULL) *at = p->next;
    pthread_mutex_unlock(&contexts_lock);
    if (p == NULL) return;
    if (p->owner == c && c->kept_count < KEPT_MAX && p->bytes <= KEPT_BYTES_MAX - c->kept_bytes) {
        p->next = c->kept;
        c->kept = p;
        c->kept_count++;
        c->kept_bytes += p->bytes;
        return;
    }
    (void)device_release(p->memory);
    free(p);
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
