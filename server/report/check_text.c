/* A table for a terminal, one line per parameter, as a notebook would print it. */
#include <stdio.h>
#include <string.h>

#include "server/report/check_words.h"
#include "server/report/diagnosis.h"
#include "server/report/lines.h"
#include "server/report/trace.h"

/* Names wider than that push their line out instead of widening every other one. */
enum { NAME_WIDTH_MAX = 32 };

/* Characters, not bytes, so that a column of UTF-8 names lines up. */
static int width_of(const char *text)
{
    int width = 0;
    for (const char *c = text; *c != '\0'; c++)
        width += ((unsigned char)*c & 0xC0) != 0x80;
    return width;
}

static void add_name(struct text *text, const char *name, int width)
{
    text_shown(text, name);
    for (int i = width_of(name); i < width; i++)
        text_bytes(text, " ", 1);
}

static void add_entry(struct text *text, const struct check *check, const struct entry *entry, int name_width,
                      int shape_width)
{
    const char *name = check_report_name(text->arena, entry), *detail = check_report_detail(text->arena, check, entry);
    if (name == NULL || detail == NULL) {
        text->failed = true;
        return;
    }
    char shape[SHAPE_TEXT_MAX] = "";
    if (entry->expected) shape_text(&entry->shape, shape);
    const char *mark = entry->verdict == VERDICT_UNEXPECTED ? "?" : entry->passed ? "\u2713" : "\u2717";
    text_format(text, "  %s ", mark);
    add_name(text, name, name_width);
    text_format(text, "  %-*s  %-14s", shape_width, shape, verdict_names[entry->verdict]);
    if (entry->comparison.compared > 0) text_format(text, "  max diff %-8.2e", entry->comparison.max_abs_diff);
    if (detail[0] != '\0') text_add(text, "  ");
    text_shown(text, detail);
    text_add(text, "\n");
}

static void add_entries(struct text *text, const struct check *check, const struct entry *entries, size_t count)
{
    int name_width = 0, shape_width = 0;
    char shape[SHAPE_TEXT_MAX];
    for (size_t i = 0; i < count; i++) {
        int width = width_of(entries[i].name);
        if (width > name_width && width <= NAME_WIDTH_MAX) name_width = width;
        width = entries[i].expected ? (int)strlen(shape_text(&entries[i].shape, shape)) : 0;
        if (width > shape_width) shape_width = width;
    }
    for (size_t i = 0; i < count; i++)
        add_entry(text, check, &entries[i], name_width, shape_width);
}

/* The reference, or (numeric) the central differences in its place. */
static void add_tensors(struct text *text, const struct entry *entries, size_t count, bool numeric)
{
    text_add(text, numeric ? "\nnumeric\n" : "\nreference\n");
    for (size_t i = 0; i < count; i++) {
        const double *numbers = numeric ? entries[i].numeric : entries[i].reference;
        if (numbers == NULL) continue;
        struct json json;
        json_init(&json, text);
        text_add(text, "  ");
        add_name(text, entries[i].name, 0);
        text_add(text, " = ");
        json_tensor(&json, entries[i].shape.rank, entries[i].shape.dim, numbers);
        text_add(text, "\n");
    }
}

static void add_rule(struct text *text, const struct tolerance_rule *rule)
{
    if (rule->kind == TOLERANCE_AUTO) {
        text_add(text, "auto");
    } else if (rule->kind == TOLERANCE_PLAIN) {
        text_add(text, "atol ");
        text_number(text, rule->plain.atol);
        text_add(text, " rtol ");
        text_number(text, rule->plain.rtol);
    } else {
        text_format(text, "%s ", tolerance_names[rule->kind]);
        text_number(text, rule->limit);
    }
}

void check_report_text(struct text *text, const struct check *check, const struct report *report,
                       const struct diagnosis *diagnosis)
{
    text_add(text, report->passed ? "PASSED: " : "FAILED: ");
    text_number(text, report->points);
    text_add(text, " of ");
    text_number(text, report->max_points);
    text_add(text, " points\nloss ");
    text_number(text, report->loss);
    text_format(text, " on %s in %s, tolerance ", check->problem.backend->device,
                dtype_names[check->problem.backend->dtype]);
    add_rule(text, &check->tolerance);
    text_add(text, "\n\n");
    add_entries(text, check, report->entries, report->entry_count);
    if (report->unexpected_not_listed > 0)
        text_format(text, "  ... and %zu more unexpected names\n", report->unexpected_not_listed);
    if (report->intermediate_count > 0) {
        text_add(text, "\nintermediates\n");
        add_entries(text, check, report->intermediates, report->intermediate_count);
    }
    if (report->backward != NULL) lines_report_text(text, report->backward);
    if (diagnosis != NULL) diagnosis_report_text(text, check, diagnosis);
    if (check->reveal) add_tensors(text, report->entries, report->entry_count, false);
    if (check->numeric) add_tensors(text, report->entries, report->entry_count, true);
    if (report->trace != NULL) trace_report_text(text, report->trace);
    const struct verification *v = &report->verification;
    if (report->verified)
        text_format(text,
                    "\nreference verified by central differences at %zu elements (%zu left out at kinks): "
                    "max diff %.2e, "
                    "relative %.2e\n",
                    v->checked, v->at_kinks, v->max_abs_diff, v->max_rel_diff);
}
