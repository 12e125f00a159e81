#include "server/http/workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/priority.h"
#include "server/limits.h"
#include "server/http/request.h"
#include "server/http/turns.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t any, brief; /* something to do: for most workers, for the one that takes no long work */
    struct request *first;     /* linked by request->next, the oldest first */
    struct turns turns;
    size_t waiting;
    bool stopping;
    pthread_t *threads;
    unsigned count;
    void (*run)(struct request *, bool brief);
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .any = PTHREAD_COND_INITIALIZER, .brief = PTHREAD_COND_INITIALIZER};

static void append(struct request *request)
{
    request->next = NULL;
    struct request **end = &pool.first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = request;
    pool.waiting++;
}

static struct request *unlink(struct request **link)
{
    struct request *request = *link;
    *link = request->next;
    request->next = NULL;
    pool.waiting--;
    return request;
}

static bool is_long(const struct request *request)
{
    return request->weight == WEIGHT_LONG;
}

/* Takes out of the queue what begins first, or first of what is not long; NULL where there is none. Of what begins at
 * the same place the older one. */
static struct request *unlink_first(bool brief)
{
    struct request **first = NULL;
    for (struct request **link = &pool.first; *link != NULL; link = &(*link)->next)
        if (!(brief && is_long(*link)) && (first == NULL || (*link)->turn < (*first)->turn)) first = link;
    if (first == NULL) return NULL;
    struct request *request = unlink(first);
    turns_take(&pool.turns, request->turn);
    return request;
}

/* What begins last, of that the newest, and not what is answered already; NULL where there is none. */
static struct request *unlink_last(void)
{
    struct request **last = NULL;
    for (struct request **link = &pool.first; *link != NULL; link = &(*link)->next)
        if (!(*link)->stream.begun && (last == NULL || (*link)->turn >= (*last)->turn)) last = link;
    return last != NULL ? unlink(last) : NULL;
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
    priority_give_way();
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

/* Lets those know that may take it. */
static void wake(const struct request *request)
{
    pthread_cond_signal(&pool.any);
    if (!is_long(request)) pthread_cond_signal(&pool.brief);
}

static bool is_waiting(uint64_t client)
{
    const struct request *request = pool.first;
    while (request != NULL && request->client != client)
        request = request->next;
    return request != NULL;
}

struct request *workers_submit(struct request *request)
{
    struct request *refused = NULL;
    pthread_mutex_lock(&pool.lock);
    request->turn = turns_begin(&pool.turns, request->client, request->work, is_waiting(request->client));
    request->charged = request->work;
    append(request);
    if (pool.waiting > LIMIT_QUEUE) refused = unlink_last();
    if (refused != NULL) turns_charge(&pool.turns, refused->client, -refused->charged);
    if (refused != request) wake(request);
    pthread_mutex_unlock(&pool.lock);
    return refused;
}

void workers_charge(const struct request *request, double work)
{
    double more = work - request->charged;
    pthread_mutex_lock(&pool.lock);
    turns_charge(&pool.turns, request->client, more);
    for (struct request *other = pool.first; other != NULL; other = other->next)
        if (other->client == request->client) other->turn += more; /* they begin where this one ends */
    pthread_mutex_unlock(&pool.lock);
}

void workers_return(struct request *request)
{
    pthread_mutex_lock(&pool.lock);
    append(request);
    pthread_cond_signal(&pool.any);
    pthread_mutex_unlock(&pool.lock);
}

void workers_resume(struct request *request)
{
    pthread_mutex_lock(&pool.lock);
    request->turn = turns_begin(&pool.turns, request->client, 0, is_waiting(request->client));
    request->charged = 0;
    append(request);
    wake(request);
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
