#include "server/http/request.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "server/http/connections.h"
#include "server/http/held.h"
#include "server/limits.h"

enum { SPARE_MAX = 64, FIRST_BODY = 4096 };

static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *spare;
static size_t spare_count;

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
        arena_init(&request->exchange.arena, options_request_memory(options));
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

void request_hold_answer(struct request *request)
{
    request->answer_counted = request->exchange.arena.held;
    held_add_answer(request->answer_counted);
}

/* A light body has never held anything: it need not take the lock. */
static void drop_held(struct request *request)
{
    if (request->held.until > 0) held_drop_body(&request->held);
}

static void free_body(struct request *request)
{
    memory_give(request->body_capacity);
    free(request->body);
    request->body = NULL;
    request->body_capacity = 0;
}

void request_free(struct request *request)
{
    drop_held(request);
    held_drop_answer(request->answer_counted);
    if (request->body_capacity > LIMIT_LIGHT_BODY) free_body(request);
    free(request->stream.bytes);
    if (request->exchange.dispose != NULL) request->exchange.dispose(request->exchange.state);
    arena_reset(&request->exchange.arena);
    if (keep_spare(request)) return;
    arena_free(&request->exchange.arena);
    free_body(request);
    free(request);
}

void request_free_spare(void)
{
    struct request *request;
    while ((request = take_spare()) != NULL) {
        arena_free(&request->exchange.arena);
        free_body(request);
        free(request);
    }
}

/* Counts a body that grows to that length among those in flight, unless it is small. */
static bool count_body(struct request *request, size_t length)
{
    if (length <= LIMIT_LIGHT_BODY) return true;
    return held_grow_body(&request->held, connections_socket(request->connection), length);
}

/* Drops the body and what it held. */
static void refuse_body(struct request *request)
{
    drop_held(request);
    free_body(request);
    request->exchange.body = NULL;
    request->exchange.body_length = 0;
}

/* Room for `need` bytes: by a half more each time, so that a client pays with bytes for the memory that it takes from
 * us.
 */
static int grow_body(struct request *request, size_t need)
{
    const struct options *options = request->exchange.options;
    size_t capacity = request->body_capacity > 0 ? request->body_capacity : FIRST_BODY;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity + capacity / 2 + 1;
    if (capacity > options->max_body && need <= options->max_body) capacity = options->max_body;
    size_t more = capacity - request->body_capacity;
    bool taken = memory_take(more);
    char *body = taken ? realloc(request->body, capacity) : NULL;
    if (taken && body == NULL) memory_give(more);
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

void request_end_body(struct request *request)
{
    if (request->held.until > 0) held_end_body(&request->held);
}
