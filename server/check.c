#include "server/check.h"

#include <math.h>
#include <string.h>
#include <strings.h>

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
    bool strict, measured, graded, diagnosed;
    struct report report;       /* once graded */
    struct diagnosis diagnosis; /* once diagnosed */
    double begun, read_seconds, diagnose_seconds;
};

/* ---- what is asked for ---- */

/* The quality, in thousandths, that a range of an Accept header gives itself behind its type; 1000 where it says
 * nothing. */
static int quality_of(const char *at, const char *end)
{
    while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
        at += 1 + strspn(at + 1, " \t");
        if (end - at < 3 || (*at | 0x20) != 'q' || at[1] != '=') continue;
        int quality = at[2] == '0' ? 0 : 1000;
        if (quality > 0 || end - at < 4 || at[3] != '.') return quality;
        at += 4;
        for (int unit = 100; unit > 0 && at < end && *at >= '0' && *at <= '9'; unit /= 10)
            quality += unit * (*at++ - '0');
        return quality;
    }
    return 1000;
}

/* The quality of one of our types: of the range that fits it most closely, the first of these. -1 where none does. */
static int quality_for(const char *accept, const char *const ranges[3])
{
    int quality[3] = {-1, -1, -1};
    while (*accept != '\0') {
        accept += strspn(accept, " \t,");
        const char *end = accept + strcspn(accept, ",");
        size_t length = strcspn(accept, " \t,;");
        for (int i = 0; i < 3; i++)
            if (length == strlen(ranges[i]) && strncasecmp(accept, ranges[i], length) == 0)
                quality[i] = quality_of(accept, end);
        accept = end;
    }
    return quality[0] >= 0 ? quality[0] : quality[1] >= 0 ? quality[1] : quality[2];
}

bool check_prefers_text(const char *accept)
{
    static const char *const text[] = {"text/plain", "text/*", "*/*"};
    static const char *const json[] = {"application/json", "application/*", "*/*"};
    int quality = quality_for(accept, text);
    return quality > 0 && quality > quality_for(accept, json);
}

/* ?format= decides, then Accept; what asks for nothing that we have gets JSON. */
static int read_format(const struct exchange *exchange, enum format *format, struct error *error)
{
    const char *name = exchange_query(exchange, "format");
    *format = FORMAT_JSON;
    if (name == NULL) {
        const char *accept = exchange_header(exchange, "Accept");
        if (accept != NULL && check_prefers_text(accept)) *format = FORMAT_TEXT;
        return CODE_OK;
    }
    for (int i = 0; check_formats[i] != NULL; i++)
        if (strcmp(name, check_formats[i]) == 0) {
            *format = (enum format)i;
            return CODE_OK;
        }
    return error_set(error, CODE_QUERY_OUT_OF_RANGE, "format is %.*s, it must be one of: json, text", LIMIT_NAME,
                     name[0] != '\0' ? name : "empty");
}

static int read_strict(const struct exchange *exchange, bool *strict, struct error *error)
{
    const char *value = exchange_query(exchange, "strict");
    *strict = value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || value[0] == '\0');
    if (value == NULL || *strict || strcmp(value, "0") == 0 || strcmp(value, "false") == 0) return CODE_OK;
    return error_set(error, CODE_QUERY_OUT_OF_RANGE, "strict is %.*s, it must be 1 or 0", LIMIT_NAME, value);
}

