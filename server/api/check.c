#include "server/api/check.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/backward/backward.h"
#include "core/diagnosis/carry.h"
#include "core/trace/trace.h"
#include "server/api/read_body.h"
#include "server/api/reveal.h"
#include "server/http/media_type.h"
#include "server/report/formats.h"
#include "server/report/nearest.h"
#include "server/task/check_task.h"
#include "server/task/device.h"
#include "server/limits.h"
#include "server/counters.h"
#include "server/http/problem.h"
#include "server/http/timing.h"

/* What ?strict=1 answers when the check did not pass. */
enum { STATUS_NOT_PASSED = 422 };

/* From measure to run, and to what that leaves. */
struct check_state {
    struct check_task request;
    const struct format *format;
    bool strict;
    bool diagnosed; /* there is a diagnosis, or part of one */
    struct report report;
    struct diagnosis diagnosis;
    struct trace trace;
    struct backward backward; /* where the request has code in place of gradients */
    double read_seconds, diagnose_seconds, trace_seconds;
};

/* ---- what is asked for ---- */

/* "json, text" */
static void list_formats(struct text *list)
{
    for (const struct format *f = formats; f->name != NULL; f++) {
        if (f != formats) text_add(list, ", ");
        text_add(list, f->name);
    }
}

static int unknown_format(struct exchange *exchange, const char *name, struct error *error)
{
    struct text known;
    text_init(&known, &exchange->arena);
    list_formats(&known);
    if (known.failed) return error_out_of_memory(error);
    return error_set(error, CODE_QUERY_OUT_OF_RANGE, "format is %.*s, it must be one of: %.*s", LIMIT_NAME,
                     name[0] != '\0' ? name : "empty", (int)known.length, known.data);
}

/* ?format= decides, then Accept; what asks for nothing that we have gets the usual one. */
static int read_format(struct exchange *exchange, const struct format **format, struct error *error)
{
    const char *name = exchange_query(exchange, "format");
    const char *accept = exchange_header(exchange, "Accept");
    *format = name != NULL ? formats_find(name) : formats;
    for (const struct format *f = formats; name == NULL && accept != NULL && f->name != NULL; f++)
        if (media_type_prefers(accept, f->media_type, (*format)->media_type)) *format = f;
    return *format != NULL ? CODE_OK : unknown_format(exchange, name, error);
}

static int read_strict(const struct exchange *exchange, bool *strict, struct error *error)
{
    const char *value = exchange_query(exchange, "strict");
    *strict = value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || value[0] == '\0');
    if (value == NULL || *strict || strcmp(value, "0") == 0 || strcmp(value, "false") == 0) return CODE_OK;
    return error_set(error, CODE_QUERY_OUT_OF_RANGE, "strict is %.*s, it must be 1 or 0", LIMIT_NAME, value);
}

/* A trace holds the reference, too; and central differences are it but for a few digits. */
static int check_reveal(const struct exchange *exchange, const struct check_task *request, struct error *error)
{
    if (request->check.reveal) return reveal_allowed(exchange, "reveal", error);
    if (request->trace) return reveal_allowed(exchange, "trace", error);
    return request->check.numeric ? reveal_allowed(exchange, "numeric", error) : CODE_OK;
}

int api_check_measure(struct exchange *exchange, struct load *load, struct error *error)
{
    double begun = clock_seconds();
    struct check_state *state = arena_zeroed(&exchange->arena, 1, sizeof *state);
    if (state == NULL) return error_out_of_memory(error);
    exchange->state = state;
    int code = read_format(exchange, &state->format, error);
    if (code == CODE_OK) code = read_strict(exchange, &state->strict, error);
    if (code == CODE_OK) code = read_body(exchange, &state->request.document, error);
    state->request.brief = !exchange->on_worker;
    if (code == CODE_OK) code = check_task_measure(&exchange->arena, exchange->options, &state->request, error);
    exchange->line = state->request.document.line;
    exchange->column = state->request.document.column;
    load->later = code == CODE_OK && state->request.brief;
    if (load->later) return CODE_OK;
    if (code == CODE_OK) code = check_reveal(exchange, &state->request, error);
    load->work = state->request.work;
    const struct device *device = device_asked(state->request.device);
    load->waits = device != NULL && device->waits;
    state->read_seconds = clock_seconds() - begun;
    return code;
}

/* ---- the work ---- */

static void add_timing(struct exchange *exchange, const struct check_state *state, double write)
{
    struct text text;
    text_init(&text, &exchange->arena);
    timing_add(&text, "read", state->read_seconds);
    timing_add(&text, "pass", state->report.pass_seconds);
    timing_add(&text, "compare", state->report.compare_seconds);
    timing_add(&text, "diagnose", state->diagnose_seconds);
    if (state->request.trace) timing_add(&text, "trace", state->trace_seconds);
    timing_add(&text, "write", write);
    if (state->report.verify_seconds > 0) timing_add(&text, "verify", state->report.verify_seconds);
    timing_answer(exchange, &text);
}

