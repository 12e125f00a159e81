#include "server/api/class_line.h"

#include <string.h>

#include "server/api/reveal.h"
#include "server/counters.h"
#include "server/http/problem.h"
#include "server/report/check_words.h"
#include "server/report/nearest.h"
#include "server/task/device.h"

enum { ID_MAX = 256 };

/* ---- what all share ---- */

static bool has(const struct class_common *common, const char *name)
{
    return ndjson_find(common->members, common->count, name) != NULL;
}

int class_read_common(const char *value, size_t length, struct class_common *common, struct error *error)
{
    static const char *const of_lines[] = {CLASS_ID, "gradients", "backward", NULL};
    *common = (struct class_common){.count = 0};
    if (!ndjson_members(value, length, common->members, &common->count)) {
        error_set(error, CODE_WRONG_TYPE, "common must be an object, of the members that all lines share");
        return error_at(error, CLASS_COMMON);
    }
    for (size_t i = 0; of_lines[i] != NULL; i++)
        if (has(common, of_lines[i])) {
            error_set(error, CODE_UNKNOWN_MEMBER, "%s is each line's own", of_lines[i]);
            error_at(error, of_lines[i]);
            return error_at(error, CLASS_COMMON);
        }
    bool problem =
        (has(common, "network") || has(common, "program")) && has(common, "parameters") && has(common, "data");
    common->complete = problem && !has(common, "trace") && !has(common, "numeric") && !has(common, "intermediates");
    return CODE_OK;
}

/* ---- texts of requests ---- */

static void add_member(struct text *text, const struct ndjson_member *member, bool *first)
{
    text_add(text, *first ? "{\"" : ",\"");
    text_bytes(text, member->name, member->name_length);
    text_add(text, "\":");
    text_bytes(text, member->value, member->value_length);
    *first = false;
}

static bool is_among(const struct ndjson_member *member, const struct ndjson_member *others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (others[i].name_length == member->name_length &&
            memcmp(others[i].name, member->name, member->name_length) == 0)
            return true;
    return false;
}

/* The check that a line is, with what it shares: what it says itself counts. */
static void write_request(struct text *text, const struct class_common *common, const struct ndjson_member *own,
                          size_t count)
{
    bool first = true;
    for (size_t i = 0; i < common->count; i++)
        if (!is_among(&common->members[i], own, count)) add_member(text, &common->members[i], &first);
    for (size_t i = 0; i < count; i++)
        if (!ndjson_is(&own[i], CLASS_ID)) add_member(text, &own[i], &first);
    text_add(text, first ? "{}" : "}");
}

/* ---- workers ---- */

static int begin_reference(struct class_worker *w, const struct class_worker *first, struct error *error)
{
    struct judged *shared = &w->shared;
    struct check_task *request = &shared->request;
    const struct exchange *exchange = w->exchange;
    struct text text;
    text_init(&text, &w->arena);
    write_request(&text, w->common, NULL, 0);
    if (text.failed) return error_out_of_memory(error);
    int code = document_read(&w->arena, text.data, text.length, &exchange->cancelled, &request->document, error);
    if (code == CODE_OK) code = check_task_measure(&w->arena, exchange->options, request, error);
    if (code == CODE_OK) code = reveal_check(exchange, request, error);
    request->check.problem.cancelled = &exchange->cancelled;
    if (code == CODE_OK) code = check_task_read_problem(&w->arena, request, error);
    while (code == CODE_OK) {
        code = check_reference(&w->arena, &request->check, &w->reference, error);
        w->referenced = true;
        if (code == CODE_OK && first == NULL)
            code = check_verify(&w->arena, &request->check, &w->reference, &shared->report, error);
        const struct backend *instead = device_instead(request->check.problem.backend, request->device, code);
        if (instead == NULL) break;
        check_reference_free(&request->check, &w->reference);
        request->check.problem.backend = instead;
        *error = (struct error){0};
        code = CODE_OK;
    }
    if (first != NULL) shared->report = first->shared.report;
    return code;
}

