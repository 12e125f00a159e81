#include "server/http/request.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "server/limits.h"
#include "server/http/problem.h"

enum { SPARE_MAX = 64, FIRST_BODY = 4096 };

static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *spare;
static size_t spare_count;

static atomic_size_t answers_held; /* bytes of all arenas whose requests are done */
static size_t answers_limit = LIMIT_ANSWERS;
static atomic_size_t bodies_held; /* bytes received of all bodies in flight that are over LIMIT_LIGHT_BODY */

const char *exchange_query(const struct exchange *exchange, const char *name)
{
    if (exchange->connection == NULL) return NULL;
    const char *value = NULL;
    if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, NULL) !=
        MHD_YES)
        return NULL;
    return value != NULL ? value : "";
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    if (exchange->connection == NULL) return NULL;
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

void exchange_answer_header(struct exchange *exchange, const char *name, const char *value)
{
    if (exchange->header_count == EXCHANGE_HEADERS_MAX) return;
    exchange->headers[exchange->header_count].name = name;
    exchange->headers[exchange->header_count].value = value;
    exchange->header_count++;
}

void exchange_explain_cancelled(const struct exchange *exchange, const char *what, struct error *error)
{
    if (error->code != CODE_CANCELLED || !atomic_load(&exchange->overdue)) return;
    *error = (struct error){0};
    if (exchange->again)
        error_set(error, CODE_DEVICE, "a device failed in the middle of this %s; try again", what);
    else
        error_set(error, CODE_TOO_MUCH_WORK, "this %s takes longer than %d seconds", what, LIMIT_WORK_SECONDS);
}

static struct request *take_spare(void)
{
    pthread_mutex_lock(&spare_lock);
    struct request *request = spare;
    if (request != NULL) {
        spare = request->next;
        spare_count--;
    }
    pthread_mutex_unlock(&spare_lock);
    return request;
}

static bool keep_spare(struct request *request)
{
    pthread_mutex_lock(&spare_lock);
    bool room = spare_count < SPARE_MAX;
    if (room) {
        request->next = spare;
        spare = request;
        spare_count++;
    }
    pthread_mutex_unlock(&spare_lock);
    return room;
}

struct request *request_new(const struct options *options)
{
    struct request *request = take_spare();
    if (request == NULL) {
        request = calloc(1, sizeof *request);
        if (request == NULL) return NULL;
        arena_init(&request->exchange.arena, LIMIT_MEMORY);
    }
    /* A spare one keeps its arena's first block and a small body buffer; all else starts anew. */
    struct arena arena = request->exchange.arena;
    char *body = request->body;
    size_t capacity = request->body_capacity;
    memset(request, 0, sizeof *request);
    request->exchange.arena = arena;
    request->exchange.options = options;
    request->exchange.method = "";
    request->exchange.path = "";
    request->body = body;
    request->body_capacity = capacity;
    request->started = clock_seconds();
    return request;
}

static void uncount_body(struct request *request)
{
    atomic_fetch_sub_explicit(&bodies_held, request->body_counted, memory_order_relaxed);
    request->body_counted = 0;
}

void request_hold_answer(struct request *request)
{
    request->answer_counted = request->exchange.arena.held;
    atomic_fetch_add_explicit(&answers_held, request->answer_counted, memory_order_relaxed);
}

void request_start(void)
{
    const char *text = getenv("GRADCHECKD_TEST_ANSWERS");
    if (text != NULL) answers_limit = strtoul(text, NULL, 10);
}

bool request_answers_full(void)
{
    return atomic_load_explicit(&answers_held, memory_order_relaxed) > answers_limit;
}

bool request_answers_crowd(void)
{
    return atomic_load_explicit(&answers_held, memory_order_relaxed) > answers_limit / 4;
}

void request_free(struct request *request)
{
    uncount_body(request);
    atomic_fetch_sub_explicit(&answers_held, request->answer_counted, memory_order_relaxed);
    if (request->body_capacity > LIMIT_LIGHT_BODY) {
        free(request->body);
        request->body = NULL;
        request->body_capacity = 0;
    }
    free(request->stream.bytes);
    arena_reset(&request->exchange.arena);
    if (keep_spare(request)) return;
    arena_free(&request->exchange.arena);
    free(request->body);
    free(request);
}

void request_free_spare(void)
{
    struct request *request;
    while ((request = take_spare()) != NULL) {
        arena_free(&request->exchange.arena);
        free(request->body);
        free(request);
    }
}

static size_t bodies_limit(const struct options *options)
{
    size_t limit;
    return __builtin_mul_overflow(options->max_body, (size_t)LIMIT_BODIES_IN_FLIGHT, &limit) ? SIZE_MAX : limit;
}

bool request_body_fits(const struct options *options, size_t length)
{
    if (length <= LIMIT_LIGHT_BODY) return true;
    size_t held = atomic_load_explicit(&bodies_held, memory_order_relaxed);
    size_t limit = bodies_limit(options);
    return held <= limit && length <= limit - held;
}

/* Counts a body that grows to that length among those in flight. Small ones don't count: LIMIT_CONNECTIONS times
 * LIMIT_LIGHT_BODY is set aside for them, so that large bodies that stall on their way cannot keep them out. */
static bool count_body(struct request *request, size_t length)
{
    if (length <= LIMIT_LIGHT_BODY) return true;
    size_t more = length - request->body_counted;
    size_t limit = bodies_limit(request->exchange.options);
    size_t held = atomic_fetch_add_explicit(&bodies_held, more, memory_order_relaxed);
    request->body_counted += more;
    return held <= limit && more <= limit - held;
}

/* Drops the body and what it held. */
static void refuse_body(struct request *request)
{
    uncount_body(request);
    free(request->body);
    request->body = NULL;
    request->body_capacity = 0;
    request->exchange.body = NULL;
    request->exchange.body_length = 0;
}

/* Room for `need` bytes: doubling, so that a client pays with bytes for the memory that it takes from us. (What lies
 * behind the bytes received is not counted: the system gives memory to it when it is written to.) */
static int grow_body(struct request *request, size_t need)
{
    const struct options *options = request->exchange.options;
    size_t capacity = request->body_capacity > 0 ? request->body_capacity : FIRST_BODY;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : 2 * capacity;
    if (capacity > options->max_body && need <= options->max_body) capacity = options->max_body;
    char *body = realloc(request->body, capacity);
    if (body == NULL) return error_set(&request->body_fault, CODE_OUT_OF_MEMORY, "Out of memory for the body.");
    request->body = body;
    request->body_capacity = capacity;
    return CODE_OK;
}

void request_take_body(struct request *request, const char *piece, size_t length)
{
    if (request->body_fault.code != CODE_OK) return;
    size_t max = request->exchange.options->max_body;
    size_t have = request->exchange.body_length;
    if (length > max - have)
        error_set(&request->body_fault, CODE_BODY_TOO_LARGE, "The body is larger than %zu bytes.", max);
    else if (!count_body(request, have + length))
        error_set(&request->body_fault, CODE_OVERLOADED,
                  "The bodies of other requests take all the memory there is for them; try again.");
    else if (have + length > request->body_capacity)
        grow_body(request, have + length);
    if (request->body_fault.code != CODE_OK) {
        refuse_body(request);
        return;
    }
    memcpy(request->body + have, piece, length);
    request->exchange.body = request->body;
    request->exchange.body_length = have + length;
}
