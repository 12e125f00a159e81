#include "server/report/edulinq.h"

static void write_question(struct json *json, struct verdicts *v, const struct line *line)
{
    json_open(json, '{');
    json_member_text(json, "name", line->title);
    json_member_number(json, "max_points", line->max);
    json_member_number(json, "score", line->points);
    json_member_text(json, "message", verdicts_reason(v, line, false));
    json_close(json, '}');
}

void edulinq_write(struct text *text, struct verdicts *v)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_text(&json, "name", "Gradients");
    json_key(&json, "questions");
    json_open(&json, '[');
    for (size_t i = 0; i < v->graded; i++)
        write_question(&json, v, &v->lines[i]);
    json_close(&json, ']');
    json_member_text(&json, "prologue", verdicts_summary(v));
    json_member_text(&json, "epilogue", "");
    json_close(&json, '}');
    text_add(text, "\n");
}