int class_worker_begin(struct class_worker *w, const struct exchange *exchange, const struct class_common *common,
                       const struct class_worker *first, struct error *error)
{
    size_t most = options_request_memory(exchange->options);
    *w = (struct class_worker){.exchange = exchange, .common = common};
    arena_init(&w->arena, most);
    arena_init(&w->line, most);
    arena_init(&w->answers, most);
    if (common->complete && begin_reference(w, first, error) != CODE_OK) return error_at(error, CLASS_COMMON);
    w->ready = true;
    return CODE_OK;
}

void class_worker_end(struct class_worker *w)
{
    if (w->referenced) check_reference_free(&w->shared.request.check, &w->reference);
    arena_free(&w->arena);
    arena_free(&w->line);
    arena_free(&w->answers);
}

void class_worker_rest(struct class_worker *w)
{
    arena_reset(&w->line);
    arena_reset(&w->answers);
}

/* ---- lines ---- */

/* Compares with the reference that is there. False where that is not all that the line asks for: it hands in something
 * that is only graded where it is handed in. */
static bool judge_shared(struct class_worker *w, const struct ndjson_line *line, struct judged *j, struct error *error)
{
    struct document document;
    *j = w->shared;
    if (document_read(&w->line, line->text, line->length, &w->exchange->cancelled, &document, error) != CODE_OK) {
        j->request.document = document;
        return true;
    }
    if (check_task_read_submitted(&w->line, &document, &j->request, error) != CODE_OK) return true;
    if (check_judge(&w->line, &j->request.check, &w->reference, &j->report, error) != CODE_OK) return true;
    for (size_t i = 0; i < j->report.entry_count; i++)
        if (j->report.entries[i].verdict == VERDICT_UNEXPECTED) return false;
    const struct report *verified = &w->shared.report;
    j->report.verified = verified->verified;
    j->report.verification = verified->verification;
    judged_diagnose(&w->line, j, DIAGNOSE_SECONDS, error);
    return true;
}

/* Where a line is malformed, in its own text; what is shared may be, too, and has no place in it. */
static int find_fault(struct class_worker *w, const struct ndjson_line *line, struct judged *j, struct error *error)
{
    struct error own = {0};
    struct document *document = &j->request.document;
    if (document_read(&w->line, line->text, line->length, NULL, document, &own) != CODE_OK) *error = own;
    if (own.code == CODE_OK) document->column = 0;
    return error->code;
}

static int judge_whole(struct class_worker *w, const struct ndjson_line *line, const struct ndjson_member *members,
                       size_t count, struct judged *j, struct error *error)
{
    const struct exchange *exchange = w->exchange;
    struct check_task *request = &j->request;
    struct text text;
    *j = (struct judged){.diagnosed = false};
    text_init(&text, &w->line);
    write_request(&text, w->common, members, count);
    if (text.failed) return error_out_of_memory(error);
    int code = document_read(&w->line, text.data, text.length, &exchange->cancelled, &request->document, error);
    if (code == CODE_MALFORMED_JSON) return find_fault(w, line, j, error);
    if (code == CODE_OK) code = check_task_measure(&w->line, exchange->options, request, error);
    if (code == CODE_OK) code = reveal_check(exchange, request, error);
    if (code == CODE_OK) code = judged_read(&w->line, j, &exchange->cancelled, error);
    return code == CODE_OK ? judged_compute(&w->line, j, DIAGNOSE_SECONDS, error) : code;
}

static bool needs_gradients_alone(const struct ndjson_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!ndjson_is(&members[i], CLASS_ID) && !ndjson_is(&members[i], "gradients") &&
            !ndjson_is(&members[i], "intermediates"))
            return false;
    return true;
}

/* An id is a string or a number: whatever it is, it is sent back as it came. */
static int check_id(struct arena *arena, const struct ndjson_member *id, struct error *error)
{
    struct document document;
    struct text text;
    char c = id->value_length > 0 ? id->value[0] : '\0';
    char digit = c == '-' && id->value_length > 1 ? id->value[1] : c;
    bool may = (c == '"' || (digit >= '0' && digit <= '9')) && id->value_length <= ID_MAX;
    text_init(&text, arena);
    text_add(&text, "{\"id\":");
    text_bytes(&text, id->value, id->value_length);
    text_add(&text, "}");
    if (text.failed) return error_out_of_memory(error);
    if (may && document_read(arena, text.data, text.length, NULL, &document, error) == CODE_OK) return CODE_OK;
    if (error->code == CODE_OUT_OF_MEMORY) return error->code;
    *error = (struct error){0};
    error_set(error, CODE_WRONG_TYPE, "id must be a string or a number, of at most %d bytes", ID_MAX);
    return error_at(error, CLASS_ID);
}

