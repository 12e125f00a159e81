#include "server/http/connections.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "server/blas_setup.h"
#include "server/counters.h"
#include "server/http/exchange.h"
#include "server/http/held.h"
#include "server/http/route.h"
#include "server/http/sockets.h"
#include "server/limits.h"

/* Seconds between two looks; a connection idle for QUIET_SECONDS is closed in the drain, one that is so new
 * that its first request may still be on the way has NEW_SECONDS. */
#define SWEEP_SECONDS 0.1
#define SWEEP_SECONDS_BUSY 0.01
#define QUIET_SECONDS 0.2
#define NEW_SECONDS 1.0
#define LINGER_SECONDS 2.0
#define GONE_SECONDS 0.2

enum { LINGER_MAX = 64, LINGER_LEAST = 8, LINGER_READS = 64, PHASE_BITS = 2 };

struct connection {
    struct connection *previous, *next;
    int socket;
    uint64_t client; /* a number for its address */
    atomic_uint_fast64_t
        since;                /* milliseconds << PHASE_BITS | phase: one word, so that the sweeper sees both or none */
    atomic_bool served;       /* a request was read */
    bool linger;              /* touched by the connection's thread only */
    struct request *request;  /* likewise */
    bool closing;             /* touched by the sweeper only */
    double gone_since;        /* when its client was first seen to have left, 0 where it has not; the sweeper's */
    uint64_t gone_word;       /* `since` at that time */
    uint64_t moved;           /* bytes, both ways, when last looked at while crowded; the sweeper's */
    double moved_at;          /* when that was first seen */
    struct exchange *working; /* under the lock */
    double work_deadline;     /* of working */
};

struct lingering {
    int socket;
    double until;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* on the monotonic clock */
    pthread_t sweeper;
    bool running, stopping, draining;
    double draining_since;
    struct connection *first;
    size_t count, opened, most;
    struct lingering lingering[LINGER_MAX];
    size_t lingering_count;
    double limits[1 << PHASE_BITS]; /* seconds, by phase */
} registry = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .limits = {LIMIT_HEADER_SECONDS, LIMIT_BODY_SECONDS, LIMIT_WORK_SECONDS, LIMIT_ANSWER_SECONDS},
};

/* ---- What connections report ---- */

/* Where hardly any are left, an address that has more than half of them gets no more of these: a new connection of its
 * takes the place of the one of its own that has waited longest for a request; or it is closed at once, if all are at
 * one. */
static void make_place(int socket, uint64_t client)
{
    size_t own = 0;
    uint64_t longest = UINT64_MAX;
    const struct connection *idle = NULL;
    if (registry.count < registry.most - registry.most / 8) return;
    for (const struct connection *connection = registry.first; connection != NULL; connection = connection->next) {
        if (connection->client != client) continue;
        uint64_t since = atomic_load_explicit(&connection->since, memory_order_relaxed);
        bool waits = (since & ((1U << PHASE_BITS) - 1)) == PHASE_HEADER && !socket_unread(connection->socket);
        own++;
        if (!waits || since >= longest) continue;
        longest = since;
        idle = connection;
    }
    if (own > registry.most / 2) socket_break(idle != NULL ? idle->socket : socket);
}

static struct connection *enlist(int socket, uint64_t client)
{
    struct connection *connection = calloc(1, sizeof *connection);
    pthread_mutex_lock(&registry.lock);
    registry.opened++;
    make_place(socket, client);
    if (connection != NULL) {
        connection->client = client;
        connection->socket = socket;
        connections_enter(connection, PHASE_HEADER);
        connection->next = registry.first;
        if (registry.first != NULL) registry.first->previous = connection;
        registry.first = connection;
        registry.count++;
    } else {
        socket_break(socket); /* without a place in the list it could stay for ever */
    }
    pthread_mutex_unlock(&registry.lock);
    return connection;
}

/* Called before the library closes the socket: the copy keeps the connection from being reset. */
static void start_lingering(const struct connection *connection)
{
    if (registry.lingering_count == LINGER_MAX) return;
    int copy = dup(connection->socket);
    if (copy < 0) return;
    registry.lingering[registry.lingering_count++] =
        (struct lingering){.socket = copy, .until = clock_seconds() + LINGER_SECONDS};
    pthread_cond_signal(&registry.wake);
}

static void delist(struct connection *connection)
{
    pthread_mutex_lock(&registry.lock);
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        registry.first = connection->next;
    if (connection->next != NULL) connection->next->previous = connection->previous;
    registry.count--;
    if (connection->linger) start_lingering(connection);
    pthread_mutex_unlock(&registry.lock);
    free(connection);
}

void connections_notify(void *unused, struct MHD_Connection *connection, void **socket_context,
                        enum MHD_ConnectionNotificationCode code)
{
    (void)unused;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = info != NULL ? enlist(info->connect_fd, exchange_client(connection)) : NULL;
    } else if (*socket_context != NULL) {
        delist(*socket_context);
        *socket_context = NULL;
    }
}

