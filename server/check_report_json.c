#include "server/check_report.h"

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

static void write_bool(struct json *json, const char *name, bool value)
{
    json_key(json, name);
    json_bool(json, value);
}

static void write_number(struct json *json, const char *name, double value)
{
    json_key(json, name);
    json_number(json, value);
}

static void write_null(struct json *json, const char *name)
{
    json_key(json, name);
    json_nothing(json);
}

static void write_string(struct json *json, const char *name, const char *value)
{
    json_key(json, name);
    json_text(json, value);
}

/* The numbers of a comparison with the student's tensor; nulls where there was nothing to compare. */
static void write_comparison(struct json *json, const struct comparison *c, const struct tensor *student)
{
    if (student != NULL && c->compared > 0) {
        write_number(json, "max_abs_diff", c->max_abs_diff);
        write_number(json, "max_rel_diff", c->max_rel_diff);
        write_index(json, "worst", &student->shape, c->worst);
    } else {
        write_null(json, "max_abs_diff");
        write_null(json, "max_rel_diff");
        write_null(json, "worst");
    }
    if (c->compared + c->not_finite == 0) {
        write_null(json, "mismatches");
        return;
    }
    json_key(json, "mismatches");
    json_size(json, c->mismatches);
    if (student == NULL || c->not_finite == 0) return;
    json_key(json, "not_finite");
    json_size(json, c->not_finite);
    write_index(json, "first_not_finite", &student->shape, c->first_not_finite);
}

static void write_entry(struct json *json, const struct entry *entry, bool graded)
{
    const struct tensor *student = entry->submission != NULL ? entry->submission->tensor : NULL;
    json_open(json, '{');
    write_string(json, "name", entry->name);
    if (entry->expected)
        write_shape(json, "shape", &entry->shape);
    else
        write_null(json, "shape");
    write_string(json, "status", verdict_names[entry->verdict]);
    if (student != NULL && (!entry->expected || !shape_equal(&student->shape, &entry->shape)))
        write_shape(json, "submitted_shape", &student->shape);
    write_bool(json, "passed", entry->passed);
    if (graded) {
        write_number(json, "points", entry->points);
        write_number(json, "max_points", entry->max_points);
    }
    write_comparison(json, &entry->comparison, student);
    const char *detail = check_report_detail(json->text->arena, entry);
    if (detail == NULL)
        json->text->failed = true;
    else if (detail[0] != '\0')
        write_string(json, "detail", detail);
    json_close(json, '}');
}

static void write_entries(struct json *json, const char *name, const struct entry *entries, size_t count, bool graded)
{
    json_key(json, name);
    json_open(json, '[');
    for (size_t i = 0; i < count; i++)
        write_entry(json, &entries[i], graded);
    json_close(json, ']');
}

static void write_reference(struct json *json, const char *name, const struct entry *entries, size_t count)
{
    json_key(json, name);
    json_open(json, '{');
    for (size_t i = 0; i < count; i++) {
        if (entries[i].reference == NULL) continue;
        json_key(json, entries[i].name);
        json_tensor(json, entries[i].shape.rank, entries[i].shape.dim, entries[i].reference);
    }
    json_close(json, '}');
}

/* The index of an element of a parameter, which the core has in its own layout, as the request has it. */
static void write_verification_index(struct json *json, const struct check *check, const struct verification *v)
{
    struct view view = convention_parameter(check->convention, &check->network->parameters[v->parameter]);
    size_t row = v->worst / view.columns, column = v->worst % view.columns;
    write_index(json, "index", &check->shapes[v->parameter], view.transposed ? column * view.rows + row : v->worst);
}

static void write_verification(struct json *json, const struct check *check, const struct verification *v)
{
    json_key(json, "verification");
    json_open(json, '{');
    write_string(json, "method", "central_differences");
    json_key(json, "checked");
    json_size(json, v->checked);
    json_key(json, "skipped_at_kinks");
    json_size(json, v->at_kinks);
    if (v->checked > 0) {
        write_number(json, "max_abs_diff", v->max_abs_diff);
        write_number(json, "max_rel_diff", v->max_rel_diff);
        write_string(json, "parameter", check->names[v->parameter]);
        write_verification_index(json, check, v);
    }
    json_close(json, '}');
}

void check_report_json(struct text *text, const struct check *check, const struct report *report)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    write_bool(&json, "passed", report->passed);
    write_number(&json, "score", report->score);
    write_number(&json, "points", report->points);
    write_number(&json, "max_points", report->max_points);
    write_number(&json, "loss", report->loss);
    write_string(&json, "device", check->backend->device);
    write_string(&json, "dtype", dtype_name(check->backend->dtype));
    json_key(&json, "tolerance");
    json_open(&json, '{');
    write_number(&json, "atol", check->tolerance.atol);
    write_number(&json, "rtol", check->tolerance.rtol);
    json_close(&json, '}');
    write_entries(&json, "parameters", report->parameters, report->parameter_count, true);
    if (report->unexpected_not_listed > 0) {
        json_key(&json, "unexpected_not_listed");
        json_size(&json, report->unexpected_not_listed);
    }
    if (report->intermediate_count > 0)
        write_entries(&json, "intermediates", report->intermediates, report->intermediate_count, false);
    if (check->reveal) write_reference(&json, "reference", report->parameters, report->parameter_count);
    if (check->reveal && report->intermediate_count > 0)
        write_reference(&json, "reference_intermediates", report->intermediates, report->intermediate_count);
    if (report->verified) write_verification(&json, check, &report->verification);
    json_close(&json, '}');
    text_add(text, "\n");
}
