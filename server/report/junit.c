#include "server/report/junit.h"

/* name="value", with a space before it. */
static void add_attribute(struct text *text, const char *name, const char *value)
{
    text_format(text, " %s=\"", name);
    text_markup(text, value);
    text_add(text, "\"");
}

static void add_property(struct text *text, const char *name, double value)
{
    text_format(text, "<property name=\"%s\" value=\"", name);
    text_number(text, value);
    text_add(text, "\"/>\n");
}

/* Some readers show a failure's message, others its text, hardly any both: each says all there is. */
static void add_outcome(struct text *text, struct verdicts *v, const struct line *line)
{
    const char *message = verdicts_reason(v, line, true);
    text_add(text, line->unexpected ? "<skipped" : "<failure");
    add_attribute(text, "message", message);
    if (line->unexpected) {
        text_add(text, "/>");
        return;
    }
    add_attribute(text, "type", line->status);
    text_add(text, ">");
    text_markup(text, verdicts_reason(v, line, false));
    text_add(text, "</failure>");
}

static void add_case(struct text *text, struct verdicts *v, const struct line *line, const char *suite)
{
    text_add(text, "<testcase");
    add_attribute(text, "name", line->title);
    add_attribute(text, "classname", suite);
    if (v->options[FORMAT_FILE] != NULL) add_attribute(text, "file", verdicts_option(v, FORMAT_FILE, ""));
    if (line->passed && !line->unexpected) {
        text_add(text, "/>\n");
        return;
    }
    text_add(text, ">");
    add_outcome(text, v, line);
    text_add(text, "</testcase>\n");
}

void junit_write(struct text *text, struct verdicts *v)
{
    const char *suite = verdicts_option(v, FORMAT_SUITE, "gradients");
    size_t failures = 0;
    for (size_t i = 0; i < v->graded; i++)
        failures += !v->lines[i].passed;
    text_format(text,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" failures=\"%zu\" "
                "errors=\"0\">\n<testsuite",
                v->count, failures);
    add_attribute(text, "name", suite);
    text_format(text, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n<properties>\n", v->count,
                failures, v->count - v->graded);
    add_property(text, "score", v->score);
    add_property(text, "points", v->points);
    add_property(text, "max_points", v->max);
    text_add(text, "</properties>\n");
    for (size_t i = 0; i < v->count; i++)
        add_case(text, v, &v->lines[i], suite);
    text_add(text, "</testsuite>\n</testsuites>\n");
}
