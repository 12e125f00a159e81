#include "server/report/verdicts.h"

#include <math.h>
#include <string.h>

#include "core/backward/backward.h"
#include "core/diagnosis/words.h"
#include "core/graph/gradient_names.h"
#include "server/report/check_words.h"
#include "server/report/diagnosis.h"
#include "server/report/titles.h"

/* Unexpected names that a summary lists. */
enum { SUMMARY_NAMES_MAX = 10 };

#define ALL_LINES ((size_t)-1)

const char *verdicts_text(struct verdicts *v, struct text *text)
{
    text_bytes(text, "", 1);
    if (!text->failed) return text->data;
    v->failed = true;
    return "";
}

static const char *clean(struct verdicts *v, const char *text)
{
    const char *cleaned = text != NULL ? titles_clean(v->arena, text) : NULL;
    if (cleaned != NULL) return cleaned;
    v->failed = true;
    return "";
}

/* ---- lines ---- */

static const char *detail_of(struct verdicts *v, const struct entry *entry, const char *words)
{
    if (entry->comparison.compared == 0) return words;
    struct text text;
    text_init(&text, v->arena);
    text_format(&text, "%s%smax diff %.2e", words, words[0] != '\0' ? ", " : "", entry->comparison.max_abs_diff);
    return verdicts_text(v, &text);
}

static const char *shape_of_entry(struct verdicts *v, const struct entry *entry)
{
    char shape[SHAPE_TEXT_MAX];
    if (!entry->expected) return "";
    const char *text = shape_text(&entry->shape, shape);
    const char *kept = arena_text(v->arena, text, strlen(text));
    if (kept == NULL) v->failed = true;
    return kept != NULL ? kept : "";
}

static void add_line(struct verdicts *v, const struct entry *entry)
{
    struct line *line = &v->lines[v->count++];
    const char *words = clean(v, check_report_detail(v->arena, v->check, entry));
    *line = (struct line){.status = verdict_names[entry->verdict],
                          .shape = shape_of_entry(v, entry),
                          .words = words,
                          .detail = detail_of(v, entry, words),
                          .passed = entry->passed,
                          .unexpected = entry->verdict == VERDICT_UNEXPECTED,
                          .points = entry->points,
                          .max = entry->max_points,
                          .entry = entry};
    if (!line->unexpected) v->graded = v->count;
    v->points += line->points;
    v->max += line->max;
}

static void name_lines(struct verdicts *v)
{
    const char **titles = arena_array(v->arena, v->count, sizeof *titles);
    v->failed = v->failed || titles == NULL;
    for (size_t i = 0; !v->failed && i < v->count; i++)
        v->failed = (titles[i] = titles_name(v->arena, v->lines[i].entry->name)) == NULL;
    if (v->failed || !titles_make_unique(v->arena, titles, v->count)) {
        v->failed = true;
        return;
    }
    for (size_t i = 0; i < v->count; i++)
        v->lines[i].title = titles[i];
}

/* ---- mistakes ---- */

static const char *others_of(struct verdicts *v, const struct found *found)
{
    if (found->alternative_count == 0) return NULL;
    struct text text;
    text_init(&text, v->arena);
    for (size_t i = 0; i < found->alternative_count; i++) {
        text_add(&text, i == 0 ? "Or: " : ", ");
        text_add(&text, found->alternatives[i]->id);
        if (found->with[i] != NULL) text_format(&text, " with %s", found->with[i]->id);
    }
    return verdicts_text(v, &text);
}

/* Of a value on the way, which spoils nothing that is graded, the line tells that is first wrong. */
static void add_found(struct verdicts *v, const struct found *found, size_t first_wrong)
{
    unsigned bit = 1U << v->mistake_count;
    v->mistakes[v->mistake_count++] =
        (struct told){.id = found->mistake->id,
                      .message = clean(v, words_told(v->arena, v->check, found)),
                      .hint = clean(v, words_text(v->arena, v->check, found, found->mistake->hint)),
                      .others = others_of(v, found),
                      .only = ALL_LINES};
    for (size_t i = 0; i < found->parameter_count; i++)
        v->lines[found->parameters[i]].mistakes |= bit;
    if (found->parameter_count == 0) v->lines[first_wrong].mistakes |= bit;
}

static void take_diagnosis(struct verdicts *v, const struct diagnosis *diagnosis)
{
    struct text rest;
    text_init(&rest, v->arena);
    for (size_t i = 0; i < diagnosis->count && i < VERDICTS_MISTAKES_MAX; i++)
        add_found(v, &diagnosis->found[i], diagnosis->first_wrong);
    diagnosis_report_rest(&rest, v->check, diagnosis);
    while (rest.length > 0 && rest.data[rest.length - 1] == '\n')
        rest.length--;
    for (size_t i = 0; i < rest.length; i++)
        if (rest.data[i] == '\n') rest.data[i] = ' ';
    if (rest.length > 0 || rest.failed) v->remark = clean(v, verdicts_text(v, &rest));
    v->remarked = diagnosis->first_wrong;
}

static bool is_marked(const struct backward_line *line)
{
    return line->message != NULL && (line->mark == MARK_WRONG || line->mark == MARK_FAULT);
}

/* Whether a line of code makes the gradient of that name: where it cannot be evaluated, by what it calls it. */
static bool makes(const struct verdicts *v, const struct backward_line *line, const char *name)
{
    if (line->gradient != NULL) return strcmp(line->gradient, name) == 0;
    if (line->name == NULL || line->mark != MARK_FAULT) return false;
    return gradient_name_rank(v->check->problem.convention, line->name, name, false) < GRADIENT_NAMES_MAX - 1;
}

