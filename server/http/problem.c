#include "server/http/problem.h"

#include <stdio.h>
#include <string.h>

#include "server/http/exchange.h"
#include "server/http/route.h"
#include "server/limits.h"

struct entry {
    int status;
    const char *name;
};

/* The one table of codes. */
static const struct entry entries[CODE_END] = {
    [CODE_OK] = {200, "ok"},
    [CODE_MALFORMED_JSON] = {400, "malformed_json"},
    [CODE_MISSING_MEMBER] = {400, "missing_member"},
    [CODE_UNKNOWN_MEMBER] = {400, "unknown_member"},
    [CODE_WRONG_TYPE] = {400, "wrong_type"},
    [CODE_UNKNOWN_LAYER] = {400, "unknown_layer"},
    [CODE_UNKNOWN_LOSS] = {400, "unknown_loss"},
    [CODE_SHAPE_MISMATCH] = {400, "shape_mismatch"},
    [CODE_NOT_FINITE] = {400, "not_finite"},
    [CODE_OUT_OF_RANGE] = {400, "out_of_range"},
    [CODE_TOO_MUCH_WORK] = {422, "too_much_work"},
    [CODE_OUT_OF_MEMORY] = {503, "out_of_memory"},
    [CODE_CANCELLED] = {503, "cancelled"},
    [CODE_DEVICE] = {503, "device"},
    [CODE_BAD_REQUEST] = {400, "bad_request"},
    [CODE_QUERY_OUT_OF_RANGE] = {400, "out_of_range"},
    [CODE_NOT_FOUND] = {404, "not_found"},
    [CODE_METHOD_NOT_ALLOWED] = {405, "method_not_allowed"},
    [CODE_NOT_IMPLEMENTED] = {501, "not_implemented"},
    [CODE_LENGTH_REQUIRED] = {411, "length_required"},
    [CODE_BODY_TOO_LARGE] = {413, "body_too_large"},
    [CODE_UNSUPPORTED_MEDIA_TYPE] = {415, "unsupported_media_type"},
    [CODE_EXPECTATION_FAILED] = {417, "expectation_failed"},
    [CODE_OVERLOADED] = {503, "overloaded"},
    [CODE_INTERNAL] = {500, "internal"},
};

static const struct entry *entry_of(int code)
{
    if (code <= CODE_OK || code >= CODE_END || entries[code].name == NULL) return &entries[CODE_INTERNAL];
    return &entries[code];
}

int problem_status(int code)
{
    return entry_of(code)->status;
}

const char *problem_name(int code)
{
    return entry_of(code)->name;
}

static const char *title_of(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 417:
        return "Expectation Failed";
    case 422:
        return "Unprocessable Content";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

/* Codes that are about a place in the body, and so carry a pointer: the core's of status 400 and 422. */
static bool has_pointer(int code)
{
    return code > CODE_OK && code < CODE_CORE_END && problem_status(code) < 500;
}

void problem_write(struct text *text, const struct error *error)
{
    int status = problem_status(error->code);
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_key(&json, "type");
    json_text(&json, "about:blank");
    json_key(&json, "title");
    json_text(&json, title_of(status));
    json_key(&json, "status");
    json_size(&json, (size_t)status);
    json_key(&json, "code");
    json_text(&json, problem_name(error->code));
    json_key(&json, "detail");
    json_text(&json, error->detail);
    if (has_pointer(error->code)) {
        json_key(&json, "pointer");
        json_text(&json, error->pointer);
    }
    if (error->line > 0) {
        json_key(&json, "line");
        json_size(&json, error->line);
        json_key(&json, "column");
        json_size(&json, error->column);
    }
    json_close(&json, '}');
}

void problem_answer(struct exchange *exchange, const struct error *error)
{
    static char last_resort[] = "{\"type\":\"about:blank\",\"title\":\"Service "
                                "Unavailable\",\"status\":503,\"code\":\"out_of_memory\","
                                "\"detail\":\"Out of memory.\"}\n";
    exchange->header_count = 0;
    exchange->status = problem_status(error->code);
    exchange->content_type = "application/problem+json";
    text_init(&exchange->answer, &exchange->arena);
    problem_write(&exchange->answer, error);
    text_add(&exchange->answer, "\n");
    if (exchange->answer.failed) {
        exchange->status = 503;
        exchange->answer = (struct text){.data = last_resort, .length = sizeof last_resort - 1};
    }
    if (exchange->status == 503) exchange_answer_header(exchange, "Retry-After", "1");
}

void problem_explain_cancelled(const struct exchange *exchange, struct error *error)
{
    if (error->code != CODE_CANCELLED || !atomic_load(&exchange->overdue)) return;
    *error = (struct error){0};
    const char *what = exchange->route->what;
    if (exchange->again)
        error_set(error, CODE_DEVICE, "a device failed in the middle of this %s; try again", what);
    else
        error_set(error, CODE_TOO_MUCH_WORK, "this %s takes longer than %d seconds", what, LIMIT_WORK_SECONDS);
}
