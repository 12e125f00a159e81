#include "core/language/program.h"
#include "server/report/check_words.h"

#include <stdio.h>

#include "server/report/diagnosis.h"
#include "server/report/lines.h"
#include "server/report/trace.h"

static void write_shape(struct json *json, const char *name, const struct shape *shape)
{
    json_key(json, name);
    json_open(json, '[');
    for (size_t i = 0; i < shape->rank; i++)
        json_size(json, shape->dim[i]);
    json_close(json, ']');
}

static void write_index(struct json *json, const char *name, const struct shape *shape, size_t offset)
{
    struct shape index = {.rank = shape->rank};
    shape_index(shape, offset, index.dim);
    write_shape(json, name, &index);
}

/* The numbers of a comparison with the student's tensor; nulls where there was nothing to compare. */
static void write_comparison(struct json *json, const struct comparison *c, const struct tensor *student)
{
    if (student != NULL && c->compared > 0) {
        json_member_number(json, "max_abs_diff", c->max_abs_diff);
        json_member_number(json, "max_rel_diff", c->max_rel_diff);
        write_index(json, "worst", &student->shape, c->worst);
    } else {
        json_member_nothing(json, "max_abs_diff");
        json_member_nothing(json, "max_rel_diff");
        json_member_nothing(json, "worst");
    }
    if (c->compared + c->not_finite == 0) {
        json_member_nothing(json, "mismatches");
        return;
    }
    json_member_size(json, "mismatches", c->mismatches);
    if (student == NULL || c->not_finite == 0) return;
    json_member_size(json, "not_finite", c->not_finite);
    write_index(json, "first_not_finite", &student->shape, c->first_not_finite);
}

/* What an entry was computed or printed in, where that is why it is right, or nearly so. */
static void write_precision(struct json *json, const struct entry *entry)
{
    char text[64];
    if (entry->rounded && entry->printed.decimals > 0)
        snprintf(text, sizeof text, "%d decimals", entry->printed.decimals);
    else if (entry->rounded)
        snprintf(text, sizeof text, "%d significant digits", entry->printed.digits);
    else if (entry->float32)
        snprintf(text, sizeof text, "float32");
    else
        return;
    json_member_text(json, "precision", text);
}

static void write_tolerance(struct json *json, const struct tolerance *tolerance)
{
    json_key(json, "tolerance");
    json_open(json, '{');
    json_member_number(json, "atol", tolerance->atol);
    json_member_number(json, "rtol", tolerance->rtol);
    json_close(json, '}');
}

void check_report_entry(struct json *json, const struct check *check, const struct entry *entry, bool graded,
                        unsigned line, const char *state)
{
    const struct tensor *student = entry->submission != NULL ? entry->submission->tensor : NULL;
    const char *name = check_report_name(json->text->arena, entry);
    const char *detail = check_report_detail(json->text->arena, check, entry);
    if (name == NULL || detail == NULL) {
        json->text->failed = true;
        return;
    }
    json_open(json, '{');
    json_member_text(json, "name", name);
    if (state != NULL) json_member_text(json, "state", state);
    if (line > 0) json_member_size(json, "line", line);
    if (entry->expected)
        write_shape(json, "shape", &entry->shape);
    else
        json_member_nothing(json, "shape");
    json_member_text(json, "status", verdict_names[entry->verdict]);
    if (student != NULL && (!entry->expected || !shape_equal(&student->shape, &entry->shape)))
        write_shape(json, "submitted_shape", &student->shape);
    json_member_bool(json, "passed", entry->passed);
    if (graded) {
        json_member_number(json, "points", entry->points);
        json_member_number(json, "max_points", entry->max_points);
        if (entry->carried) json_member_bool(json, "carried", true);
    }
    write_comparison(json, &entry->comparison, student);
    if (entry->expected && check->tolerance.kind == TOLERANCE_AUTO) write_tolerance(json, &entry->tolerance);
    if (entry->weak) json_member_bool(json, "weak", true);
    write_precision(json, entry);
    if (entry->at_kinks > 0) json_member_size(json, "at_kinks", entry->at_kinks);
    if (detail[0] != '\0') json_member_text(json, "detail", detail);
    if (entry->nearest != NULL) json_member_text(json, "did_you_mean", entry->nearest);
    json_close(json, '}');
}

void check_report_rule(struct json *json, const struct tolerance_rule *rule)
{
    if (rule->kind == TOLERANCE_AUTO) {
        json_member_text(json, "tolerance", "auto");
    } else if (rule->kind == TOLERANCE_PLAIN) {
        write_tolerance(json, &rule->plain);
    } else {
        json_key(json, "tolerance");
        json_open(json, '{');
        json_member_number(json, tolerance_names[rule->kind], rule->limit);
        json_close(json, '}');
    }
}

