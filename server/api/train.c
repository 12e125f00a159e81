#include "server/api/train.h"

#include <string.h>

#include "core/base/clock.h"
#include "server/api/read_body.h"
#include "server/http/media_type.h"
#include "server/task/device.h"
#include "server/limits.h"
#include "server/http/problem.h"
#include "server/http/stream.h"
#include "server/http/timing.h"
#include "server/report/train_json.h"

/* From measure to run. */
struct train_state {
    struct exchange *exchange;
    struct train_task request;
    struct trained trained;
    double *boundary; /* the outputs over the grid; NULL where they are not asked for */
    struct text event;
    bool streams, begun;
    size_t told; /* points of the curve, at the last event */
    double read_seconds, train_seconds;
};

int api_train_measure(struct exchange *exchange, struct load *load, struct error *error)
{
    double begun = clock_seconds();
    struct train_state *state = arena_zeroed(&exchange->arena, 1, sizeof *state);
    if (state == NULL) return error_out_of_memory(error);
    exchange->state = state;
    state->exchange = exchange;
    const char *accept = exchange_header(exchange, "Accept");
    state->streams = accept != NULL && media_type_prefers(accept, "text/event-stream", "application/json");
    int code = read_body(exchange, &state->request.document, error);
    state->request.brief = !exchange->on_worker;
    if (code == CODE_OK) code = train_task_measure(&exchange->arena, exchange->options, &state->request, error);
    exchange->line = state->request.document.line;
    exchange->column = state->request.document.column;
    load->later = code == CODE_OK && state->request.brief;
    load->work = state->request.work;
    load->waits = true; /* however short, it may stream, which is a worker's */
    state->read_seconds = clock_seconds() - begun;
    return code;
}

/* ---- the event stream ---- */

static void begin_event(struct text *text, const char *name)
{
    text->length = 0;
    text_add(text, "event: ");
    text_add(text, name);
    text_add(text, "\ndata: ");
}

static bool begin_stream(struct train_state *state)
{
    if (state->begun) return true;
    state->exchange->status = 200;
    state->exchange->content_type = "text/event-stream";
    exchange_answer_header(state->exchange, "Cache-Control", "no-store");
    state->begun = stream_begin(state->exchange);
    return state->begun;
}

/* The run goes on, also where nobody takes the events fast enough, or memory for them is short. */
static void tell_progress(void *context, const struct trained *so_far)
{
    struct train_state *state = context;
    struct exchange *exchange = state->exchange;
    if (so_far->curve.count <= state->told) return; /* a run that begins again, on the CPU */
    state->told = so_far->curve.count;
    if (!begin_stream(state)) return;
    /* What a thousand layers have to say would not fit into the stream twenty times a second. */
    for (int brief = 0; brief < 2; brief++) {
        begin_event(&state->event, "epoch");
        train_report_point(&state->event, &state->request, so_far, brief > 0);
        text_add(&state->event, "\n\n");
        if (state->event.length <= LIMIT_EVENT) break;
    }
    if (!state->event.failed) stream_write(exchange, state->event.data, state->event.length);
}

static void end_stream(struct train_state *state, const struct error *error)
{
    static const char last_resort[] = "event: error\ndata: {\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
                                      "\"status\":503,\"code\":\"out_of_memory\",\"detail\":\"Out of memory.\"}\n\n";
    struct text text;
    text_init(&text, &state->exchange->arena);
    begin_event(&text, error->code == CODE_OK ? "done" : "error");
    if (error->code == CODE_OK)
        train_report(&text, &state->request, &state->trained, state->boundary);
    else
        problem_write(&text, error);
    text_add(&text, "\n\n");
    if (text.failed)
        stream_end(state->exchange, last_resort, sizeof last_resort - 1);
    else
        stream_end(state->exchange, text.data, text.length);
}

/* ---- the run ---- */

static int draw_boundary(struct exchange *exchange, struct train_state *state, struct error *error)
{
    const struct grid *grid = &state->request.boundary;
    const struct network *network = &state->request.set.network;
    if (!grid->wanted) return CODE_OK;
    size_t n = grid->resolution, out = network_sample_size(network, network->output);
    double *points = arena_doubles(&exchange->arena, 2 * n * n);
    double *outputs = arena_array(&exchange->arena, n * n, out * sizeof *outputs);
    if (points == NULL || outputs == NULL) return error_out_of_memory(error);
    grid_fill(grid, points);
    state->boundary = outputs;
    return train_outputs(&exchange->arena, &state->request.training, state->trained.parameters, n * n, points, outputs,
                         error);
}

static int compute(struct exchange *exchange, struct train_state *state, struct error *error)
{
    int code = train_run(&exchange->arena, &state->request.training, &state->trained, error);
    return code == CODE_OK ? draw_boundary(exchange, state, error) : code;
}

static int run(struct exchange *exchange, struct train_state *state, struct error *error)
{
    double started = clock_seconds();
    struct training *training = &state->request.training;
    int code = train_task_read(&exchange->arena, &state->request, error);
    if (code != CODE_OK) return code;
    double read = clock_seconds();
    state->read_seconds += read - started;
    training->problem.cancelled = &exchange->cancelled;
    if (state->streams) {
        text_init(&state->event, &exchange->arena);
        training->progress = tell_progress;
        training->context = state;
        training->progress_seconds = LIMIT_EVENT_SECONDS;
    }
    code = compute(exchange, state, error);
    const struct backend *instead = device_instead(training->problem.backend, state->request.device, code);
    if (instead != NULL) {
        training->problem.backend = instead;
        exchange->again = true;
        *error = (struct error){0};
        code = compute(exchange, state, error);
    }
    state->train_seconds = clock_seconds() - read;
    return code;
}

static void answer(struct exchange *exchange, struct train_state *state)
{
    double begun = clock_seconds();
    text_init(&exchange->answer, &exchange->arena);
    train_report(&exchange->answer, &state->request, &state->trained, state->boundary);
    text_add(&exchange->answer, "\n");
    exchange->status = 200;
    exchange->content_type = "application/json";
    struct text timing;
    text_init(&timing, &exchange->arena);
    timing_add(&timing, "read", state->read_seconds);
    timing_add(&timing, "train", state->train_seconds);
    timing_add(&timing, "write", clock_seconds() - begun);
    timing_answer(exchange, &timing);
}

int api_train_run(struct exchange *exchange, struct error *error)
{
    struct train_state *state = exchange->state;
    int code = run(exchange, state, error);
    problem_explain_cancelled(exchange, error);
    /* A run that ended before its first point has not begun to stream yet; one that failed so gets a plain problem. */
    if (state->begun || (code == CODE_OK && state->streams && begin_stream(state))) {
        end_stream(state, error);
        return CODE_OK;
    }
    if (code == CODE_OK) answer(exchange, state);
    return error->code;
}