/* The line of the gradient that it makes, where it makes one that is graded and wrong. */
static size_t graded_by(const struct verdicts *v, const struct backward_line *line)
{
    for (size_t i = 0; i < v->graded; i++)
        if (!v->lines[i].passed && makes(v, line, v->lines[i].entry->name)) return i;
    return ALL_LINES;
}

/* Which failing lines a marked line of code touches: that of the gradient it makes; where it makes none that is graded,
 * all that follow from no line of their own. */
static void touch(struct verdicts *v)
{
    for (size_t m = 0; m < v->mistake_count; m++)
        if (v->mistakes[m].only != ALL_LINES) v->lines[v->mistakes[m].only].mistakes |= 1U << m;
    unsigned shared = 0;
    for (size_t m = 0; m < v->mistake_count; m++)
        if (v->mistakes[m].only == ALL_LINES) shared |= 1U << m;
    for (size_t i = 0; i < v->graded; i++)
        if (!v->lines[i].passed && v->lines[i].mistakes == 0) v->lines[i].mistakes = shared;
}

static void take_code(struct verdicts *v, const struct backward *backward)
{
    size_t more = 0;
    for (size_t i = 0; i < backward->line_count; i++) {
        const struct backward_line *line = &backward->lines[i];
        if (!is_marked(line)) continue;
        if (v->mistake_count == VERDICTS_MISTAKES_MAX) {
            more++;
            continue;
        }
        v->mistakes[v->mistake_count++] =
            (struct told){.id = line->mistake != NULL ? line->mistake : mark_names[line->mark],
                          .message = clean(v, line->message),
                          .only = graded_by(v, line)};
    }
    touch(v);
    if (more == 0) return;
    struct text text;
    text_init(&text, v->arena);
    text_format(&text, "%zu more lines of the code are wrong.", more);
    v->remark = verdicts_text(v, &text);
    while (v->remarked < v->graded && v->lines[v->remarked].passed)
        v->remarked++;
}

void verdicts_make(struct arena *arena, const struct check *check, const struct report *report,
                   const struct diagnosis *diagnosis, struct verdicts *v)
{
    *v = (struct verdicts){.arena = arena, .check = check, .report = report, .passed = report->passed};
    v->lines = arena_array(arena, report->entry_count, sizeof *v->lines);
    v->failed = v->lines == NULL;
    for (size_t i = 0; !v->failed && i < report->entry_count; i++)
        add_line(v, &report->entries[i]);
    if (!v->failed) name_lines(v);
    if (!v->failed && diagnosis != NULL) take_diagnosis(v, diagnosis);
    if (!v->failed && report->backward != NULL) take_code(v, report->backward);
    if (v->failed) v->count = v->graded = v->mistake_count = 0;
    v->score = v->max > 0 ? fmin(fmax(v->points / v->max, 0), 1) : v->passed ? 1 : 0;
}

const char *verdicts_option(struct verdicts *v, enum format_option option, const char *otherwise)
{
    return v->options[option] != NULL ? clean(v, v->options[option]) : otherwise;
}

/* ---- sentences ---- */

static void add_verdict(struct text *text, const struct line *line)
{
    text_add(text, line->status);
    if (line->detail[0] == '\0') return;
    text_add(text, ": ");
    text_add(text, line->detail);
}

const char *verdicts_verdict(struct verdicts *v, const struct line *line)
{
    struct text text;
    text_init(&text, v->arena);
    add_verdict(&text, line);
    return verdicts_text(v, &text);
}

static void add_told(struct text *text, const struct told *told, const char *between)
{
    text_add(text, told->message);
    if (told->hint != NULL) {
        text_add(text, between);
        text_add(text, "Hint: ");
        text_add(text, told->hint);
    }
    if (told->others == NULL) return;
    text_add(text, between);
    text_add(text, told->others);
}

const char *verdicts_told(struct verdicts *v, const struct told *told)
{
    struct text text;
    text_init(&text, v->arena);
    add_told(&text, told, "\n");
    return verdicts_text(v, &text);
}

const char *verdicts_reason(struct verdicts *v, const struct line *line, bool one_line)
{
    const char *apart = one_line ? "; " : "\n";
    struct text text;
    text_init(&text, v->arena);
    add_verdict(&text, line);
    size_t told = text.length;
    for (size_t m = 0; m < v->mistake_count; m++) {
        if ((line->mistakes & 1U << m) == 0) continue;
        text_add(&text, apart);
        text_add(&text, v->mistakes[m].id);
        if (v->words >= VERDICTS_WORDS_MAX) continue;
        text_add(&text, ": ");
        add_told(&text, &v->mistakes[m], one_line ? " " : "\n");
    }
    if (v->remark != NULL && line == &v->lines[v->remarked]) {
        text_add(&text, apart);
        text_add(&text, v->remark);
    }
    v->words += text.length - told;
    return verdicts_text(v, &text);
}

static void add_unexpected(struct text *text, const struct verdicts *v)
{
    size_t listed = v->count - v->graded, all = listed;
    if (listed == CHECK_UNEXPECTED_MAX) all += v->report->unexpected_not_listed;
    for (size_t i = 0; i < listed && i < SUMMARY_NAMES_MAX; i++) {
        text_add(text, i == 0 ? " Not asked for: " : ", ");
        text_add(text, v->lines[v->graded + i].title);
    }
    if (all > SUMMARY_NAMES_MAX) text_format(text, " and %zu more", all - SUMMARY_NAMES_MAX);
    if (all > 0) text_add(text, ".");
}

const char *verdicts_summary(struct verdicts *v)
{
    struct text text;
    text_init(&text, v->arena);
    text_number(&text, v->points);
    text_add(&text, " of ");
    text_number(&text, v->max);
    text_add(&text, " points.");
    add_unexpected(&text, v);
    return verdicts_text(v, &text);
}
