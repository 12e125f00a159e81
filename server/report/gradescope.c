#include "server/report/gradescope.h"

#include <string.h>

/* Whether mistakes are told elsewhere than in the tests. */
static bool tells_apart(const struct verdicts *v)
{
    const char *hints = v->options[FORMAT_HINTS], *visibility = v->options[FORMAT_VISIBILITY];
    return hints != NULL && strcmp(hints, visibility != NULL ? visibility : "visible") != 0;
}

/* A test has passed where it has all its points. What is worth nothing is passed or failed without any. */
static void write_test(struct json *json, struct verdicts *v, size_t i)
{
    const struct line *line = &v->lines[i];
    bool scored = line->max > 0;
    struct text text;
    text_init(&text, v->arena);
    text_format(&text, "%zu", i + 1);
    json_open(json, '{');
    json_member_text(json, "name", line->title);
    json_member_text(json, "number", verdicts_text(v, &text));
    if (scored) {
        json_member_number(json, "score", line->points);
        json_member_number(json, "max_score", line->max);
    }
    json_member_text(json, "status", (scored ? line->points == line->max : line->passed) ? "passed" : "failed");
    json_member_text(json, "output", tells_apart(v) ? line->status : verdicts_reason(v, line, false));
    json_close(json, '}');
}

/* All that the tests do not say. */
static void write_diagnosis(struct json *json, struct verdicts *v)
{
    struct text text;
    text_init(&text, v->arena);
    for (size_t i = 0; i < v->graded; i++)
        if (!v->lines[i].passed) text_format(&text, "%s: %s\n", v->lines[i].title, verdicts_verdict(v, &v->lines[i]));
    for (size_t m = 0; m < v->mistake_count; m++)
        text_format(&text, "\n%s\n%s\n", v->mistakes[m].id, verdicts_told(v, &v->mistakes[m]));
    if (v->remark != NULL) text_format(&text, "\n%s\n", v->remark);
    json_open(json, '{');
    json_member_text(json, "name", "Diagnosis");
    json_member_text(json, "output", verdicts_text(v, &text));
    json_member_text(json, "visibility", v->options[FORMAT_HINTS]);
    json_close(json, '}');
}

void gradescope_write(struct text *text, struct verdicts *v)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_number(&json, "score", v->points);
    json_member_text(&json, "output", verdicts_summary(v));
    json_member_text(&json, "output_format", "text");
    json_member_text(&json, "test_output_format", "text");
    json_member_text(&json, "test_name_format", "text");
    if (v->options[FORMAT_VISIBILITY] != NULL) json_member_text(&json, "visibility", v->options[FORMAT_VISIBILITY]);
    json_key(&json, "tests");
    json_open(&json, '[');
    for (size_t i = 0; i < v->graded; i++)
        write_test(&json, v, i);
    if (tells_apart(v) && !v->passed) write_diagnosis(&json, v);
    json_close(&json, ']');
    json_close(&json, '}');
    text_add(text, "\n");
}
