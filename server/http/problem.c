#include "server/http/problem.h"

#include "server/http/held.h"

#include "server/codes.h"
#include "server/http/exchange.h"
#include "server/http/route.h"
#include "server/limits.h"
#include "server/text/pointer.h"

/* line and column: where malformed JSON breaks off; 0 elsewhere. */
static void write_problem(struct text *text, const struct error *error, size_t line, size_t column)
{
    const struct code_entry *entry = codes_entry(error->code);
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_text(&json, "type", "about:blank");
    json_member_text(&json, "title", codes_title(entry->status));
    json_member_size(&json, "status", (size_t)entry->status);
    json_member_text(&json, "code", entry->name);
    json_member_text(&json, "detail", error->detail);
    if (entry->has_place) {
        struct text pointer;
        text_init(&pointer, text->arena);
        pointer_write(&pointer, error);
        json_key(&json, "pointer");
        json_text_bytes(&json, pointer.length > 0 ? pointer.data : "", pointer.length);
        text->failed = text->failed || pointer.failed;
    }
    if (line > 0) {
        json_member_size(&json, "line", line);
        json_member_size(&json, "column", column);
    }
    json_close(&json, '}');
}

void problem_write(struct text *text, const struct error *error)
{
    write_problem(text, error, 0, 0);
}

void problem_answer(struct exchange *exchange, const struct error *error)
{
    static char last_resort[] = "{\"type\":\"about:blank\",\"title\":\"Service "
                                "Unavailable\",\"status\":503,\"code\":\"out_of_memory\","
                                "\"detail\":\"Out of memory.\"}\n";
    if (error->code == CODE_OUT_OF_MEMORY) held_want_room();
    exchange->header_count = 0;
    exchange->problem = codes_entry(error->code)->name;
    exchange->status = codes_entry(error->code)->status;
    exchange->content_type = "application/problem+json";
    text_init(&exchange->answer, &exchange->arena);
    write_problem(&exchange->answer, error, exchange->line, exchange->column);
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