struct connection *connections_find(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

struct request *connections_hold(struct connection *connection, struct request *request)
{
    if (connection == NULL) return NULL;
    struct request *before = connection->request;
    connection->request = request;
    return before;
}

void connections_enter(struct connection *connection, enum phase phase)
{
    if (connection == NULL) return;
    if (phase != PHASE_HEADER) atomic_store_explicit(&connection->served, true, memory_order_relaxed);
    uint64_t milliseconds = (uint64_t)(clock_seconds() * 1e3);
    atomic_store_explicit(&connection->since, milliseconds << PHASE_BITS | (uint64_t)phase, memory_order_relaxed);
}

void connections_watch(struct connection *connection, struct exchange *exchange)
{
    if (connection == NULL) return;
    connections_enter(connection, PHASE_WORK);
    pthread_mutex_lock(&registry.lock);
    connection->working = exchange;
    connection->work_deadline = clock_seconds() + registry.limits[PHASE_WORK];
    pthread_mutex_unlock(&registry.lock);
}

void connections_linger(struct connection *connection)
{
    if (connection != NULL) connection->linger = true;
}

int connections_socket(const struct connection *connection)
{
    return connection != NULL ? connection->socket : -1;
}

size_t connections_opened(void)
{
    pthread_mutex_lock(&registry.lock);
    size_t opened = registry.opened;
    pthread_mutex_unlock(&registry.lock);
    return opened;
}

size_t connections_count(void)
{
    pthread_mutex_lock(&registry.lock);
    size_t count = registry.count + registry.lingering_count;
    pthread_mutex_unlock(&registry.lock);
    return count;
}

/* ---- The sweeper. Everything below runs under the lock: a socket in the list is open, and its number nobody
 * else's. ---- */

static bool is_crowded(void)
{
    return registry.count + registry.lingering_count >= registry.most || held_is_wanted();
}

/* Bytes that a client has to take of an answer, where answers are in the way, for it to have moved. */
#define ANSWER_STEP ((uint64_t)64 << 10)

/* Whether nothing, or of an answer that holds memory hardly anything, has moved in the middle of a body or an answer
 * for a while, and that is the client's doing. */
static bool has_stopped(struct connection *connection, enum phase phase, double since, double now)
{
    uint64_t moved = socket_moved(connection->socket);
    uint64_t step = phase == PHASE_ANSWER && held_is_wanted() ? ANSWER_STEP : 1;
    if (moved == 0 || moved - connection->moved >= step) {
        connection->moved = moved;
        connection->moved_at = now;
    }
    double start = since > connection->moved_at ? since : connection->moved_at;
    if (now - start <= held_patience()) return false;
    return phase == PHASE_BODY ? !socket_unread(connection->socket) : socket_unsent(connection->socket);
}

/* Whether the connection has had its time. What has come and waits to be read is not the client's delay but ours. */
static bool is_overdue(struct connection *connection, enum phase phase, double since, double now)
{
    double patience = registry.limits[phase];
    bool crowded = is_crowded();
    if (crowded && phase == PHASE_HEADER && patience > held_patience()) patience = held_patience();
    if (now - since > patience) return phase == PHASE_ANSWER || !socket_unread(connection->socket);
    return crowded && phase != PHASE_HEADER && has_stopped(connection, phase, since, now);
}

/* Breaks a connection whose client has left in the middle of a request. The library takes care of that itself, but not
 * when the end came together with the last bytes: then it reads those, and waits for an event that has been already.
 * What it has read it may be working on just now, hence the second look. */
static void look_for_client(struct connection *connection, uint64_t word, double now)
{
    if (!socket_left(connection->socket, connection->closing) || socket_unread(connection->socket)) {
        connection->gone_since = 0;
    } else if (connection->gone_since == 0 || connection->gone_word != word) {
        connection->gone_since = now;
        connection->gone_word = word;
    } else if (now - connection->gone_since > GONE_SECONDS) {
        socket_break(connection->socket);
    }
}

/* Closes an idle connection for reading only: a request that arrives in this very moment is still read and
 * answered. */
static void look_at_idle(struct connection *connection, double since, double now)
{
    if (!registry.draining || connection->closing) return;
    double start = since > registry.draining_since ? since : registry.draining_since;
    bool served = atomic_load_explicit(&connection->served, memory_order_relaxed);
    if (now - start < (served ? QUIET_SECONDS : NEW_SECONDS) || socket_unread(connection->socket)) return;
    connection->closing = true;
    shutdown(connection->socket, SHUT_RD);
}

static void look_at(struct connection *connection, double now)
{
    if (connection->working != NULL) {
        bool overdue = now > connection->work_deadline, ends = registry.draining && connection->working->route->lasts;
        if (overdue) atomic_store(&connection->working->overdue, true);
        if (overdue || ends || socket_left(connection->socket, connection->closing))
            atomic_store(&connection->working->cancelled, true);
        return;
    }
    uint64_t word = atomic_load_explicit(&connection->since, memory_order_relaxed);
    enum phase phase = (enum phase)(word & ((1U << PHASE_BITS) - 1));
    double since = 1e-3 * (double)(word >> PHASE_BITS);
    if (phase == PHASE_WORK) return; /* on the connection's own thread, or about to be watched */
    if (is_overdue(connection, phase, since, now)) {
        socket_break(connection->socket);
        return;
    }
    if (phase != PHASE_ANSWER) look_for_client(connection, word, now);
    if (phase == PHASE_HEADER) look_at_idle(connection, since, now);
}

/* True when the client has closed, too, or does not deserve more patience. */
static bool lingered_enough(const struct lingering *lingering, double now)
{
    static char waste[65536]; /* the sweeper's alone, whose stack may be small */
    for (int i = 0; i < LINGER_READS; i++) {
        ssize_t got = recv(lingering->socket, waste, sizeof waste, MSG_DONTWAIT);
        if (got == 0) return true;
        if (got < 0) break;
    }
    return now > lingering->until;
}

static void look_at_lingering(double now)
{
    size_t kept = 0;
    for (size_t i = 0; i < registry.lingering_count; i++) {
        if (lingered_enough(&registry.lingering[i], now))
            close(registry.lingering[i].socket);
        else
            registry.lingering[kept++] = registry.lingering[i];
    }
    registry.lingering_count = kept;
}

static void sleep_until(double when)
{
    struct timespec until = {.tv_sec = (time_t)when};
    until.tv_nsec = (long)(1e9 * (when - (double)until.tv_sec));
    pthread_cond_timedwait(&registry.wake, &registry.lock, &until);
}

/* Where there is nothing to do, and not under the lock: it takes a moment. */
static void settle_memory(void)
{
    if (counters_in_flight() > 0) return;
    pthread_mutex_unlock(&registry.lock);
    if (memory_settle()) blas_settle();
    pthread_mutex_lock(&registry.lock);
}

static void *sweep(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&registry.lock);
    while (!registry.stopping) {
        double now = clock_seconds();
        for (struct connection *connection = registry.first; connection != NULL; connection = connection->next)
            look_at(connection, now);
        look_at_lingering(now);
        settle_memory();
        bool busy = registry.draining || registry.lingering_count > 0;
        sleep_until(now + (busy ? SWEEP_SECONDS_BUSY : SWEEP_SECONDS));
    }
    look_at_lingering(clock_seconds() + 2 * LINGER_SECONDS);
    pthread_mutex_unlock(&registry.lock);
    return NULL;
}

