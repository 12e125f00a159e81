#include "server/report/classroom.h"

#include <math.h>

static void write_test(struct json *json, struct verdicts *v, const struct line *line)
{
    const char *reason = verdicts_reason(v, line, false);
    json_open(json, '{');
    json_member_text(json, "name", line->title);
    json_member_text(json, "status", line->passed ? "pass" : "fail");
    json_member_number(json, "score", line->points);
    json_member_text(json, "message", reason);
    json_member_text(json, "test_code", line->passed ? "" : reason); /* all that is printed of one that failed */
    json_member_text(json, "filename", "");
    json_member_size(json, "line_no", 0);
    json_member_size(json, "duration", 0);
    json_close(json, '}');
}

void classroom_write(struct text *text, struct verdicts *v)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_size(&json, "version", 1);
    json_member_text(&json, "status", v->passed ? "pass" : "fail");
    json_member_number(&json, "max_score", v->max);
    json_key(&json, "tests");
    json_open(&json, '[');
    for (size_t i = 0; i < v->graded; i++)
        write_test(&json, v, &v->lines[i]);
    json_close(&json, ']');
    json_close(&json, '}');
    text_add(text, "\n");
}

/* ---- its successor ---- */

/* So many and fewer points are exact in any reader's numbers, and so is the sum of all lines. */
#define WHOLE_MAX 0x1p32

static size_t whole(double points)
{
    return (size_t)fmin(floor(points), WHOLE_MAX);
}

static void write_test50(struct json *json, struct verdicts *v, const struct line *line)
{
    json_open(json, '{');
    json_member_text(json, "test-name", line->title);
    json_member_bool(json, "passed", line->passed);
    json_member_size(json, "score", whole(line->points));
    json_member_size(json, "max-score", whole(line->max));
    if ((double)whole(line->points) != line->points || (double)whole(line->max) != line->max) {
        json_member_number(json, "exact-score", line->points);
        json_member_number(json, "exact-max-score", line->max);
    }
    json_member_text(json, "message", verdicts_reason(v, line, false));
    json_close(json, '}');
}

void classroom50_write(struct text *text, struct verdicts *v)
{
    size_t score = 0, max = 0;
    for (size_t i = 0; i < v->graded; i++) {
        score += whole(v->lines[i].points);
        max += whole(v->lines[i].max);
    }
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_size(&json, "score", score);
    json_member_size(&json, "max-score", max);
    json_key(&json, "tests");
    json_open(&json, '[');
    for (size_t i = 0; i < v->graded; i++)
        write_test50(&json, v, &v->lines[i]);
    json_close(&json, ']');
    json_close(&json, '}');
    text_add(text, "\n");
}
