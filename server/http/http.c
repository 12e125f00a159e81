/* One MHD daemon per thread, all without a listening socket: the listener's thread hands them connections in
 * turn. (MHD's own pool of threads listens, but the way to stop it from listening, MHD_quiesce_daemon, can
 * abort the process under load: it and a polling thread may both try to remove the socket from the same epoll
 * set.) */
#include "server/http/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/priority.h"
#include "server/http/admission.h"
#include "server/http/connections.h"
#include "server/http/dispatch.h"
#include "server/http/exchange.h"
#include "server/http/framing.h"
#include "server/counters.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/http/held.h"
#include "server/http/probes.h"
#include "server/http/problem.h"
#include "server/http/request.h"
#include "server/http/route.h"
#include "server/http/stream.h"
#include "server/http/workers.h"

/* What a connection has for its buffers; half of it is what is read at once. */
#define CONNECTION_MEMORY ((size_t)128 << 10)

/* Parts of the time of the drain: when work is cancelled, and when work that goes on all the same is not waited for any
 * longer. What is left is for the process to end: to give back gigabytes takes a moment. */
#define DRAIN_PATIENCE 0.7
#define DRAIN_END 0.85

enum { DRAIN_LOOK = 5 /* milliseconds */ };

/* What is asked of a stream at once. */
enum { STREAM_BLOCK = 16384 };

static struct {
    const struct options *options;
    const struct routes *routes;
    struct MHD_Daemon **daemons;
    unsigned count;
    atomic_size_t delivered;         /* connections given to the daemons */
    struct MHD_Response *overloaded; /* made in advance, for when memory is short */
} http;

/* ---- What the library waits with ---- */

/* libmicrohttpd's epoll_wait, which takes this one: a program's functions come before those of its libraries. It takes
 * at most 128 events at once and, where there were as many, asks for more before it works on any, with the timeout of
 * an idle thread (0.9.75, MHD_epoll): if there were exactly as many, these connections would wait until something else
 * happens to the thread. So behind a call that filled its array the next one of the thread does not wait. */
int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    static _Thread_local bool filled;
    int count = epoll_pwait(epoll, events, most, filled ? 0 : timeout, NULL);
    filled = count == most;
    return count;
}

/* ---- Answers ---- */

static struct MHD_Response *make_overloaded(void)
{
    static char text[] = "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
                         "\"code\":\"out_of_memory\",\"detail\":\"Out of memory.\"}\n";
    struct MHD_Response *response = MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) return NULL;
    if (MHD_add_response_header(response, "Content-Type", "application/problem+json") != MHD_YES ||
        MHD_add_response_header(response, "Retry-After", "1") != MHD_YES) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

/* Whether the Python client that this daemon hands out is asking, of whatever version: it is told ours. */
static bool is_our_client(const struct exchange *exchange)
{
    static const char name[] = "gradcheckd.py/";
    const char *agent = exchange->connection != NULL ? exchange_header(exchange, "User-Agent") : NULL;
    return agent != NULL && strncmp(agent, name, sizeof name - 1) == 0;
}

/* The library's response over the exchange's answer, which stays where it is: the exchange lives until the
 * completed callback, and that comes after the last byte was sent. NULL when memory is short. */