static void write_entries(struct json *json, const struct check *check, const char *name, const struct entry *entries,
                          size_t count, bool graded)
{
    json_key(json, name);
    json_open(json, '[');
    const struct network *network = check->problem.network;
    for (size_t i = 0; i < count; i++) {
        bool has_line = graded && network->program != NULL && i < network->graded_count;
        check_report_entry(json, check, &entries[i], graded, has_line ? network->program->graded_lines[i] : 0, NULL);
    }
    json_close(json, ']');
}

/* The reference of all entries that have one, or (numeric) their central differences. */
static void write_tensors(struct json *json, const char *name, const struct entry *entries, size_t count, bool numeric)
{
    json_key(json, name);
    json_open(json, '{');
    for (size_t i = 0; i < count; i++) {
        const double *numbers = numeric ? entries[i].numeric : entries[i].reference;
        if (numbers == NULL) continue;
        json_key(json, entries[i].name);
        json_tensor(json, entries[i].shape.rank, entries[i].shape.dim, numbers);
    }
    json_close(json, '}');
}

/* The index of an element of a parameter, which the core has in its own layout, as the request has it. */
static void write_verification_index(struct json *json, const struct check *check, const struct verification *v)
{
    const struct problem *problem = &check->problem;
    struct view view = convention_graded(problem->convention, &problem->network->graded[v->graded]);
    write_index(json, "index", &problem->shapes[v->graded], view_offset(&view, v->worst));
}

static void write_verification(struct json *json, const struct check *check, const struct verification *v)
{
    json_key(json, "verification");
    json_open(json, '{');
    json_member_text(json, "method", "central_differences");
    json_member_size(json, "checked", v->checked);
    json_member_size(json, "skipped_at_kinks", v->at_kinks);
    if (v->checked > 0) {
        json_member_number(json, "max_abs_diff", v->max_abs_diff);
        json_member_number(json, "max_rel_diff", v->max_rel_diff);
        json_member_text(json, "parameter", check->problem.names[v->graded]);
        write_verification_index(json, check, v);
    }
    json_close(json, '}');
}

/* All members of the report; whoever calls it opens the object and closes it. */
static void write_report(struct json *json, const struct check *check, const struct report *report,
                         const struct diagnosis *diagnosis)
{
    json_member_bool(json, "passed", report->passed);
    json_member_number(json, "score", report->score);
    json_member_number(json, "points", report->points);
    json_member_number(json, "max_points", report->max_points);
    json_member_number(json, "loss", report->loss);
    json_member_text(json, "device", check->problem.backend->device);
    json_member_text(json, "dtype", dtype_names[check->problem.backend->dtype]);
    check_report_rule(json, &check->tolerance);
    write_entries(json, check, "parameters", report->entries, report->entry_count, true);
    if (report->unexpected_not_listed > 0) {
        json_member_size(json, "unexpected_not_listed", report->unexpected_not_listed);
    }
    if (report->intermediate_count > 0)
        write_entries(json, check, "intermediates", report->intermediates, report->intermediate_count, false);
    if (report->backward != NULL) lines_report_json(json, report->backward);
    if (check->reveal) write_tensors(json, "reference", report->entries, report->entry_count, false);
    if (check->reveal && report->intermediate_count > 0)
        write_tensors(json, "reference_intermediates", report->intermediates, report->intermediate_count, false);
    if (check->numeric) write_tensors(json, "numeric", report->entries, report->entry_count, true);
    if (diagnosis != NULL) diagnosis_report_json(json, check, diagnosis);
    if (report->trace != NULL) trace_report_json(json, report->trace);
    if (report->verified) write_verification(json, check, &report->verification);
}

void check_report_json(struct text *text, const struct check *check, const struct report *report,
                       const struct diagnosis *diagnosis)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    write_report(&json, check, report, diagnosis);
    json_close(&json, '}');
    text_add(text, "\n");
}

void check_report_client(struct text *text, const struct check *check, const struct report *report,
                         const struct diagnosis *diagnosis)
{
    struct text table;
    struct json json;
    text_init(&table, text->arena);
    check_report_text(&table, check, report, diagnosis);
    json_init(&json, text);
    json_open(&json, '{');
    write_report(&json, check, report, diagnosis);
    json_key(&json, "text");
    json_text_bytes(&json, table.data, table.length);
    json_close(&json, '}');
    text_add(text, "\n");
    text->failed = text->failed || table.failed;
}
