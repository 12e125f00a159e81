#include "server/http/held.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "server/http/sockets.h"
#include "server/limits.h"
#include "server/options.h"

/* Seconds for which room is wanted, once somebody found none: long enough to see who takes nothing. */
#define WANTED_SECONDS 3.0

static atomic_size_t answers; /* bytes held */
static _Atomic double wanted; /* clock_seconds() when somebody found no room */
static size_t answers_limit = LIMIT_ANSWERS;

static double patience = LIMIT_CROWDED_SECONDS;

static struct {
    pthread_mutex_t lock;
    struct held_body *first;
    size_t bytes, limit;
} bodies = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Neither bodies nor answers take more than half of the memory: the other is for work. A single body may. */
void held_start(const struct options *options)
{
    size_t half = options->max_memory > 0 ? options->max_memory / 2 : SIZE_MAX;
    const char *text = getenv("GRADCHECKD_TEST_ANSWERS");
    answers_limit = half < LIMIT_ANSWERS ? half : LIMIT_ANSWERS;
    if (text != NULL) answers_limit = strtoul(text, NULL, 10);
    text = getenv("GRADCHECKD_TEST_PATIENCE");
    if (text != NULL) patience = strtod(text, NULL);
    if (__builtin_mul_overflow(options->max_body, (size_t)LIMIT_BODIES_IN_FLIGHT, &bodies.limit) || bodies.limit > half)
        bodies.limit = half;
    if (bodies.limit < options->max_body) bodies.limit = options->max_body;
}

double held_patience(void)
{
    return patience;
}

/* ---- Bodies. All that follows runs under the lock. ---- */

static size_t room(void)
{
    return bodies.bytes < bodies.limit ? bodies.limit - bodies.bytes : 0;
}

static void enlist(struct held_body *body)
{
    body->next = bodies.first;
    if (bodies.first != NULL) bodies.first->previous = body;
    bodies.first = body;
}

static void delist(struct held_body *body)
{
    if (body->previous != NULL) body->previous->next = body->next;
    if (body->next != NULL) body->next->previous = body->previous;
    if (bodies.first == body) bodies.first = body->next;
    body->previous = body->next = NULL;
    bodies.bytes -= body->bytes;
    body->bytes = 0;
}

static bool has_stopped(const struct held_body *body, double now)
{
    return !body->whole && body->until < now && body->socket >= 0 && !socket_unread(body->socket);
}

static struct held_body *find_stopped(const struct held_body *except, double now)
{
    struct held_body *worst = NULL;
    for (struct held_body *body = bodies.first; body != NULL; body = body->next)
        if (body != except && (worst == NULL || body->until < worst->until) && has_stopped(body, now)) worst = body;
    return worst;
}

/* Room for `need` bytes: that of bodies that have stopped, those that stopped first; none of it where all of it would
 * not do. What only announces itself takes none. */
static bool could_make_room(const struct held_body *except, size_t need)
{
    double now = clock_seconds();
    size_t stopped = 0;
    for (const struct held_body *body = bodies.first; body != NULL && need > room(); body = body->next)
        if (body != except && has_stopped(body, now)) stopped += body->bytes;
    return need <= room() || need <= stopped || need - stopped <= room();
}

static bool make_room(const struct held_body *except, size_t need)
{
    if (need <= room()) return true;
    if (!could_make_room(except, need)) return false;
    double now = clock_seconds();
    struct held_body *worst;
    while (need > room() && (worst = find_stopped(except, now)) != NULL) {
        delist(worst);
        worst->given_up = true;
        socket_break(worst->socket);
    }
    return need <= room();
}

/* The bytes that have come buy patience: a body of that size takes LIMIT_BODY_SECONDS at this pace at most. */
static void extend_patience(struct held_body *body, size_t more)
{
    double now = clock_seconds(), start = body->until > now ? body->until : now;
    double bought = (double)LIMIT_BODY_SECONDS * (double)more / (double)body->bytes;
    double most = now + held_patience();
    body->until = start + bought < most ? start + bought : most;
}

bool held_body_fits(size_t length)
{
    if (length <= LIMIT_LIGHT_BODY) return true;
    pthread_mutex_lock(&bodies.lock);
    bool fits = could_make_room(NULL, length);
    pthread_mutex_unlock(&bodies.lock);
    return fits;
}

bool held_grow_body(struct held_body *body, int socket, size_t length)
{
    pthread_mutex_lock(&bodies.lock);
    size_t more = length - body->bytes;
    bool grown = !body->given_up && make_room(body, more);
    if (grown) {
        if (body->bytes == 0) enlist(body);
        body->socket = socket;
        body->bytes += more;
        bodies.bytes += more;
        extend_patience(body, more);
    }
    pthread_mutex_unlock(&bodies.lock);
    return grown;
}

void held_end_body(struct held_body *body)
{
    pthread_mutex_lock(&bodies.lock);
    body->whole = true;
    pthread_mutex_unlock(&bodies.lock);
}

void held_drop_body(struct held_body *body)
{
    pthread_mutex_lock(&bodies.lock);
    if (body->bytes > 0) delist(body);
    pthread_mutex_unlock(&bodies.lock);
}

/* ---- Answers ---- */

void held_add_answer(size_t bytes)
{
    atomic_fetch_add_explicit(&answers, bytes, memory_order_relaxed);
}

void held_drop_answer(size_t bytes)
{
    atomic_fetch_sub_explicit(&answers, bytes, memory_order_relaxed);
}

bool held_answers_full(void)
{
    bool full = atomic_load_explicit(&answers, memory_order_relaxed) > answers_limit;
    if (full) held_want_room();
    return full;
}

void held_want_room(void)
{
    atomic_store_explicit(&wanted, clock_seconds(), memory_order_relaxed);
}

bool held_is_wanted(void)
{
    double since = atomic_load_explicit(&wanted, memory_order_relaxed);
    return since != 0 && clock_seconds() - since <= WANTED_SECONDS + patience;
}
