#include "server/report/markdown.h"

#include <string.h>

/* Rows of the table, and bytes of all of it: a step's summary takes 1 MiB. Names that a mistake lists. */
enum { ROWS_MAX = 1000, TABLE_MAX = 768 << 10, NAMES_MAX = 10 };

/* ---- text ---- */

/* Whether a character means something in GitHub's Markdown, its tables, links, formulas and emoji. */
static bool is_markup(const char *text, const char *at)
{
    if (*at == '.') return at > text && (at[-1] == 'w' || at[-1] == 'W'); /* www.example.org becomes a link, */
    if (*at == ':') return at[1] != ' ' && at[1] != '\0';                 /* and so do addresses */
    return strchr("\\`*_{}[]<>|~&$#", *at) != NULL;
}

/* As references: no reader takes these for anything but the character. `code` is a pair of tags around it, within which
 * nobody is mentioned; in prose an @ that could mention somebody gets it alone. */
static void add_text(struct text *text, const char *string, bool code)
{
    if (code) text_add(text, "<code>");
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '@' && !code && c[1] != ' ')
            text_add(text, "<code>@</code>");
        else if (is_markup(string, c))
            text_format(text, "&#%d;", *c);
        else
            text_bytes(text, c, 1);
    }
    if (code) text_add(text, "</code>");
}

/* ---- the table ---- */

static void add_row(struct text *text, const struct line *line)
{
    text_format(text, "| %s | ", line->unexpected ? "?" : line->passed ? "\u2713" : "\u2717");
    add_text(text, line->title, true);
    text_add(text, " | ");
    add_text(text, line->shape, false);
    text_add(text, " | ");
    add_text(text, line->status, false);
    text_add(text, " | ");
    if (line->entry->comparison.compared > 0) text_format(text, "%.2e", line->entry->comparison.max_abs_diff);
    text_add(text, " | ");
    add_text(text, line->words, false);
    text_add(text, " |\n");
}

static bool is_failed(const struct line *line)
{
    return !line->passed;
}

/* Where not all can be shown, those that failed come first. */
static void add_table(struct text *text, const struct verdicts *v)
{
    size_t begun = text->length, rows = 0;
    int parts = v->count > ROWS_MAX ? 2 : 1;
    text_add(text, "| | parameter | shape | verdict | max diff | detail |\n|---|---|---|---|---|---|\n");
    for (int part = 0; part < parts; part++) {
        for (size_t i = 0; i < v->count && rows < ROWS_MAX && text->length - begun < TABLE_MAX; i++) {
            if (parts == 2 && is_failed(&v->lines[i]) != (part == 0)) continue;
            add_row(text, &v->lines[i]);
            rows++;
        }
    }
    size_t all = v->count + v->report->unexpected_not_listed;
    if (rows < all) text_format(text, "\nand %zu more\n", all - rows);
}

/* ---- mistakes ---- */

static void add_quote(struct text *text, const char *string)
{
    text_add(text, "> ");
    add_text(text, string, false);
    text_add(text, "\n");
}

static void add_mistake(struct text *text, const struct verdicts *v, size_t m)
{
    const struct told *told = &v->mistakes[m];
    size_t named = 0;
    text_add(text, "\n**");
    add_text(text, told->id, false);
    text_add(text, "**");
    for (size_t i = 0; i < v->graded; i++) {
        if ((v->lines[i].mistakes & 1U << m) == 0 || named++ >= NAMES_MAX) continue;
        text_add(text, named == 1 ? " " : ", ");
        add_text(text, v->lines[i].title, true);
    }
    if (named > NAMES_MAX) text_format(text, " and %zu more", named - NAMES_MAX);
    text_add(text, "\n\n");
    add_quote(text, told->message);
    if (told->hint != NULL) {
        text_add(text, ">\n");
        add_quote(text, told->hint);
    }
    if (told->others != NULL) {
        text_add(text, ">\n");
        add_quote(text, told->others);
    }
}

void markdown_write(struct text *text, struct verdicts *v)
{
    text_add(text, v->passed ? "**Passed:** " : "**Failed:** ");
    text_number(text, v->points);
    text_add(text, " of ");
    text_number(text, v->max);
    text_add(text, " points\n\n");
    add_table(text, v);
    for (size_t m = 0; m < v->mistake_count; m++)
        add_mistake(text, v, m);
    if (v->remark == NULL) return;
    text_add(text, "\n");
    add_text(text, v->remark, false);
    text_add(text, "\n");
}
