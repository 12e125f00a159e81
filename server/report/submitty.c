#include "server/report/submitty.h"

static void write_message(struct json *json, const char *message, const char *status)
{
    json_open(json, '{');
    json_member_text(json, "message", message);
    json_member_text(json, "status", status);
    json_close(json, '}');
}

static void write_line(struct json *json, struct verdicts *v, const struct line *line)
{
    struct text text;
    text_init(&text, v->arena);
    text_format(&text, "%s: %s", line->title, verdicts_reason(v, line, false));
    write_message(json, verdicts_text(v, &text), line->passed ? "success" : "failure");
}

void submitty_write(struct text *text, struct verdicts *v)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_text(&json, "status", "success"); /* it could be graded */
    json_key(&json, "data");
    json_open(&json, '{');
    json_member_number(&json, "score", v->score);
    json_key(&json, "message");
    json_open(&json, '[');
    write_message(&json, verdicts_summary(v), "information");
    for (size_t i = 0; i < v->graded; i++)
        write_line(&json, v, &v->lines[i]);
    json_close(&json, ']');
    json_close(&json, '}');
    json_close(&json, '}');
    text_add(text, "\n");
}
