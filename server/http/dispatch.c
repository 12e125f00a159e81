#include "server/http/dispatch.h"

#include <microhttpd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "server/http/connections.h"
#include "server/http/held.h"
#include "server/http/problem.h"
#include "server/http/request.h"
#include "server/http/route.h"
#include "server/http/stream.h"
#include "server/http/turns.h"
#include "server/http/workers.h"
#include "server/limits.h"

/* Operations: what a turn of a worker takes at least, and what reading takes. */
#define WORK_OF_A_TURN 1e6
#define WORK_PER_BYTE 100.0

/* Operations that a second of a worker is taken for, when what it has done is charged. */
#define WORK_PER_SECOND 1e10

static int measure(struct request *request, struct error *error)
{
    struct exchange *exchange = &request->exchange;
    struct load load = {0};
    request->measured = true;
    if (exchange->route->measure == NULL) return CODE_OK;
    int code = exchange->route->measure(exchange, &load, error);
    request->work = load.work;
    request->measured = !load.later;
    if (load.work > LIMIT_LONG_WORK)
        request->weight = WEIGHT_LONG;
    else if (load.later || load.waits || load.work > LIMIT_LIGHT_WORK)
        request->weight = WEIGHT_HEAVY;
    return code;
}

/* The next step: `run`, or what it has left. */
static int step(struct request *request, struct error *error)
{
    struct exchange *exchange = &request->exchange;
    exchange_step *next = exchange->rest != NULL ? exchange->rest : exchange->route->run;
    exchange->rest = NULL;
    return next(exchange, error);
}

/* Who takes turns with others: whoever a token tells apart, else an address. */
static uint64_t client_of(const struct exchange *exchange)
{
    if (exchange->token != NULL) return turns_client(exchange->token, exchange->token_length);
    return exchange_client(exchange->connection);
}

/* Answers one that waited, or was about to, and for which there is no room. */
static void turn_away(struct request *request)
{
    struct error error = {0};
    struct MHD_Connection *connection = request->exchange.connection;
    error_set(&error, CODE_OVERLOADED, "Too many requests are waiting; try again.");
    problem_answer(&request->exchange, &error);
    request->stage = STAGE_READY;
    MHD_resume_connection(connection);
}

/* Suspends the connection before a worker can know of it: it must not be resumed first. */
static void hand_over(struct request *request)
{
    request->stage = STAGE_WORKING;
    request->watched = true;
    request->client = client_of(&request->exchange);
    /* What is not measured yet takes time to read; and what is hardly any work takes a turn all the same. */
    double least = WORK_OF_A_TURN + WORK_PER_BYTE * (double)request->exchange.body_length;
    if (request->work < least) request->work = least;
    connections_watch(request->connection, &request->exchange);
    MHD_suspend_connection(request->exchange.connection);
    struct request *refused = workers_submit(request);
    if (refused != NULL) turn_away(refused);
}

/* Whether there may be much more in a body than its length says: what is packed, and all that may hold files. */
static bool may_unpack(const struct exchange *exchange)
{
    if (exchange->coding != NULL) return true;
    return exchange->media_type != NULL && exchange->media_type != exchange->route->accepts(0);
}

bool dispatch_request(struct request *request)
{
    struct exchange *exchange = &request->exchange;
    struct error error;
    error_init(&error);
    connections_enter(request->connection, PHASE_WORK);
    if (request->body_fault.code != CODE_OK) {
        problem_answer(exchange, &request->body_fault);
    } else if (exchange->body_length > LIMIT_LIGHT_BODY || may_unpack(exchange)) {
        request->weight = WEIGHT_HEAVY; /* even to measure it takes long */
        hand_over(request);
        return true;
    } else {
        int code = measure(request, &error);
        if (code == CODE_OK && request->weight == WEIGHT_LIGHT) code = step(request, &error);
        if (code != CODE_OK) {
            problem_answer(exchange, &error);
        } else if (request->weight != WEIGHT_LIGHT || exchange->rest != NULL) {
            hand_over(request);
            return true;
        }
    }
    request->stage = STAGE_READY;
    return false;
}

/* Why a worker does not begin with a request that waited for it. */
static int may_begin(const struct exchange *exchange, struct error *error)
{
    if (atomic_load(&exchange->cancelled))
        return error_set(error, CODE_OVERLOADED, "The request did not come to its turn in time; try again.");
    if (held_answers_full())
        return error_set(error, CODE_OVERLOADED,
                         "The answers of other requests take all the memory there is for them.");
    return CODE_OK;
}

/* What finds no memory though hardly anything else has any never will: it is not to be tried again. */
static void explain_memory(const struct request *request, struct error *error)
{
    enum { OF_MEMORY = 8 };
    size_t own = request->exchange.arena.held + request->body_capacity, taken = memory_taken();
    size_t others = taken > own ? taken - own : 0, most = request->exchange.options->max_memory;
    if (error->code != CODE_OUT_OF_MEMORY || most == 0 || own < most / OF_MEMORY || others > most / OF_MEMORY) return;
    *error = (struct error){0};
    error_set(error, CODE_TOO_MUCH_WORK, "this takes more memory than there is (--max-memory)");
}

/* What a worker does with a request whose answer is sent while it is made. */
static void leave_stream(struct request *request)
{
    if (request->exchange.rest == NULL) {
        request_hold_answer(request);
        if (stream_leave(request)) request_free(request);
    } else if (!stream_park(request)) {
        workers_resume(request); /* whoever waits has a turn first */
    }
}

/* Resuming comes last: from then on the request is the connection's again, and may be gone at once. */
void dispatch_work(struct request *request, bool brief)
{
    struct exchange *exchange = &request->exchange;
    struct MHD_Connection *connection = exchange->connection;
    struct error error = {0};
    connections_watch(request->connection, exchange); /* the time in the queue is not the work's */
    exchange->on_worker = true;
    double begun = clock_seconds();
    int code = request->stream.begun ? CODE_OK : may_begin(exchange, &error);
    if (code != CODE_OK) {
        workers_charge(request, 0);
        problem_answer(exchange, &error);
    } else {
        if (!request->measured) code = measure(request, &error);
        if (code == CODE_OK && brief && request->weight == WEIGHT_LONG) {
            workers_return(request);
            return;
        }
        if (code == CODE_OK) code = step(request, &error);
        workers_charge(request, WORK_PER_SECOND * (clock_seconds() - begun));
        if (request->stream.begun) {
            leave_stream(request);
            return;
        }
        if (code != CODE_OK) {
            problem_explain_cancelled(exchange, &error);
            explain_memory(request, &error);
            problem_answer(exchange, &error);
        }
        request_hold_answer(request);
    }
    request->stage = STAGE_READY;
    MHD_resume_connection(connection);
}

void dispatch_unwatch(struct request *request)
{
    if (request->watched) connections_watch(request->connection, NULL);
    request->watched = false;
}
