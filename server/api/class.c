#include "server/api/class.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/parallel.h"
#include "server/api/check_query.h"
#include "server/api/class_line.h"
#include "server/api/read_body.h"
#include "server/http/stream.h"
#include "server/limits.h"

/* Lines that are judged side by side before their answers are sent, and about so many bytes of these. */
enum { LINES_AT_ONCE = 1024 };
#define ANSWERS_AT_ONCE ((size_t)1 << 20)

/* How long a worker is at one class before others have a turn. */
#define SECONDS_OF_A_TURN 0.1

/* Operations that a byte of a line is taken for, before anybody has looked at it. */
#define WORK_PER_BYTE 20.0

struct class_slot {
    struct ndjson_line line;
    const char *answer; /* NULL: there was no memory for it */
    size_t length;
    bool cancelled; /* it was given up */
};

struct class_state {
    struct exchange *exchange;
    struct class_common common;
    const char *at, *end; /* what is still to be read of the body, behind the slots */
    size_t number;        /* of the last line that was read */
    struct class_worker *workers;
    unsigned worker_count;
    struct class_slot *slots; /* lines that were read: */
    size_t slot_count, kept;  /* so many, and so many of them are answered */
    double until;             /* clock_seconds(): no line is begun after that */
    atomic_size_t taken;      /* slots: somebody judges them, or has */
    atomic_size_t written;    /* bytes of answers */
    char *pending;            /* what waits for the client: malloc'ed */
    size_t pending_room, pending_length, pending_sent;
    bool over;            /* nothing comes behind it */
    bool short_of_memory; /* and there was no room to say so */
};

bool api_class_is(const struct exchange *exchange)
{
    return exchange->media_type != NULL && strcmp(exchange->media_type, NDJSON_MEDIA_TYPE) == 0;
}

static void dispose(void *context)
{
    struct class_state *state = context;
    if (state == NULL) return;
    for (unsigned i = 0; i < state->worker_count; i++)
        class_worker_end(&state->workers[i]);
    memory_give(state->pending_room);
    free(state->pending);
}

/* What a check may be asked for, but for what is about the one answer of a request. */
static int check_query(struct exchange *exchange, struct error *error)
{
    struct check_query query;
    if (check_query_read(exchange, &query, error) != CODE_OK) return error->code;
    if (query.format != formats && exchange_query(exchange, "format") != NULL)
        return error_set(error, CODE_QUERY_OUT_OF_RANGE,
                         "a body of many lines is answered in lines of JSON: format is %s", query.format->name);
    if (!query.strict) return CODE_OK;
    return error_set(error, CODE_QUERY_OUT_OF_RANGE,
                     "strict is about the one answer of a request: of many lines each says whether it passed");
}

int api_class_measure(struct exchange *exchange, struct load *load, struct error *error)
{
    struct class_state *state = arena_zeroed(&exchange->arena, 1, sizeof *state);
    if (state == NULL) return error_out_of_memory(error);
    state->exchange = exchange;
    exchange->state = state;
    load->waits = true; /* it is answered while it is worked on, which is a worker's */
    load->work = WORK_PER_BYTE * (double)exchange->body_length;
    return check_query(exchange, error);
}

/* ---- the beginning ---- */

/* A first line {"common": {...}}. */
static int read_first(struct class_state *state, struct error *error)
{
    struct ndjson_member members[NDJSON_MEMBERS_MAX];
    struct ndjson_line line;
    size_t count;
    const char *at = state->at;
    size_t number = 0;
    if (!ndjson_next(&at, state->end, &number, &line))
        return error_set(error, CODE_MALFORMED_JSON, "The body has no lines: each is to be a check, as a JSON object.");
    if (!ndjson_members(line.text, line.length, members, &count)) return CODE_OK; /* the line says so itself */
    const struct ndjson_member *common = ndjson_find(members, count, CLASS_COMMON);
    if (common == NULL) return CODE_OK;
    if (count > 1)
        return error_set(error, CODE_UNKNOWN_MEMBER, "the line with common holds nothing else: the others follow it");
    state->at = at;
    state->number = number;
    return class_read_common(common->value, common->value_length, &state->common, error);
}