/* ---- Start and end ---- */

/* For the tests, which cannot wait for minutes: seconds for header, body, work and answer. */
static void read_test_deadlines(void)
{
    const char *text = getenv("GRADCHECKD_TEST_DEADLINES");
    double *limits = registry.limits;
    if (text != NULL) (void)sscanf(text, "%lf,%lf,%lf,%lf", &limits[0], &limits[1], &limits[2], &limits[3]);
}

/* Of the files that the process may have open, those are set aside that its threads and the sweeper have. */
static void find_most(unsigned threads)
{
    enum { OF_A_THREAD = 2, OTHERS = 24 };
    struct rlimit files;
    registry.most = LIMIT_CONNECTIONS;
    rlim_t beside = OTHERS + (rlim_t)OF_A_THREAD * threads, lingering = LINGER_MAX;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= LIMIT_CONNECTIONS + beside + lingering) return;
    rlim_t left = files.rlim_cur > beside + LINGER_LEAST ? files.rlim_cur - beside : LINGER_LEAST;
    registry.most = left > 4 * lingering ? left - lingering : left - left / 4;
    fprintf(stderr, "gradcheckd: %llu open files are allowed: %zu connections at a time, not %d\n",
            (unsigned long long)files.rlim_cur, registry.most, LIMIT_CONNECTIONS);
}

size_t connections_most(void)
{
    return registry.most;
}

bool connections_start(unsigned threads)
{
    find_most(threads);
    pthread_condattr_t attributes;
    read_test_deadlines();
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool good = pthread_cond_init(&registry.wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    registry.running = good && pthread_create(&registry.sweeper, NULL, sweep, NULL) == 0;
    return registry.running;
}

void connections_stop(void)
{
    if (!registry.running) return;
    pthread_mutex_lock(&registry.lock);
    registry.stopping = true;
    pthread_cond_signal(&registry.wake);
    pthread_mutex_unlock(&registry.lock);
    pthread_join(registry.sweeper, NULL);
    registry.running = false;
}

void connections_drain(void)
{
    pthread_mutex_lock(&registry.lock);
    registry.draining = true;
    registry.draining_since = clock_seconds();
    pthread_cond_signal(&registry.wake);
    pthread_mutex_unlock(&registry.lock);
}

void connections_abort(void)
{
    pthread_mutex_lock(&registry.lock);
    for (struct connection *connection = registry.first; connection != NULL; connection = connection->next) {
        if (connection->working != NULL)
            atomic_store(&connection->working->cancelled, true);
        else
            socket_break(connection->socket);
    }
    pthread_mutex_unlock(&registry.lock);
}
