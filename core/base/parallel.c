#include "core/base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/priority.h"

/* How often a helper looks for more before it sleeps (some tens of microseconds: a training has the next product by
 * then), and one who waits for the last part before giving up its turn. */
enum { LOOKS_BEFORE_SLEEP = 20000, LOOKS_BEFORE_YIELD = 1000 };

/* A task and its next part in one word: who takes a part knows by it that the task is not over, and may read the rest.
 */
enum { PART_BITS = 16 };
#define PART_MASK (((uint64_t)1 << PART_BITS) - 1)

static struct {
    pthread_mutex_t busy; /* one caller at a time */
    pthread_mutex_t lock; /* of who sleeps */
    pthread_cond_t wake;
    atomic_uint sleepers;
    atomic_bool stopping;
    pthread_t *threads;
    unsigned count;

    _Atomic(uint64_t) ticket; /* task number, its parts, the next part */
    atomic_size_t done;       /* parts */
    void (*run)(void *context, size_t part);
    void *context;
} pool = {.busy = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static bool has_part(uint64_t ticket)
{
    return (ticket & PART_MASK) < (ticket >> PART_BITS & PART_MASK);
}

/* Does one part of the task at hand; false where there is none left to take. */
static bool do_part(void)
{
    uint64_t ticket = atomic_load_explicit(&pool.ticket, memory_order_acquire);
    do {
        if (!has_part(ticket)) return false;
    } while (!atomic_compare_exchange_weak_explicit(&pool.ticket, &ticket, ticket + 1, memory_order_acq_rel,
                                                    memory_order_acquire));
    pool.run(pool.context, (size_t)(ticket & PART_MASK));
    atomic_fetch_add_explicit(&pool.done, 1, memory_order_release);
    return true;
}

static void sleep_until_asked(void)
{
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while (!has_part(atomic_load(&pool.ticket)) && !atomic_load(&pool.stopping))
        pthread_cond_wait(&pool.wake, &pool.lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
}

static void *help(void *unused)
{
    (void)unused;
    priority_give_way();
    unsigned looks = 0;
    while (!atomic_load_explicit(&pool.stopping, memory_order_relaxed)) {
        if (do_part()) {
            looks = 0;
        } else if (++looks > LOOKS_BEFORE_SLEEP) {
            sleep_until_asked();
            looks = 0;
        }
    }
    return NULL;
}

static void wake_sleepers(void)
{
    if (atomic_load(&pool.sleepers) == 0) return;
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
}

void parallel_run(size_t parts, void (*run)(void *context, size_t part), void *context)
{
    if (pool.count == 0 || parts < 2 || parts > PART_MASK || pthread_mutex_trylock(&pool.busy) != 0) {
        for (size_t part = 0; part < parts; part++)
            run(context, part);
        return;
    }
    pool.run = run;
    pool.context = context;
    atomic_store(&pool.done, 0);
    uint64_t task = (atomic_load(&pool.ticket) >> 2 * PART_BITS) + 1;
    atomic_store(&pool.ticket, task << 2 * PART_BITS | (uint64_t)parts << PART_BITS);
    wake_sleepers();
    while (do_part())
        ;
    for (unsigned looks = 0; atomic_load_explicit(&pool.done, memory_order_acquire) < parts; looks++)
        if (looks > LOOKS_BEFORE_YIELD) sched_yield();
    pthread_mutex_unlock(&pool.busy);
}

bool parallel_start(unsigned helpers)
{
    atomic_store(&pool.stopping, false);
    pool.threads = calloc(helpers > 0 ? helpers : 1, sizeof *pool.threads);
    if (pool.threads == NULL) return false;
    for (pool.count = 0; pool.count < helpers; pool.count++)
        if (pthread_create(&pool.threads[pool.count], NULL, help, NULL) != 0) {
            parallel_stop();
            return false;
        }
    return true;
}

void parallel_stop(void)
{
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.stopping, true);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
    for (unsigned i = 0; i < pool.count; i++)
        pthread_join(pool.threads[i], NULL);
    free(pool.threads);
    pool.threads = NULL;
    pool.count = 0;
}