static struct MHD_Response *make_response(struct request *request)
{
    static char nothing[1];
    const struct exchange *exchange = &request->exchange;
    char *data = exchange->answer.length > 0 ? exchange->answer.data : nothing;
    struct MHD_Response *response =
        request->stream.begun
            ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, request, NULL)
            : MHD_create_response_from_buffer(exchange->answer.length, data, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) return NULL;
    bool good = MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;
    if (good && request->id[0] != '\0')
        good = MHD_add_response_header(response, "X-Request-Id", request->id) == MHD_YES;
    if (good && is_our_client(exchange))
        good = MHD_add_response_header(response, "X-Gradcheckd-Client", GRADCHECKD_VERSION) == MHD_YES;
    if (good && exchange->content_type != NULL && exchange->status != 204 && exchange->status != 304)
        good = MHD_add_response_header(response, "Content-Type", exchange->content_type) == MHD_YES;
    for (size_t i = 0; good && i < exchange->header_count; i++)
        good = MHD_add_response_header(response, exchange->headers[i].name, exchange->headers[i].value) == MHD_YES;
    if (good && request->cors != NULL)
        good = MHD_add_response_header(response, "Access-Control-Allow-Origin", request->cors) == MHD_YES &&
               MHD_add_response_header(response, "Access-Control-Expose-Headers",
                                       "Retry-After, Server-Timing, X-Request-Id") == MHD_YES &&
               MHD_add_response_header(response, "Vary", "Origin") == MHD_YES;
    if (good && probes_draining()) good = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (good) return response;
    MHD_destroy_response(response);
    return NULL;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct request *request)
{
    struct exchange *exchange = &request->exchange;
    if (exchange->answer.failed) {
        struct error error = {0};
        error_set(&error, CODE_OUT_OF_MEMORY, "Out of memory for the answer.");
        problem_answer(exchange, &error);
    }
    if (!request->stream.begun) connections_enter(request->connection, PHASE_ANSWER);
    request->stage = STAGE_SENT;
    struct MHD_Response *response = make_response(request);
    if (response == NULL) {
        exchange->status = 503;
        atomic_store(&exchange->cancelled, true); /* a stream has nobody to write for */
        return MHD_queue_response(connection, 503, http.overloaded);
    }
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

static void write_log(const struct request *request, const struct log_entry *numbers)
{
    char client[INET6_ADDRSTRLEN] = "";
    struct log_entry entry = *numbers;
    const struct exchange *exchange = &request->exchange;
    int family;
    const void *address = exchange_address(exchange->connection, &family);
    if (address != NULL) inet_ntop(family, address, client, sizeof client);
    entry.id = request->id;
    entry.client = client;
    entry.method = admission_method(exchange->method);
    entry.route = exchange->route != NULL ? exchange->route->path : "other";
    entry.code = exchange->problem;
    log_request(&entry);
}

/* The end of a request; `sent` says whether its answer went out whole. */
static void finish(struct request *request, bool sent)
{
    /* A connection that broke while its work was done is not asked for an answer. */
    dispatch_unwatch(request);
    const struct exchange *exchange = &request->exchange;
    bool streamed = request->stream.begun;
    size_t route = exchange->route != NULL ? (size_t)(exchange->route - http.routes->list) : http.routes->count;
    const struct log_entry numbers = {.status = sent ? exchange->status : COUNTERS_BROKEN,
                                      .received = exchange->body_length,
                                      .sent = streamed ? request->stream.sent
                                              : sent   ? exchange->answer.length
                                                       : 0,
                                      .seconds = clock_seconds() - request->started};
    counters_request_ends(route, sent ? exchange->status : 0, numbers.seconds, numbers.received, numbers.sent);
    if (log_is_on()) write_log(request, &numbers);
    connections_enter(request->connection, PHASE_HEADER);
    if (streamed && !sent) atomic_store(&request->exchange.cancelled, true); /* nobody waits for the rest */
    if (!streamed || stream_leave(request)) request_free(request);
}

/* Ends what the library has begun and forgotten: where the headers or the arguments of a target don't fit into a
 * connection's memory, it calls on_target and then nothing more. */
static void finish_forgotten(struct connection *connection)
{
    struct request *request = connections_hold(connection, NULL);
    if (request != NULL) finish(request, false);
}

/* ---- The library's callbacks, on the connection's thread ---- */

static void on_connection(void *unused, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) finish_forgotten(*socket_context);
    connections_notify(unused, connection, socket_context, code);
}

/* Cuts a target behind LIMIT_ARGUMENTS arguments, if it has more: whether it had. The library keeps each of them in the
 * connection's memory, and forgets the request where that is full. (What it hands out is that memory.) */
static bool cut_arguments(const char *target)
{
    const char *at = strchr(target, '?');
    for (size_t count = 0; at != NULL && count < LIMIT_ARGUMENTS; count++)
        at = strchr(at + 1, '&');
    if (at != NULL) *(char *)at = '\0';
    return at != NULL;
}

/* The request line is there. What is returned is the request's context in the other callbacks. */
static void *on_target(void *unused, const char *target, struct MHD_Connection *connection)
{
    (void)unused;
    struct connection *registered = connections_find(connection);
    finish_forgotten(registered);
    struct request *request = registered != NULL ? request_new(http.options) : NULL;
    if (request == NULL) return NULL;
    connections_hold(registered, request);
    counters_request_begins();
    request->exchange.connection = connection;
    request->connection = registered;
    request->target_length = target != NULL ? strlen(target) : 0;
    request->odd_target = target == NULL || !framing_target_fits(target);
    request->many_arguments = target != NULL && cut_arguments(target);
    return request;
}

/* The headers are there: refuse at once what must not or need not be read, answer the rest when it is
 * complete. (An answer given now closes the connection, since the library cannot know whether the client will
 * still send the body.) */
static enum MHD_Result on_headers(struct MHD_Connection *connection, struct request *request, const char *url,
                                  const char *method, const char *version)
{
    request_id_choose(exchange_header(&request->exchange, "X-Request-Id"), request->id);
    enum admission admission = admission_decide(request, http.routes, url, method, version);
    if (admission == ADMISSION_REFUSED_NOW) {
        connections_linger(request->connection);
        return send_answer(connection, request);
    }
    request->stage = admission == ADMISSION_ANSWERED ? STAGE_READY : STAGE_BODY;
    connections_enter(request->connection, PHASE_BODY);
    return MHD_YES;
}

