#include "server/report/github.h"

#include <string.h>

/* So many errors of a step are shown, and the rest dropped without a word: the last one counts them. */
enum { ERRORS_SHOWN = 10 };

/* Data of a command, or (property) the value of one of its properties. */
static void add_escaped(struct text *text, const char *string, bool property)
{
    for (const char *c = string; *c != '\0'; c++) {
        bool escaped = *c == '%' || *c == '\r' || *c == '\n' || (property && (*c == ':' || *c == ','));
        if (escaped)
            text_format(text, "%%%02X", (unsigned)(unsigned char)*c);
        else
            text_bytes(text, c, 1);
    }
}

/* "::error file=F,line=1,title=T::M" */
static void add_command(struct text *text, struct verdicts *v, const char *command, const char *title,
                        const char *message)
{
    text_format(text, "::%s ", command);
    if (v->options[FORMAT_FILE] != NULL) {
        text_add(text, "file=");
        add_escaped(text, verdicts_option(v, FORMAT_FILE, ""), true);
        text_add(text, ",line=1,");
    }
    text_add(text, "title=");
    add_escaped(text, title, true);
    text_add(text, "::");
    add_escaped(text, message, false);
    text_add(text, "\n");
}

void github_write(struct text *text, struct verdicts *v)
{
    const char *suite = verdicts_option(v, FORMAT_SUITE, "Gradients");
    size_t errors = 0;
    for (size_t i = 0; i < v->graded; i++) {
        if (v->lines[i].passed) continue;
        if (++errors < ERRORS_SHOWN)
            add_command(text, v, "error", v->lines[i].title, verdicts_reason(v, &v->lines[i], false));
    }
    if (errors >= ERRORS_SHOWN) {
        struct text more;
        text_init(&more, v->arena);
        text_format(&more, "and %zu more", errors - (ERRORS_SHOWN - 1));
        add_command(text, v, "error", suite, verdicts_text(v, &more));
    }
    add_command(text, v, "notice", suite, verdicts_summary(v));
}
