#include "server/report/tap.h"

#include <string.h>

/* A title, or a reason: '#' begins a directive, and '\' escapes it. */
static void add_escaped(struct text *text, const char *string)
{
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '#' || *c == '\\') text_add(text, "\\");
        text_bytes(text, c, 1);
    }
}

/* "    key: "text"": JSON's strings are YAML's. */
static void add_member(struct text *text, const char *key, const char *value)
{
    struct json json;
    json_init(&json, text);
    text_add(text, key);
    json_text(&json, value);
    text_add(text, "\n");
}

static void add_block(struct text *text, struct verdicts *v, const struct line *line)
{
    text_add(text, "  ---\n");
    add_member(text, "  status: ", line->status);
    add_member(text, "  message: ", line->detail);
    if (v->remark != NULL && line == &v->lines[v->remarked]) add_member(text, "  remark: ", v->remark);
    if (line->mistakes != 0) text_add(text, "  mistakes:\n");
    for (size_t m = 0; m < v->mistake_count; m++) {
        const struct told *told = &v->mistakes[m];
        if ((line->mistakes & 1U << m) == 0) continue;
        add_member(text, "    - id: ", told->id);
        if (v->words > VERDICTS_WORDS_MAX) continue;
        add_member(text, "      message: ", told->message);
        if (told->hint != NULL) add_member(text, "      hint: ", told->hint);
        v->words += strlen(told->message) + (told->hint != NULL ? strlen(told->hint) : 0);
    }
    text_add(text, "  ...\n");
}

void tap_write(struct text *text, struct verdicts *v)
{
    text_format(text, "TAP version 13\n1..%zu%s\n", v->count, v->count == 0 ? " # SKIP nothing is graded" : "");
    for (size_t i = 0; i < v->count; i++) {
        const struct line *line = &v->lines[i];
        text_format(text, "%s %zu - ", line->passed ? "ok" : "not ok", i + 1);
        add_escaped(text, line->title);
        if (line->unexpected) {
            text_add(text, " # SKIP ");
            add_escaped(text, line->detail);
        }
        text_add(text, "\n");
        if (!line->passed) add_block(text, v, line);
    }
}