/* Called for the headers, for each piece of the body, when the body is complete, and after each resumption.
 */
static enum MHD_Result on_request(void *unused, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *piece, size_t *length, void **context)
{
    (void)unused;
    struct request *request = *context;
    if (request == NULL) return MHD_queue_response(connection, 503, http.overloaded);
    if (request->stage == STAGE_HEADERS) return on_headers(connection, request, url, method, version);
    if (*length != 0) {
        if (request->stage == STAGE_BODY) request_take_body(request, piece, *length);
        *length = 0;
        return MHD_YES;
    }
    if (request->stage == STAGE_BODY) request_end_body(request);
    if (request->stage == STAGE_BODY && dispatch_request(request)) return MHD_YES;
    if (request->stage != STAGE_STREAMING) dispatch_unwatch(request); /* else the worker is still at it */
    return send_answer(connection, request);
}

/* Once for each request that on_target has seen, but for those that finish_forgotten is about. */
static void on_completed(void *unused, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)unused;
    (void)connection;
    struct request *request = *context;
    if (request == NULL) return;
    *context = NULL;
    connections_hold(request->connection, NULL);
    finish(request, request->stage == STAGE_SENT && code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

/* What the library would print is about clients, who are none of the operator's business. */
static void on_log(void *unused, const char *format, va_list arguments)
{
    (void)unused;
    (void)format;
    (void)arguments;
}

/* ---- Start and end ---- */

static struct MHD_Daemon *start_daemon(void)
{
    /* The limit of connections is the listener's business: here it only has to be out of the way. */
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, on_request, NULL, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target,
        NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)(2 * LIMIT_CONNECTIONS), MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(LIMIT_BODY_SECONDS + LIMIT_ANSWER_SECONDS), /* longer than any deadline of ours, which come first */
        MHD_OPTION_THREAD_STACK_SIZE, LIMIT_STACK, MHD_OPTION_END);
}

/* MHD closes the socket where it does not take it. */
static void deliver(int socket, const void *address, size_t length)
{
    size_t turn = atomic_fetch_add(&http.delivered, 1);
    if (MHD_add_connection(http.daemons[turn % http.count], socket, address, (socklen_t)length) != MHD_YES)
        atomic_fetch_sub(&http.delivered, 1);
}

static bool start_daemons(void)
{
    unsigned wanted = http.options->threads > 2 ? http.options->threads : 2;
    http.overloaded = make_overloaded();
    http.daemons = calloc(wanted, sizeof(struct MHD_Daemon *));
    if (http.overloaded == NULL || http.daemons == NULL) return false;
    for (http.count = 0; http.count < wanted; http.count++) {
        http.daemons[http.count] = start_daemon();
        if (http.daemons[http.count] == NULL) return false;
    }
    return true;
}

static void stop_daemons(void)
{
    for (unsigned i = 0; i < http.count; i++)
        MHD_stop_daemon(http.daemons[i]);
    free(http.daemons);
    if (http.overloaded != NULL) MHD_destroy_response(http.overloaded);
    http.daemons = NULL;
    http.overloaded = NULL;
    http.count = 0;
}

bool http_start(const struct options *options, const struct routes *routes, char address[LISTENER_ADDRESS_MAX])
{
    http.options = options;
    http.routes = routes;
    for (size_t i = 0; i < routes->count; i++)
        counters_add_route(routes->list[i].path);
    held_start(options);
    if (!listener_open(options, address)) return false;
    priority_answer_at_once();
    /* What was started before a failure ends with the process. */
    if (connections_start(options->threads) && workers_start(options->threads, dispatch_work) && start_daemons() &&
        listener_start(deliver))
        return true;
    fputs("gradcheckd: cannot start its threads\n", stderr);
    return false;
}

/* Waits until no connection is left, or until then. */
static bool wait_for_connections(double until)
{
    while (connections_count() > 0 || connections_opened() < atomic_load(&http.delivered)) {
        if (clock_seconds() > until) return false;
        poll(NULL, 0, DRAIN_LOOK);
    }
    return true;
}

bool http_drain(void)
{
    double start = clock_seconds();
    probes_drain();
    listener_drain(start + DRAIN_PATIENCE * LIMIT_DRAIN_SECONDS);
    connections_drain();
    if (!wait_for_connections(start + DRAIN_PATIENCE * LIMIT_DRAIN_SECONDS)) {
        connections_abort();
        if (!wait_for_connections(start + DRAIN_END * LIMIT_DRAIN_SECONDS)) return false;
    }
    /* Only now: MHD_stop_daemon aborts the process when a connection is suspended, and a worker that has just
     * resumed one may still be using the daemon. */
    workers_stop();
    stop_daemons();
    connections_stop();
    request_free_spare();
    return true;
}
