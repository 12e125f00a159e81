#include "server/check.h"

#include <math.h>
#include <string.h>

#include "server/check_report.h"
#include "server/check_request.h"
#include "server/limits.h"
#include "server/metrics.h"
#include "server/number.h"
#include "server/problem.h"

enum format { FORMAT_JSON, FORMAT_TEXT };

const char *const check_formats[] = {"json", "text", NULL};
static const char *const format_types[] = {"application/json", "text/plain; charset=utf-8"};

/* What ?strict=1 answers when the check did not pass. */
enum { STATUS_NOT_PASSED = 422 };

/* Kept between the light and the heavy call. */
struct check_state {
    struct check_request request;
    enum format format;
    bool strict, measured;
    double read_seconds;
};

/* ?format= decides, then Accept; what asks for nothing that we have gets JSON. */
static int read_format(const struct exchange *exchange, enum format *format, struct error *error)
{
    const char *name = exchange_query(exchange, "format");
    *format = FORMAT_JSON;
    if (name == NULL) {
        const char *accept = exchange_header(exchange, "Accept");
        const char *text = accept != NULL ? strstr(accept, "text/plain") : NULL;
        const char *json = accept != NULL ? strstr(accept, "application/json") : NULL;
        if (text != NULL && (json == NULL || text < json)) *format = FORMAT_TEXT;
        return CODE_OK;
    }
    for (int i = 0; check_formats[i] != NULL; i++)
        if (strcmp(name, check_formats[i]) == 0) {
            *format = (enum format)i;
            return CODE_OK;
        }
    return error_set(error, CODE_OUT_OF_RANGE, "format is %.*s, it must be one of: json, text", LIMIT_NAME, name);
}

static int read_strict(const struct exchange *exchange, bool *strict, struct error *error)
{
    const char *value = exchange_query(exchange, "strict");
    *strict = value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || value[0] == '\0');
    if (value == NULL || *strict || strcmp(value, "0") == 0 || strcmp(value, "false") == 0) return CODE_OK;
    return error_set(error, CODE_OUT_OF_RANGE, "strict is %.*s, it must be 1 or 0", LIMIT_NAME, value);
}

/* From the body to a request whose work is known. */
static int measure(struct exchange *exchange, struct check_state *state, struct error *error)
{
    double begun = exchange_clock();
    int code = read_format(exchange, &state->format, error);
    if (code == CODE_OK) code = read_strict(exchange, &state->strict, error);
    if (code == CODE_OK)
        code = document_read(&exchange->arena, exchange->body, exchange->body_length, &state->request.document, error);
    if (code == CODE_OK) code = check_request_measure(&exchange->arena, exchange->options, &state->request, error);
    state->measured = true;
    state->read_seconds = exchange_clock() - begun;
    return code;
}

/* "; dur=" in milliseconds, to the microsecond. */
static void add_duration(struct text *text, const char *name, double seconds)
{
    char number[NUMBER_TEXT_MAX];
    size_t length = number_write(round(seconds * 1e6) / 1e3, number);
    if (text->length > 0) text_add(text, ", ");
    text_add(text, name);
    text_add(text, ";dur=");
    text_bytes(text, number, length);
}

static void add_timing(struct exchange *exchange, double read, const struct report *report, double write)
{
    struct text text;
    text_init(&text, &exchange->arena);
    add_duration(&text, "read", read);
    add_duration(&text, "pass", report->pass_seconds);
    add_duration(&text, "compare", report->compare_seconds);
    add_duration(&text, "diagnose", 0);
    add_duration(&text, "write", write);
    if (report->verified) add_duration(&text, "verify", report->verify_seconds);
    text_bytes(&text, "", 1);
    /* The answer is worth more than its timing: without memory it goes out without. */
    if (!text.failed) exchange_answer_header(exchange, "Server-Timing", text.data);
}

static int run(struct exchange *exchange, struct check_state *state, struct error *error)
{
    double begun = exchange_clock();
    struct report report;
    int code = check_request_read(&exchange->arena, &state->request, error);
    if (code != CODE_OK) return code;
    state->request.check.cancelled = &exchange->cancelled;
    double read = exchange_clock();
    code = check_run(&exchange->arena, &state->request.check, &report, error);
    if (code == CODE_CANCELLED && exchange_clock() - begun > LIMIT_WORK_SECONDS / 2.0) {
        /* Not the client that left, but the deadline: trying again would not help. */
        *error = (struct error){0};
        return error_set(error, CODE_TOO_MUCH_WORK, "this check takes longer than %d seconds", LIMIT_WORK_SECONDS);
    }
    if (code != CODE_OK) return code;

    double computed = exchange_clock();
    text_init(&exchange->answer, &exchange->arena);
    if (state->format == FORMAT_TEXT)
        check_report_text(&exchange->answer, &state->request.check, &report);
    else
        check_report_json(&exchange->answer, &state->request.check, &report);
    if (exchange->answer.failed) return error_set(error, CODE_OUT_OF_MEMORY, "out of memory");
    exchange->status = state->strict && !report.passed ? STATUS_NOT_PASSED : 200;
    exchange->content_type = format_types[state->format];
    add_timing(exchange, state->read_seconds + read - begun, &report, exchange_clock() - computed);
    metrics_check(report.passed);
    return CODE_OK;
}

enum outcome check_handle(struct exchange *exchange, bool heavy)
{
    struct error error = {0};
    struct check_state *state = exchange->state;
    if (state == NULL) exchange->state = state = arena_zeroed(&exchange->arena, 1, sizeof *state);
    int code = CODE_OK;
    if (state == NULL)
        code = error_set(&error, CODE_OUT_OF_MEMORY, "out of memory");
    else if (!state->measured)
        code = measure(exchange, state, &error);
    if (state != NULL && code == CODE_OK) {
        if (!heavy && state->request.work > LIMIT_LIGHT_WORK) return OUTCOME_HEAVY;
        code = run(exchange, state, &error);
    }
    if (code != CODE_OK) problem_answer(exchange, &error);
    return OUTCOME_ANSWERED;
}