static int begin(struct class_state *state, struct error *error)
{
    struct exchange *exchange = state->exchange;
    static const char mark[] = "\xEF\xBB\xBF"; /* what some editors put before a file */
    const char *bytes;
    size_t length;
    if (read_body_bytes(exchange, &bytes, &length, error) != CODE_OK) return error->code;
    state->at = bytes != NULL ? bytes : "";
    state->end = state->at + length;
    if (length >= sizeof mark - 1 && memcmp(state->at, mark, sizeof mark - 1) == 0) state->at += sizeof mark - 1;
    if (read_first(state, error) != CODE_OK) return error->code;
    state->worker_count = exchange->options->threads > 0 ? exchange->options->threads : 1;
    state->workers = arena_zeroed(&exchange->arena, state->worker_count, sizeof *state->workers);
    state->slots = arena_array(&exchange->arena, LINES_AT_ONCE, sizeof *state->slots);
    if (state->workers == NULL || state->slots == NULL) return error_out_of_memory(error);
    exchange->dispose = dispose;
    /* The others begin when there is a line for them. */
    int code = class_worker_begin(&state->workers[0], exchange, &state->common, NULL, error);
    if (code != CODE_OK) return code;
    exchange->status = 200;
    exchange->content_type = NDJSON_MEDIA_TYPE;
    exchange_answer_header(exchange, "Cache-Control", "no-store");
    return CODE_OK;
}

/* The next line that has no answer yet, if there is one. */
static bool find_next(const struct class_state *state, struct ndjson_line *line)
{
    const char *at = state->at;
    size_t number = state->number;
    if (state->kept == state->slot_count) return ndjson_next(&at, state->end, &number, line);
    *line = state->slots[state->kept].line;
    return true;
}

/* ---- many lines ---- */

/* Whether one more line is to be judged before the answers are sent. */
static bool may_go_on(struct class_state *state)
{
    return atomic_load(&state->taken) < state->slot_count && atomic_load(&state->written) < ANSWERS_AT_ONCE &&
           !atomic_load(&state->exchange->cancelled) && clock_seconds() < state->until;
}

/* One that there was no memory for leaves the lines to the others. */
static bool is_ready(struct class_state *state, struct class_worker *worker)
{
    struct error error = {0};
    if (worker->exchange == NULL)
        class_worker_begin(worker, state->exchange, &state->common, &state->workers[0], &error);
    return worker->ready;
}

static void judge_some(void *context, size_t part)
{
    struct class_state *state = context;
    struct class_worker *worker = &state->workers[part];
    if (!may_go_on(state) || !is_ready(state, worker)) return;
    while (may_go_on(state)) {
        size_t i = atomic_fetch_add(&state->taken, 1);
        if (i >= state->slot_count) return;
        struct class_slot *slot = &state->slots[i];
        slot->answer = class_worker_judge(worker, &slot->line, &slot->length, &slot->cancelled);
        atomic_fetch_add(&state->written, slot->length);
    }
}

/* Adds to what waits for the client. */
static bool keep(struct class_state *state, const char *bytes, size_t length)
{
    size_t need = state->pending_length + length;
    if (need > state->pending_room) {
        size_t room = need + need / 2;
        if (!memory_take(room - state->pending_room)) return false;
        char *larger = realloc(state->pending, room);
        if (larger == NULL) {
            memory_give(room - state->pending_room);
            return false;
        }
        state->pending = larger;
        state->pending_room = room;
    }
    memcpy(state->pending + state->pending_length, bytes, length);
    state->pending_length = need;
    return true;
}

