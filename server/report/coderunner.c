#include "server/report/coderunner.h"

/* The table's columns; "iscorrect" is none that is shown. */
static const char *const columns[] = {"Parameter", "Verdict", "Points", "Detail"};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void write_head(struct json *json)
{
    json_open(json, '[');
    json_text(json, "iscorrect");
    for (size_t i = 0; i < COLUMNS; i++)
        json_text(json, columns[i]);
    json_close(json, ']');
}

static void write_row(struct json *json, struct verdicts *v, const struct line *line)
{
    struct text points;
    text_init(&points, v->arena);
    text_number(&points, line->points);
    text_add(&points, " of ");
    text_number(&points, line->max);
    json_open(json, '[');
    json_bool(json, line->passed);
    json_text(json, line->title);
    json_text(json, line->status);
    json_text(json, verdicts_text(v, &points));
    json_text(json, line->passed ? line->detail : verdicts_reason(v, line, false));
    json_close(json, ']');
}

/* "%s": shown as text, not as HTML. */
static void write_formats(struct json *json)
{
    json_key(json, "columnformats");
    json_open(json, '[');
    for (size_t i = 0; i < COLUMNS; i++)
        json_text(json, "%s");
    json_close(json, ']');
}

static const char *paragraph(struct verdicts *v, const char *words)
{
    struct text html;
    text_init(&html, v->arena);
    text_add(&html, "<p>");
    text_markup(&html, words);
    text_add(&html, "</p>");
    return verdicts_text(v, &html);
}

static const char *reference_of(struct verdicts *v)
{
    struct text html;
    text_init(&html, v->arena);
    text_add(&html, "<pre>");
    for (size_t i = 0; i < v->graded; i++) {
        const struct entry *entry = v->lines[i].entry;
        struct json json;
        if (entry->reference == NULL) continue;
        json_init(&json, &html);
        text_markup(&html, v->lines[i].title);
        text_add(&html, " = ");
        json_tensor(&json, entry->shape.rank, entry->shape.dim, entry->reference);
        text_add(&html, "\n");
    }
    text_add(&html, "</pre>");
    return verdicts_text(v, &html);
}

void coderunner_write(struct text *text, struct verdicts *v)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_number(&json, "fraction", v->score);
    json_member_text(&json, "prologuehtml", paragraph(v, verdicts_summary(v)));
    json_key(&json, "testresults");
    json_open(&json, '[');
    write_head(&json);
    for (size_t i = 0; i < v->graded; i++)
        write_row(&json, v, &v->lines[i]);
    json_close(&json, ']');
    write_formats(&json);
    if (v->check->reveal) json_member_text(&json, "instructorhtml", reference_of(v));
    json_close(&json, '}');
    text_add(text, "\n");
}