/* What went wrong, where something did; the search takes that many seconds at most. */
static int diagnose(struct exchange *exchange, struct check_state *state, double seconds, struct error *error)
{
    double begun = clock_seconds();
    /* Of code each line is judged. */
    state->diagnosed = state->request.diagnose && !state->report.passed && state->request.backward.text == NULL;
    if (!state->diagnosed) return CODE_OK;
    if (!state->request.search) seconds = 0;
    int code = diagnose_run(&exchange->arena, &state->request.check, &state->report, seconds, &state->diagnosis, error);
    if (code == CODE_OK) carry_marks(&state->request.check, &state->diagnosis, &state->report);
    state->diagnose_seconds += clock_seconds() - begun;
    return code;
}

static int read_tensors(struct exchange *exchange, struct check_state *state, struct error *error)
{
    double begun = clock_seconds();
    state->request.check.problem.cancelled = &exchange->cancelled;
    int code = check_task_read(&exchange->arena, &state->request, error);
    state->read_seconds += clock_seconds() - begun;
    return code;
}

/* What a student's code comes to, as what is handed in. */
static int evaluate_code(struct exchange *exchange, struct check_state *state, struct error *error)
{
    struct check_task *request = &state->request;
    struct pass pass = {0};
    double begun = clock_seconds();
    if (request->backward.text == NULL) return CODE_OK;
    int code = problem_run(&exchange->arena, &request->check.problem, backend_cpu(DTYPE_FLOAT64), &pass, error);
    if (code == CODE_OK)
        code = backward_run(&exchange->arena, &request->check, &pass, &request->backward, BACKWARD_SECONDS,
                            &state->backward, error);
    request->check.gradients = state->backward.gradients;
    state->diagnose_seconds += clock_seconds() - begun;
    return code;
}

static int judge_code(struct exchange *exchange, struct check_state *state, struct error *error)
{
    if (state->request.backward.text == NULL) return CODE_OK;
    state->report.backward = &state->backward;
    return backward_judge(&exchange->arena, &state->request.check, &state->backward, &state->report, error);
}

/* The report and what it comes from: where a device fails, both anew on the CPU. */
static int compute(struct exchange *exchange, struct check_state *state, double seconds, struct error *error)
{
    struct check *check = &state->request.check;
    for (;;) {
        int code = check_run(&exchange->arena, check, &state->report, error);
        if (code == CODE_OK && !state->report.postponed) code = diagnose(exchange, state, seconds, error);
        if (code == CODE_OK && !state->report.postponed) code = judge_code(exchange, state, error);
        const struct backend *instead = device_instead(check->problem.backend, state->request.device, code);
        if (instead == NULL) return code;
        check->problem.backend = instead;
        exchange->again = true;
        *error = (struct error){0};
    }
}

static int trace(struct exchange *exchange, struct check_state *state, struct error *error)
{
    double begun = clock_seconds();
    if (!state->request.trace) return CODE_OK;
    state->report.trace = &state->trace;
    int code = trace_run(&exchange->arena, &state->request.check.problem, &state->trace, error);
    state->trace_seconds = clock_seconds() - begun;
    return code;
}

static int answer(struct exchange *exchange, struct check_state *state, struct error *error)
{
    if (trace(exchange, state, error) != CODE_OK) return error->code;
    double begun = clock_seconds();
    const struct diagnosis *diagnosis = state->diagnosed ? &state->diagnosis : NULL;
    if (!nearest_find(&exchange->arena, &state->request.check, &state->report)) return error_out_of_memory(error);
    text_init(&exchange->answer, &exchange->arena);
    state->format->write(&exchange->answer, &state->request.check, &state->report, diagnosis);
    if (exchange->answer.failed) return error_out_of_memory(error);
    exchange->status = state->strict && !state->report.passed ? STATUS_NOT_PASSED : 200;
    exchange->content_type = state->format->media_type;
    add_timing(exchange, state, clock_seconds() - begun);
    counters_check(state->report.passed);
    for (size_t i = 0; diagnosis != NULL && i < diagnosis->count; i++)
        counters_mistake(diagnosis->found[i].mistake);
    return CODE_OK;
}

/* A worker's part of a check that was light but for its diagnosis: the search begins anew, with time. */
static int search_on(struct exchange *exchange, struct error *error)
{
    struct check_state *state = exchange->state;
    int code = diagnose(exchange, state, DIAGNOSE_SECONDS, error);
    return code == CODE_OK ? answer(exchange, state, error) : code;
}

/* A worker's part of a check that was light but for the second look at its numbers. */
static int compute_on(struct exchange *exchange, struct error *error)
{
    struct check_state *state = exchange->state;
    state->request.check.brief = false;
    int code = compute(exchange, state, DIAGNOSE_SECONDS, error);
    return code == CODE_OK ? answer(exchange, state, error) : code;
}

int api_check_run(struct exchange *exchange, struct error *error)
{
    struct check_state *state = exchange->state;
    /* On a connection's thread there is time for the easy ones only. */
    double seconds = exchange->on_worker ? DIAGNOSE_SECONDS : LIMIT_LIGHT_DIAGNOSIS;
    int code = read_tensors(exchange, state, error);
    state->request.check.brief = !exchange->on_worker;
    if (code == CODE_OK) code = evaluate_code(exchange, state, error);
    if (code == CODE_OK) code = compute(exchange, state, seconds, error);
    if (code != CODE_OK) return code;
    if (state->report.postponed)
        exchange->rest = compute_on;
    else if (!exchange->on_worker && state->diagnosed && state->request.search && state->diagnosis.stopped)
        exchange->rest = search_on;
    return exchange->rest != NULL ? CODE_OK : answer(exchange, state, error);
}
