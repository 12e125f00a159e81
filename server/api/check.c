#include "server/api/check.h"

#include "core/base/clock.h"
#include "server/api/check_query.h"
#include "server/api/class.h"
#include "server/api/read_body.h"
#include "server/api/reveal.h"
#include "server/body/body.h"
#include "server/body/ndjson.h"
#include "server/report/nearest.h"
#include "server/task/judged.h"
#include "server/task/device.h"
#include "server/limits.h"
#include "server/counters.h"
#include "server/http/problem.h"
#include "server/http/timing.h"

/* What ?strict=1 answers when the check did not pass. */
enum { STATUS_NOT_PASSED = 422 };

/* From measure to run, and to what that leaves. */
struct check_state {
    struct judged judged;
    struct check_query query;
};

/* ---- what is asked for ---- */

const char *api_check_media_type(size_t i)
{
    size_t count = 0;
    while (body_media_type(count) != NULL)
        count++;
    return i < count ? body_media_type(i) : i == count ? NDJSON_MEDIA_TYPE : NULL;
}

int api_check_measure(struct exchange *exchange, struct load *load, struct error *error)
{
    if (api_class_is(exchange)) return api_class_measure(exchange, load, error);
    double begun = clock_seconds();
    struct check_state *state = arena_zeroed(&exchange->arena, 1, sizeof *state);
    if (state == NULL) return error_out_of_memory(error);
    exchange->state = state;
    int code = check_query_read(exchange, &state->query, error);
    if (code == CODE_OK) code = read_body(exchange, &state->judged.request.document, error);
    state->judged.request.brief = !exchange->on_worker;
    if (code == CODE_OK) code = check_task_measure(&exchange->arena, exchange->options, &state->judged.request, error);
    exchange->line = state->judged.request.document.line;
    exchange->column = state->judged.request.document.column;
    load->later = code == CODE_OK && state->judged.request.brief;
    if (load->later) return CODE_OK;
    if (code == CODE_OK) code = reveal_check(exchange, &state->judged.request, error);
    load->work = state->judged.request.work;
    const struct device *device = device_asked(state->judged.request.device);
    load->waits = device != NULL && device->waits;
    state->judged.read_seconds = clock_seconds() - begun;
    return code;
}

/* ---- the work ---- */

static void add_timing(struct exchange *exchange, const struct check_state *state, double write)
{
    struct text text;
    text_init(&text, &exchange->arena);
    timing_add(&text, "read", state->judged.read_seconds);
    timing_add(&text, "pass", state->judged.report.pass_seconds);
    timing_add(&text, "compare", state->judged.report.compare_seconds);
    timing_add(&text, "diagnose", state->judged.diagnose_seconds);
    if (state->judged.request.trace) timing_add(&text, "trace", state->judged.trace_seconds);
    timing_add(&text, "write", write);
    if (state->judged.report.verify_seconds > 0) timing_add(&text, "verify", state->judged.report.verify_seconds);
    timing_answer(exchange, &text);
}

static int answer(struct exchange *exchange, struct check_state *state, struct error *error)
{
    struct judged *judged = &state->judged;
    if (judged_trace(&exchange->arena, judged, error) != CODE_OK) return error->code;
    double begun = clock_seconds();
    if (!nearest_find(&exchange->arena, &judged->request.check, &judged->report)) return error_out_of_memory(error);
    const struct diagnosis *diagnosis = judged->diagnosed ? &judged->diagnosis : NULL;
    text_init(&exchange->answer, &exchange->arena);
    formats_write(state->query.format, state->query.options, &exchange->answer, &judged->request.check, &judged->report,
                  diagnosis);
    if (exchange->answer.failed) return error_out_of_memory(error);
    exchange->status = state->query.strict && !judged->report.passed ? STATUS_NOT_PASSED : 200;
    exchange->content_type = state->query.format->media_type;
    add_timing(exchange, state, clock_seconds() - begun);
    counters_check(judged->report.passed);
    for (size_t i = 0; diagnosis != NULL && i < diagnosis->count; i++)
        counters_mistake(diagnosis->found[i].mistake);
    return CODE_OK;
}

/* A worker's part of a check that was light but for its diagnosis: the search begins anew, with time. */
static int search_on(struct exchange *exchange, struct error *error)
{
    struct check_state *state = exchange->state;
    int code = judged_diagnose(&exchange->arena, &state->judged, DIAGNOSE_SECONDS, error);
    return code == CODE_OK ? answer(exchange, state, error) : code;
}

static int compute(struct exchange *exchange, struct check_state *state, double seconds, struct error *error)
{
    int code = judged_compute(&exchange->arena, &state->judged, seconds, error);
    exchange->again = exchange->again || state->judged.again;
    return code;
}

/* A worker's part of a check that was light but for the second look at its numbers. */
static int compute_on(struct exchange *exchange, struct error *error)
{
    struct check_state *state = exchange->state;
    state->judged.request.check.brief = false;
    int code = compute(exchange, state, DIAGNOSE_SECONDS, error);
    return code == CODE_OK ? answer(exchange, state, error) : code;
}

int api_check_run(struct exchange *exchange, struct error *error)
{
    if (api_class_is(exchange)) return api_class_run(exchange, error);
    struct check_state *state = exchange->state;
    struct judged *judged = &state->judged;
    /* On a connection's thread there is time for the easy ones only. */
    double seconds = exchange->on_worker ? DIAGNOSE_SECONDS : LIMIT_LIGHT_DIAGNOSIS;
    int code = judged_read(&exchange->arena, judged, &exchange->cancelled, error);
    judged->request.check.brief = !exchange->on_worker;
    judged->request.check.mark = state->query.format->marks;
    if (code == CODE_OK) code = compute(exchange, state, seconds, error);
    if (code != CODE_OK) return code;
    if (judged->report.postponed)
        exchange->rest = compute_on;
    else if (!exchange->on_worker && judged->diagnosed && judged->request.search && judged->diagnosis.stopped)
        exchange->rest = search_on;
    return exchange->rest != NULL ? CODE_OK : answer(exchange, state, error);
}