static int judge(struct class_worker *w, const struct ndjson_line *line, struct judged *j,
                 const struct ndjson_member **id, struct error *error)
{
    struct ndjson_member members[NDJSON_MEMBERS_MAX];
    size_t count;
    *id = NULL;
    *j = (struct judged){.diagnosed = false};
    bool object = ndjson_members(line->text, line->length, members, &count);
    const struct ndjson_member *found = ndjson_find(members, count, CLASS_ID);
    if (found != NULL && ndjson_find(found + 1, count - 1 - (size_t)(found - members), CLASS_ID) != NULL) {
        object = false; /* twice: the reader of the line says so */
    } else if (found != NULL) {
        struct ndjson_member *kept = arena_alloc(&w->line, sizeof *kept);
        if (kept == NULL) return error_out_of_memory(error);
        if (check_id(&w->line, found, error) != CODE_OK) return error->code;
        *kept = *found;
        *id = kept;
    }
    if (!object) {
        int code = document_read(&w->line, line->text, line->length, NULL, &j->request.document, error);
        return code != CODE_OK ? code : error_set(error, CODE_WRONG_TYPE, "a line must be an object, of a check");
    }
    bool shared = w->common->complete && needs_gradients_alone(members, count);
    if (shared && judge_shared(w, line, j, error)) {
        if (error->code != CODE_OK) return error->code;
    } else if (judge_whole(w, line, members, count, j, error) != CODE_OK) {
        return error->code;
    }
    if (judged_trace(&w->line, j, error) != CODE_OK) return error->code;
    return nearest_find(&w->line, &j->request.check, &j->report) ? CODE_OK : error_out_of_memory(error);
}

static void count(const struct judged *j)
{
    counters_check(j->report.passed);
    for (size_t i = 0; j->diagnosed && i < j->diagnosis.count; i++)
        counters_mistake(j->diagnosis.found[i].mistake);
}

/* What follows is the members of an object of its own: they become those of the one that was begun. */
static void go_on(struct text *text, size_t begun)
{
    if (begun > 0 && !text->failed && text->length > begun) text->data[begun] = ',';
}

/* Where and what it is, of a line that cannot be judged. */
static void write_problem(const struct class_worker *w, struct text *text, const struct ndjson_line *line,
                          size_t column, struct error *error)
{
    problem_explain_cancelled(w->exchange, error);
    text_format(text, "%s\"line\":%zu", text->length > 0 ? "," : "{", line->number);
    if (column > 0) text_format(text, ",\"column\":%zu", column); /* of malformed JSON */
    size_t begun = text->length;
    problem_write(text, error);
    go_on(text, begun);
}

static void write_report(struct text *text, const struct judged *j)
{
    size_t begun = text->length;
    check_report_json(text, &j->request.check, &j->report, j->diagnosed ? &j->diagnosis : NULL);
    go_on(text, begun);
    count(j);
}

const char *class_worker_judge(struct class_worker *w, const struct ndjson_line *line, size_t *length, bool *cancelled)
{
    struct error error = {0};
    const struct ndjson_member *id = NULL;
    struct text text;
    arena_reset(&w->line);
    struct judged *j = arena_alloc(&w->line, sizeof *j);
    int code = j != NULL ? judge(w, line, j, &id, &error) : error_out_of_memory(&error);
    *cancelled = code == CODE_CANCELLED;
    text_init(&text, &w->answers);
    if (id != NULL) {
        text_add(&text, "{\"id\":");
        text_bytes(&text, id->value, id->value_length);
    }
    if (j != NULL && code == CODE_OK)
        write_report(&text, j);
    else
        write_problem(w, &text, line, j != NULL ? j->request.document.column : 0, &error);
    while (text.length > 0 && !text.failed && text.data[text.length - 1] == '\n')
        text.length--;
    text_add(&text, "\n");
    *length = text.length;
    return text.failed ? NULL : text.data;
}
