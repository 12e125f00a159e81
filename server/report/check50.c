#include "server/report/check50.h"

static void write_cause(struct json *json, struct verdicts *v, const struct line *line)
{
    struct text help;
    text_init(&help, v->arena);
    for (size_t m = 0; m < v->mistake_count; m++) {
        if ((line->mistakes & 1U << m) == 0 || v->mistakes[m].hint == NULL) continue;
        if (help.length > 0) text_add(&help, " ");
        text_add(&help, v->mistakes[m].hint);
    }
    json_open(json, '{');
    json_member_text(json, "rationale", verdicts_reason(v, line, true));
    if ((help.length > 0 && v->words < VERDICTS_WORDS_MAX) || help.failed)
        json_member_text(json, "help", verdicts_text(v, &help));
    else
        json_member_nothing(json, "help");
    json_close(json, '}');
}

static void write_result(struct json *json, struct verdicts *v, const struct line *line)
{
    struct text description;
    text_init(&description, v->arena);
    text_format(&description, "the gradient of %s is right", line->title);
    json_open(json, '{');
    json_member_text(json, "name", line->title);
    json_member_text(json, "description", verdicts_text(v, &description));
    json_member_bool(json, "passed", line->passed);
    json_key(json, "log");
    json_open(json, '[');
    if (!line->passed) json_text(json, verdicts_verdict(v, line));
    json_close(json, ']');
    json_key(json, "cause");
    if (line->passed)
        json_nothing(json);
    else
        write_cause(json, v, line);
    json_key(json, "data");
    json_open(json, '{');
    json_member_number(json, "points", line->points);
    json_member_number(json, "max_points", line->max);
    json_close(json, '}');
    json_member_nothing(json, "dependency");
    json_close(json, '}');
}

void check50_write(struct text *text, struct verdicts *v)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_text(&json, "slug", "gradcheckd/gradients");
    json_key(&json, "results");
    json_open(&json, '[');
    for (size_t i = 0; i < v->graded; i++)
        write_result(&json, v, &v->lines[i]);
    json_close(&json, ']');
    json_member_text(&json, "version", GRADCHECKD_VERSION);
    json_close(&json, '}');
    text_add(text, "\n");
}
