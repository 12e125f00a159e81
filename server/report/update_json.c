#include "server/report/update_json.h"

#include <string.h>

#include "server/report/check_words.h"

/* A message with {used} filled in. */
static void write_message(struct json *json, const char *name, const char *message, const char *used)
{
    static const char key[] = "{used}";
    struct text text;
    text_init(&text, json->text->arena);
    const char *at = strstr(message, key);
    if (at != NULL && used != NULL) {
        text_bytes(&text, message, (size_t)(at - message));
        text_add(&text, used);
        message = at + strlen(key);
    }
    text_add(&text, message);
    json_key(json, name);
    json_text_bytes(json, text.data, text.length);
    json->text->failed = json->text->failed || text.failed;
}

static const struct entry *entry_of(const struct update_report *report, size_t parameter, size_t part)
{
    const struct entry *entry = &report->entries[parameter * UPDATE_PARTS + part];
    return entry->name != NULL ? entry : NULL;
}

static void write_entries(struct json *json, const struct update_task *request, const struct update_report *report,
                          bool state)
{
    /* What the words of an entry ask of a check. */
    const struct submission some = {0};
    const struct check check = {.tolerance = request->check.tolerance, .gradients = {.items = &some}};
    json_key(json, state ? "state" : "parameters");
    json_open(json, '[');
    for (size_t part = state ? UPDATE_FIRST : UPDATE_PARAMETER; part < (state ? UPDATE_PARTS : UPDATE_FIRST); part++)
        for (size_t p = 0; p < request->check.count; p++)
            if (entry_of(report, p, part) != NULL)
                check_report_entry(json, &check, entry_of(report, p, part), true, 0,
                                   state ? request->state_names[part] : NULL);
    json_close(json, ']');
}

static void write_step(struct json *json, const struct update_check *check, const struct update_report *report)
{
    json_key(json, "step");
    json_open(json, '{');
    json_member_bool(json, "passed", report->step_passed);
    json_member_number(json, "submitted", check->submitted_step);
    json_close(json, '}');
}

static void write_part(struct json *json, const struct update_check *check, const struct update_report *report,
                       size_t part)
{
    json_open(json, '{');
    for (size_t p = 0; p < check->count; p++) {
        const struct updated *parameter = &check->parameters[p];
        const struct entry *entry = entry_of(report, p, part);
        if (entry == NULL) continue;
        json_key(json, parameter->name);
        json_tensor(json, parameter->shape.rank, parameter->shape.dim, entry->reference);
    }
    json_close(json, '}');
}

/* What the student should have computed, in the form of `updated`: of the state what was handed in. */
static void write_reference(struct json *json, const struct update_task *request, const struct update_report *report)
{
    json_key(json, "reference");
    json_open(json, '{');
    json_key(json, "parameters");
    write_part(json, &request->check, report, UPDATE_PARAMETER);
    json_key(json, "state");
    json_open(json, '{');
    for (size_t part = UPDATE_FIRST; part < UPDATE_PARTS; part++) {
        bool any = false;
        for (size_t p = 0; p < request->check.count; p++)
            any = any || entry_of(report, p, part) != NULL;
        if (!any) continue;
        json_key(json, request->state_names[part]);
        write_part(json, &request->check, report, part);
    }
    json_member_size(json, "step", request->check.step);
    json_close(json, '}');
    json_close(json, '}');
}

static void write_found(struct json *json, const struct update_check *check, const struct update_found *found)
{
    const struct mistake *mistake = found->slip->mistake;
    const char *used = mistake->variant_words != NULL ? mistake->variant_words(found->slip->variant) : NULL;
    json_open(json, '{');
    json_member_text(json, "id", mistake->id);
    json_key(json, "parameters");
    json_open(json, '[');
    for (size_t i = 0; i < found->parameter_count; i++)
        json_text(json, check->parameters[found->parameters[i]].name);
    json_close(json, ']');
    json_member_number(json, "residual", found->residual);
    write_message(json, "message", mistake->message, used);
    json_member_text(json, "hint", mistake->hint);
    json_key(json, "values");
    json_open(json, '{');
    if (used != NULL) json_member_text(json, "used", used);
    json_close(json, '}');
    if (found->alternative_count > 0) json_key(json, "alternatives");
    if (found->alternative_count > 0) json_open(json, '[');
    for (size_t i = 0; i < found->alternative_count; i++) {
        json_open(json, '{');
        json_member_text(json, "id", found->alternatives[i].mistake->id);
        json_member_text(json, "summary", found->alternatives[i].mistake->summary);
        if (found->alternatives[i].with != NULL) json_member_text(json, "with", found->alternatives[i].with->id);
        json_close(json, '}');
    }
    if (found->alternative_count > 0) json_close(json, ']');
    json_close(json, '}');
}

static void write_diagnosis(struct json *json, const struct update_check *check, const struct update_report *report)
{
    json_key(json, "diagnosis");
    json_open(json, '{');
    json_member_bool(json, "explained", report->explained);
    json_key(json, "mistakes");
    json_open(json, '[');
    for (size_t i = 0; i < report->found_count; i++)
        write_found(json, check, &report->found[i]);
    json_close(json, ']');
    json_close(json, '}');
}

void update_report_json(struct text *text, const struct update_task *request, const struct update_report *report)
{
    const struct update_check *check = &request->check;
    const struct step_plan plan = step_plan_of(&check->optimizer, check->step, report->form);
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_bool(&json, "passed", report->passed);
    json_member_number(&json, "score", report->points / report->max_points);
    json_member_number(&json, "points", report->points);
    json_member_number(&json, "max_points", report->max_points);
    if (step_plan_has_velocity(&plan)) json_member_text(&json, "form", velocity_form_names[report->form]);
    check_report_rule(&json, &check->tolerance);
    write_entries(&json, request, report, false);
    write_entries(&json, request, report, true);
    if (check->step_submitted) write_step(&json, check, report);
    if (request->unexpected_count > 0) {
        json_key(&json, "unexpected");
        json_open(&json, '[');
        for (size_t i = 0; i < request->unexpected_count; i++)
            json_text(&json, request->unexpected[i]);
        json_close(&json, ']');
    }
    if (request->unexpected_not_listed > 0)
        json_member_size(&json, "unexpected_not_listed", request->unexpected_not_listed);
    if (check->reveal) write_reference(&json, request, report);
    if (!report->passed && check->diagnose) write_diagnosis(&json, check, report);
    json_close(&json, '}');
    text_add(text, "\n");
}