/* From the body to a request whose work is known. */
static int measure(struct exchange *exchange, struct check_state *state, struct error *error)
{
    double begun = exchange_clock();
    int code = read_format(exchange, &state->format, error);
    if (code == CODE_OK) code = read_strict(exchange, &state->strict, error);
    if (code == CODE_OK)
        code = document_read(&exchange->arena, exchange->body, exchange->body_length, &exchange->cancelled,
                             &state->request.document, error);
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

static void add_timing(struct exchange *exchange, const struct check_state *state, double write)
{
    struct text text;
    text_init(&text, &exchange->arena);
    add_duration(&text, "read", state->read_seconds);
    add_duration(&text, "pass", state->report.pass_seconds);
    add_duration(&text, "compare", state->report.compare_seconds);
    add_duration(&text, "diagnose", state->diagnose_seconds);
    add_duration(&text, "write", write);
    if (state->report.verified) add_duration(&text, "verify", state->report.verify_seconds);
    text_bytes(&text, "", 1);
    /* The answer is worth more than its timing: without memory it goes out without. */
    if (!text.failed) exchange_answer_header(exchange, "Server-Timing", text.data);
}

/* The deadline, and not the client that left: trying again would not help. */
static int explain_cancelled(const struct check_state *state, int code, struct error *error)
{
    if (code != CODE_CANCELLED || exchange_clock() - state->begun < LIMIT_WORK_SECONDS / 2.0) return code;
    *error = (struct error){0};
    return error_set(error, CODE_TOO_MUCH_WORK, "this check takes longer than %d seconds", LIMIT_WORK_SECONDS);
}

/* The tensors, and the report. */
static int grade(struct exchange *exchange, struct check_state *state, struct error *error)
{
    state->begun = exchange_clock();
    int code = check_request_read(&exchange->arena, &state->request, error);
    if (code != CODE_OK) return code;
    state->request.check.cancelled = &exchange->cancelled;
    state->read_seconds += exchange_clock() - state->begun;
    code = check_run(&exchange->arena, &state->request.check, &state->report, error);
    state->graded = code == CODE_OK;
    return explain_cancelled(state, code, error);
}

/* What went wrong, where something did. On a connection's thread there is time for the easy ones only. */
static int diagnose(struct exchange *exchange, struct check_state *state, bool heavy, struct error *error)
{
    double begun = exchange_clock();
    state->diagnosed = state->request.diagnose && !state->report.passed;
    if (!state->diagnosed) return CODE_OK;
    double seconds = !state->request.search ? 0 : heavy ? DIAGNOSE_SECONDS : LIMIT_LIGHT_DIAGNOSIS;
    int code = diagnose_run(&exchange->arena, &state->request.check, &state->report, seconds, &state->diagnosis, error);
    state->diagnose_seconds += exchange_clock() - begun;
    return explain_cancelled(state, code, error);
}

static int answer(struct exchange *exchange, struct check_state *state, struct error *error)
{
    double begun = exchange_clock();
    const struct check *check = &state->request.check;
    const struct diagnosis *diagnosis = state->diagnosed ? &state->diagnosis : NULL;
    text_init(&exchange->answer, &exchange->arena);
    if (state->format == FORMAT_TEXT)
        check_report_text(&exchange->answer, check, &state->report, diagnosis);
    else
        check_report_json(&exchange->answer, check, &state->report, diagnosis);
    if (exchange->answer.failed) return error_set(error, CODE_OUT_OF_MEMORY, "out of memory");
    exchange->status = state->strict && !state->report.passed ? STATUS_NOT_PASSED : 200;
    exchange->content_type = format_types[state->format];
    add_timing(exchange, state, exchange_clock() - begun);
    metrics_check(state->report.passed);
    for (size_t i = 0; diagnosis != NULL && i < diagnosis->count; i++)
        metrics_mistake(diagnosis->found[i].mistake);
    return CODE_OK;
}

enum outcome check_handle(struct exchange *exchange, bool heavy)
{
    struct error error = {0};
    struct check_state *state = exchange->state;
    if (state == NULL) exchange->state = state = arena_zeroed(&exchange->arena, 1, sizeof *state);
    if (state == NULL) {
        error_set(&error, CODE_OUT_OF_MEMORY, "out of memory");
        problem_answer(exchange, &error);
        return OUTCOME_ANSWERED;
    }
    bool fresh = !state->measured;
    int code = fresh ? measure(exchange, state, &error) : CODE_OK;
    exchange->work = state->request.work;
    /* Off to the workers; or, from one that is kept free of long work, to another. */
    if (code == CODE_OK && !heavy && exchange->work > LIMIT_LIGHT_WORK) return OUTCOME_HEAVY;
    if (code == CODE_OK && heavy && fresh && exchange->work > LIMIT_LONG_WORK) return OUTCOME_HEAVY;
    if (code == CODE_OK && !state->graded) code = grade(exchange, state, &error);
    if (code == CODE_OK) code = diagnose(exchange, state, heavy, &error);
    bool unfinished = state->diagnosed && state->request.search && state->diagnosis.stopped;
    if (code == CODE_OK && !heavy && unfinished) return OUTCOME_HEAVY;
    if (code == CODE_OK) code = answer(exchange, state, &error);
    if (code != CODE_OK) problem_answer(exchange, &error);
    return OUTCOME_ANSWERED;
}
