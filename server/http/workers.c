#include "server/http/workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/limits.h"
#include "server/http/request.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t any, brief;    /* something to do: for most workers, for the one that takes no long work */
    struct request *first, *last; /* linked by request->next */
    size_t waiting;
    bool stopping;
    pthread_t *threads;
    unsigned count;
    void (*run)(struct request *, bool brief);
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .any = PTHREAD_COND_INITIALIZER, .brief = PTHREAD_COND_INITIALIZER};

static bool is_long(const struct request *request)
{
    return request->weight == WEIGHT_LONG;
}

/* Takes the first request out of the queue, or the first that is not long; NULL where there is none. */
static struct request *unlink_first(bool brief)
{
    struct request **link = &pool.first, *before = NULL;
    while (*link != NULL && brief && is_long(*link)) {
        before = *link;
        link = &before->next;
    }
    struct request *request = *link;
    if (request == NULL) return NULL;
    *link = request->next;
    if (pool.last == request) pool.last = before;
    pool.waiting--;
    request->next = NULL;
    return request;
}

/* The next request; NULL when the pool stops and nothing is left. */
static struct request *take(bool brief)
{
    struct request *request;
    pthread_mutex_lock(&pool.lock);
    while ((request = unlink_first(brief)) == NULL && !pool.stopping)
        pthread_cond_wait(brief ? &pool.brief : &pool.any, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
    return request;
}

static void *work_any(void *unused)
{
    (void)unused;
    struct request *request;
    while ((request = take(false)) != NULL)
        pool.run(request, false);
    return NULL;
}

static void *work_brief(void *unused)
{
    (void)unused;
    struct request *request;
    while ((request = take(true)) != NULL)
        pool.run(request, true);
    return NULL;
}

static bool start(pthread_t *thread, void *(*work)(void *))
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    bool good = pthread_attr_setstacksize(&attributes, LIMIT_STACK) == 0 &&
                pthread_create(thread, &attributes, work, NULL) == 0;
    pthread_attr_destroy(&attributes);
    return good;
}

bool workers_start(unsigned count, void (*run)(struct request *request, bool brief))
{
    pool.run = run;
    pool.stopping = false;
    pool.threads = calloc(count, sizeof *pool.threads);
    if (pool.threads == NULL) return false;
    for (pool.count = 0; pool.count < count; pool.count++) {
        bool brief = pool.count == 0 && count > 1;
        if (!start(&pool.threads[pool.count], brief ? work_brief : work_any)) {
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
        pthread_cond_signal(&pool.any);
        if (!is_long(request)) pthread_cond_signal(&pool.brief);
    }
    pthread_mutex_unlock(&pool.lock);
    return room;
}

void workers_return(struct request *request)
{
    pthread_mutex_lock(&pool.lock);
    request->next = pool.first;
    if (pool.last == NULL) pool.last = request;
    pool.first = request;
    pool.waiting++;
    pthread_cond_signal(&pool.any);
    pthread_mutex_unlock(&pool.lock);
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
    pthread_cond_broadcast(&pool.any);
    pthread_cond_broadcast(&pool.brief);
    pthread_mutex_unlock(&pool.lock);
    for (unsigned i = 0; i < pool.count; i++)
        pthread_join(pool.threads[i], NULL);
    free(pool.threads);
    pool.threads = NULL;
    pool.count = 0;
}