/* A problem that needs no memory but that. */
static bool keep_problem(struct class_state *state, size_t number, const char *code, const char *detail)
{
    char text[240];
    int n = snprintf(text, sizeof text,
                     "{\"line\":%zu,\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
                     "\"code\":\"%s\",\"detail\":\"%s\"}\n",
                     number, code, detail);
    return keep(state, text, (size_t)n);
}

/* The answers of the lines that were judged, in order, up to the first one that was given up; whether there was room
 * for them. */
static bool keep_answers(struct class_state *state)
{
    size_t judged = atomic_load(&state->taken);
    bool good = true, overdue = false;
    if (judged > state->slot_count) judged = state->slot_count;
    while (good && !overdue && state->kept < judged) {
        const struct class_slot *slot = &state->slots[state->kept];
        /* The one that took longer than a check may says so itself. */
        overdue = slot->cancelled && atomic_load(&state->exchange->overdue);
        if (slot->cancelled && !overdue) break;
        good = slot->answer != NULL ? keep(state, slot->answer, slot->length)
                                    : keep_problem(state, slot->line.number, "out_of_memory", "Out of memory.");
        state->kept++;
    }
    return good;
}

/* What was not judged before all was given up is told once, as of the first such line. */
static bool keep_end(struct class_state *state)
{
    struct ndjson_line line;
    return !find_next(state, &line) ||
           keep_problem(state, line.number, "cancelled", "From this line on nothing was judged.");
}

static void read_slots(struct class_state *state)
{
    state->slot_count = state->kept = 0;
    while (state->slot_count < LINES_AT_ONCE &&
           ndjson_next(&state->at, state->end, &state->number, &state->slots[state->slot_count].line))
        state->slot_count++;
}

/* The next lines, in order, for as much as is to be sent at once. */
static void judge_next(struct class_state *state)
{
    if (state->kept == state->slot_count) read_slots(state);
    size_t left = state->slot_count - state->kept;
    atomic_store(&state->taken, state->kept);
    atomic_store(&state->written, 0);
    parallel_run(left < state->worker_count ? left : state->worker_count, judge_some, state);
    bool cancelled = atomic_load(&state->exchange->cancelled);
    bool good = keep_answers(state) && (!cancelled || keep_end(state));
    /* Now they are in what waits for the client, who may take long. */
    for (unsigned i = 0; i < state->worker_count; i++)
        class_worker_rest(&state->workers[i]);
    state->over = left == 0 || cancelled || !good;
    state->short_of_memory = !good;
}

static const char last_resort[] =
    "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
    "\"code\":\"out_of_memory\",\"detail\":\"Out of memory: nothing behind the line before "
    "was judged.\"}\n";

/* Sends what waits, and judges more, until the client has enough for now or others are to have a turn. */
static int go_on(struct exchange *exchange, struct error *error)
{
    struct class_state *state = exchange->state;
    state->until = clock_seconds() + SECONDS_OF_A_TURN;
    (void)error;
    for (;;) {
        state->pending_sent +=
            stream_offer(exchange, state->pending + state->pending_sent, state->pending_length - state->pending_sent);
        if (state->pending_sent < state->pending_length) break;
        state->pending_sent = state->pending_length = 0;
        if (state->over) {
            stream_end(exchange, last_resort, state->short_of_memory ? sizeof last_resort - 1 : 0);
            return CODE_OK;
        }
        if (clock_seconds() > state->until) break;
        judge_next(state);
    }
    exchange->rest = go_on;
    return CODE_OK;
}

int api_class_run(struct exchange *exchange, struct error *error)
{
    struct class_state *state = exchange->state;
    int code = begin(state, error);
    if (code != CODE_OK) return code;
    text_init(&exchange->answer, &exchange->arena);
    struct ndjson_line line;
    if (!find_next(state, &line)) return CODE_OK; /* and no answers */
    return stream_begin(exchange) ? go_on(exchange, error) : error_out_of_memory(error);
}
