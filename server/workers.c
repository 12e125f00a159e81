#include "server/workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/limits.h"
#include "server/request.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct request *first, *last; /* linked by request->next */
    size_t waiting;
    bool stopping;
    pthread_t *threads;
    unsigned count;
    void (*run)(struct request *);
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

/* The next request; NULL when the pool stops and nothing is left. */
static struct request *take(void)
{
    pthread_mutex_lock(&pool.lock);
    while (pool.first == NULL && !pool.stopping)
        pthread_cond_wait(&pool.more, &pool.lock);
    struct request *request = pool.first;
    if (request != NULL) {
        pool.first = request->next;
        if (pool.first == NULL) pool.last = NULL;
        pool.waiting--;
        request->next = NULL;
    }
    pthread_mutex_unlock(&pool.lock);
    return request;
}

static void *work(void *unused)
{
    (void)unused;
    struct request *request;
    while ((request = take()) != NULL)
        pool.run(request);
    return NULL;
}

bool workers_start(unsigned count, void (*run)(struct request *request))
{
    pool.run = run;
    pool.stopping = false;
    pool.threads = calloc(count, sizeof *pool.threads);
    if (pool.threads == NULL) return false;
    for (pool.count = 0; pool.count < count; pool.count++) {
        if (pthread_create(&pool.threads[pool.count], NULL, work, NULL) != 0) {
            workers_stop();
            return false;
        }
    }
    return true;
}

bool workers_submit(struct request *request)
{
    pthread_mutex_lock(&pool.lock);
    bool room = pool.waiting < LIMIT_QUEUE;
    if (room) {
        request->next = NULL;
        if (pool.last != NULL)
            pool.last->next = request;
        else
            pool.first = request;
        pool.last = request;
        pool.waiting++;
        pthread_cond_signal(&pool.more);
    }
    pthread_mutex_unlock(&pool.lock);
    return room;
}

size_t workers_waiting(void)
{
    pthread_mutex_lock(&pool.lock);
    size_t waiting = pool.waiting;
    pthread_mutex_unlock(&pool.lock);
    return waiting;
}

void workers_stop(void)
{
    pthread_mutex_lock(&pool.lock);
    pool.stopping = true;
    pthread_cond_broadcast(&pool.more);
    pthread_mutex_unlock(&pool.lock);
    for (unsigned i = 0; i < pool.count; i++)
        pthread_join(pool.threads[i], NULL);
    free(pool.threads);
    pool.threads = NULL;
    pool.count = 0;
}
