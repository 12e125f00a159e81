#include "core/backward/backward.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/backward/aims.h"
#include "core/backward/events.h"
#include "core/backward/run.h"
#include "core/backward/words.h"

/* ---- what is handed in ---- */

/* The event of another run that is the same as this one. */
static const struct event *same_event(const struct run *run, const struct event *event)
{
    if (event->statement >= run->syntax.statement_count || run->outcomes == NULL) return NULL;
    size_t cursor = run->outcomes[event->statement].first;
    return run_same(run, event, &cursor);
}

static int hand_in(struct arena *arena, struct backward *b, size_t graded_count, struct error *error)
{
    struct submission *items = arena_array(arena, graded_count + 1, sizeof *items);
    if (items == NULL) return error_out_of_memory(error);
    size_t count = 0;
    for (size_t p = 0; p < graded_count; p++) {
        if (b->claimed[p] == EVENT_NONE) continue;
        const struct event *event = &b->plain.events[b->claimed[p]];
        struct tensor *tensor = arena_alloc(arena, sizeof *tensor);
        if (tensor == NULL || !tensor_new(arena, &event->array->shape, tensor)) return error_out_of_memory(error);
        memcpy(tensor->data, event->array->numbers, tensor->size * sizeof *tensor->data);
        items[count++] = (struct submission){.name = b->surroundings.aims[p].name, .tensor = tensor};
    }
    b->gradients = (struct submissions){.items = items, .count = count};
    return CODE_OK;
}

int backward_run(struct arena *arena, const struct check *check, const struct pass *pass, const struct known_code *code,
                 double seconds, struct backward *b, struct error *error)
{
    *b = (struct backward){0};
    size_t graded = check->problem.network->graded_count;
    int status = surroundings_find(arena, check, pass, code, &b->surroundings, error);
    if (status != CODE_OK) return status;
    b->claimed = arena_array(arena, graded + 1, sizeof *b->claimed);
    if (b->claimed == NULL) return error_out_of_memory(error);
    for (size_t p = 0; p < graded; p++)
        b->claimed[p] = EVENT_NONE;
    if (code->length > BACKWARD_BYTES_MAX) {
        b->plain.error.code = CODE_PROGRAM_ERROR;
        snprintf(b->plain.error.detail, sizeof b->plain.error.detail, "the code has %zu bytes; %zu are the most",
                 code->length, BACKWARD_BYTES_MAX);
        return hand_in(arena, b, graded, error);
    }
    if (run_code(&b->plain, arena, &b->surroundings, NULL, code->text, code->length) != CODE_OK)
        return error_out_of_memory(error);
    /* What would have come of code that was given up is not known: nothing is handed in. */
    if (b->plain.error.code != CODE_OK) return hand_in(arena, b, graded, error);
    if (!aims_settle(&b->plain, b->claimed)) return error_out_of_memory(error);
    if (blame_find(arena, &b->plain, b->claimed, seconds, &b->blame) != CODE_OK) return error_out_of_memory(error);
    b->stopped = b->blame.stopped;
    return hand_in(arena, b, graded, error);
}

/* ---- lines ---- */

static size_t list_statements(const struct block *block, const struct statement **list, size_t count)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct statement *s = block->list[i];
        list[count++] = s;
        count = list_statements(&s->body, list, count);
        count = list_statements(&s->otherwise, list, count);
    }
    return count;
}

static bool same_numbers(const struct array *a, const struct array *b)
{
    double largest = 0;
    if (!shape_equal(&a->shape, &b->shape)) return false;
    if (a->numbers == NULL || b->numbers == NULL)
        return a->numbers == b->numbers; /* of what is built up, the last is compared */
    for (size_t i = 0; i < a->size; i++)
        largest = fmax(largest, fmax(fabs(a->numbers[i]), fabs(b->numbers[i])));
    for (size_t i = 0; i < a->size; i++)
        if (!(fabs(a->numbers[i] - b->numbers[i]) <= 1e-9 * largest)) return false;
    return true;
}

/* Whether what it makes of what came in is what it makes of the right values, too. */
static bool is_inherited(const struct backward *b, size_t statement)
{
    const struct run *plain = &b->plain, *judged = &b->blame.run;
    if (plain->outcomes[statement].poisoned || plain->outcomes[statement].fault != NULL) return true;
    for (size_t i = 0; i < judged->slip_count; i++) /* another one is to blame for it */
        if (judged->slips[i].statement == statement) return true;
    size_t cursor = plain->outcomes[statement].first;
    for (size_t i = judged->outcomes[statement].first; i != EVENT_NONE; i = judged->events[i].next) {
        const struct event *one = &judged->events[i], *other = run_same(plain, one, &cursor);
        if (other == NULL || !same_numbers(one->array, other->array)) return true;
    }
    return false;
}

/* Whether nobody reads what it makes, and it is no gradient. */
static bool is_unused(const struct backward *b, const struct statement *s)
{
    const struct run *plain = &b->plain;
    const struct outcome *outcome = &plain->outcomes[s->number];
    if (!outcome->executed) return true;
    if (s->kind == STATEMENT_EXPRESSION && outcome->first == EVENT_NONE) return true;
    if (outcome->first == EVENT_NONE || s->kind == STATEMENT_RETURN) return false;
    for (size_t i = outcome->first; i != EVENT_NONE; i = plain->events[i].next) {
        const struct event *event = &plain->events[i];
        if (event->used || event->aimed != AIMED_NOT || event->behind != EVENT_NONE || event->name[0] == '\0')
            return false;
    }
    return true;
}

static const struct blamed *find_blamed(const struct backward *b, size_t statement)
{
    for (size_t i = 0; i < b->blame.count; i++)
        if (b->blame.list[i].statement == statement) return &b->blame.list[i];
    return NULL;
}

static enum mark mark_of(const struct backward *b, const struct statement *s, bool all_right)
{
    const struct outcome *outcome = &b->plain.outcomes[s->number];
    const struct run *judged = &b->blame.run;
    bool both = judged->outcomes != NULL && s->number < judged->syntax.statement_count && judged->error.code == CODE_OK;
    if (!all_right && find_blamed(b, s->number) != NULL) return outcome->fault != NULL ? MARK_FAULT : MARK_WRONG;
    if (outcome->fault != NULL && (!both || all_right || outcome->emptied || judged->outcomes[s->number].fault != NULL))
        return MARK_FAULT;
    if (!both) return MARK_UNUSED; /* it was never judged: the code does not come to its end */
    if (is_unused(b, s)) return outcome->poisoned ? MARK_INHERITED : MARK_UNUSED;
    if (!all_right && is_inherited(b, s->number)) return MARK_INHERITED;
    return MARK_RIGHT;
}

static bool tells(const struct backward *b, const struct statement *s)
{
    const struct outcome *outcome = &b->plain.outcomes[s->number];
    bool docstring = s->kind == STATEMENT_EXPRESSION && s->value != NULL && s->value->kind == EXPRESSION_STRING;
    if (outcome->fault != NULL || find_blamed(b, s->number) != NULL) return true;
    if (s->kind == STATEMENT_RETURN) return outcome->first != EVENT_NONE;
    return s->kind == STATEMENT_ASSIGN || s->kind == STATEMENT_UPDATE ||
           (s->kind == STATEMENT_EXPRESSION && !docstring);
}

/* Of two statements on one line the worse counts. */
static bool is_worse(enum mark a, enum mark b)
{
    static const int rank[] = {
        [MARK_UNUSED] = 0, [MARK_RIGHT] = 1, [MARK_INHERITED] = 2, [MARK_WRONG] = 3, [MARK_FAULT] = 4};
    return rank[a] > rank[b];
}

/* The other lines of those that are judged as one with it. */
static bool find_together(struct arena *arena, const struct backward *b, const struct blamed *blamed,
                          const struct statement *const *by_number, struct backward_line *line)
{
    line->together = arena_array(arena, b->blame.count, sizeof *line->together);
    if (line->together == NULL) return false;
    for (size_t i = 0; i < b->blame.count; i++) {
        const struct blamed *other = &b->blame.list[i];
        if (other != blamed && other->group == blamed->group && other->edit == NULL && blamed->edit == NULL)
            line->together[line->together_count++] = by_number[other->statement]->spot.line;
    }
    return true;
}

static bool fill_line(struct arena *arena, const struct backward *b, const struct statement *s, bool all_right,
                      const struct statement *const *by_number, struct backward_line *line)
{
    *line = (struct backward_line){.line = s->spot.line, .column = s->spot.column, .scale = 1};
    line->mark = mark_of(b, s, all_right);
    line->text = words_statement(arena, s);
    line->name = words_target(arena, &b->plain, s);
    if (line->text == NULL) return false;
    const struct outcome *outcome = &b->plain.outcomes[s->number];
    size_t last = outcome->last;
    if (last != EVENT_NONE) {
        const struct event *event = &b->plain.events[last], *judged = same_event(&b->blame.run, event);
        if (judged != NULL && judged->right) event = judged;
        if (event->aim != GRADIENT_NONE) line->gradient = b->surroundings.aims[event->aim].name;
        if (event->right && event->scale != 0) line->scale = event->scale;
    }
    const struct blamed *blamed = find_blamed(b, s->number);
    if ((line->mark == MARK_WRONG || line->mark == MARK_FAULT) && blamed != NULL) {
        if (!find_together(arena, b, blamed, by_number, line)) return false;
        line->mistake = blamed->edit != NULL ? blamed->edit->mistake : NULL;
        if (blamed->edit != NULL) line->should_be = words_edited(arena, blamed, false);
    }
    line->message = words_message(arena, b, s, blamed, line);
    return line->mark == MARK_RIGHT || line->mark == MARK_UNUSED || line->message != NULL;
}

/* What is no code at all: the one line where it ends to be any. */
static int only_fault(struct arena *arena, struct backward *b, struct error *error)
{
    struct backward_line *line = arena_zeroed(arena, 1, sizeof *line);
    const char *detail = b->plain.error.detail, *colon = strstr(detail, ": ");
    if (line == NULL) return error_out_of_memory(error);
    if (strncmp(detail, "line ", 5) == 0 && colon != NULL) detail = colon + 2;
    *line = (struct backward_line){.line = b->plain.reader.fault.line > 0 ? b->plain.reader.fault.line : 1,
                                   .column = b->plain.reader.fault.column > 0 ? b->plain.reader.fault.column : 1,
                                   .mark = MARK_FAULT,
                                   .scale = 1};
    line->text = words_line(arena, b->plain.syntax.text, b->plain.syntax.length, line->line);
    line->message = arena_text(arena, detail, strlen(detail));
    if (line->text == NULL || line->message == NULL) return error_out_of_memory(error);
    b->lines = line;
    b->line_count = 1;
    return CODE_OK;
}

static int list_lines(struct arena *arena, struct backward *b, bool all_right, struct error *error)
{
    size_t n = b->plain.syntax.statement_count;
    const struct statement **list = arena_array(arena, n, sizeof *list),
                           **by_number = arena_zeroed(arena, n, sizeof *by_number);
    b->lines = arena_array(arena, n + 1, sizeof *b->lines);
    if (list == NULL || by_number == NULL || b->lines == NULL) return error_out_of_memory(error);
    size_t count = list_statements(&b->plain.syntax.body, list, 0);
    for (size_t i = 0; i < count; i++)
        by_number[list[i]->number] = list[i];
    for (size_t i = 0; i < count; i++) {
        struct backward_line line;
        if (!tells(b, list[i])) continue;
        if (!fill_line(arena, b, list[i], all_right, by_number, &line)) return error_out_of_memory(error);
        struct backward_line *before = b->line_count > 0 ? &b->lines[b->line_count - 1] : NULL;
        if (before == NULL || before->line != line.line)
            b->lines[b->line_count++] = line;
        else if (is_worse(line.mark, before->mark))
            *before = line;
    }
    return CODE_OK;
}

/* The line at which the code was given up, if it was: one that takes too long. */
static int add_end(struct arena *arena, struct backward *b, struct error *error)
{
    struct backward_line *lines = b->lines, end;
    size_t count = b->line_count, i = 0;
    if (b->plain.error.code == CODE_OK) return CODE_OK;
    int code = only_fault(arena, b, error);
    if (code != CODE_OK) return code;
    end = b->lines[0];
    while (i < count && lines[i].line < end.line)
        i++;
    bool there = i < count && lines[i].line == end.line;
    for (size_t k = count; !there && k > i; k--)
        lines[k] = lines[k - 1];
    lines[i] = end;
    b->lines = lines;
    b->line_count = count + !there;
    return CODE_OK;
}

/* ---- the report ---- */

/* The last thing that was called after a gradient on the way. */
static const struct event *find_final(const struct backward *b, size_t aim)
{
    for (size_t i = b->plain.count; i-- > 0;) {
        const struct event *event = &b->plain.events[i];
        if (event->aimed == AIMED_AT && event->aim == aim && event->behind == EVENT_NONE &&
            run_is_main(&b->plain, event))
            return event;
    }
    return NULL;
}

static int compare_on_the_way(struct arena *arena, const struct check *check, const struct backward *b,
                              const struct event *event, struct entry *entry, struct error *error)
{
    const struct aim *aim = &b->surroundings.aims[event->aim];
    const struct event *judged = same_event(&b->blame.run, event);
    struct tensor *tensor = arena_alloc(arena, sizeof *tensor);
    struct submission *submission = arena_alloc(arena, sizeof *submission);
    if (tensor == NULL || submission == NULL || !tensor_new(arena, &event->array->shape, tensor))
        return error_out_of_memory(error);
    double scale = judged != NULL && judged->right && judged->scale != 0 ? judged->scale : 1;
    for (size_t i = 0; i < tensor->size; i++)
        tensor->data[i] = event->array->numbers[i] / scale;
    *submission = (struct submission){.name = event->name, .tensor = tensor};
    *entry = (struct entry){.name = event->name, .expected = true, .shape = aim->shape, .submission = submission};
    entry->tolerance = aim->tolerance;
    entry->reference = check->reveal ? aim->numbers : NULL;
    if (!aim_fits(aim, &tensor->shape)) {
        entry->verdict = VERDICT_SHAPE_MISMATCH;
        return CODE_OK;
    }
    entry->comparison =
        compare_elements(aim->size, tensor->data, aim->numbers, &check->tolerance, aim->tolerance, NULL);
    bool right = entry->comparison.mismatches == 0 || aim_is(aim, &tensor->shape, tensor->data, 1);
    entry->passed = right;
    entry->verdict = entry->comparison.not_finite > 0 ? VERDICT_NOT_FINITE : right ? VERDICT_MATCH : VERDICT_MISMATCH;
    if (right) entry->comparison.mismatches = 0;
    return CODE_OK;
}

static int add_intermediates(struct arena *arena, const struct check *check, const struct backward *b,
                             struct report *report, struct error *error)
{
    size_t room = report->intermediate_count + b->surroundings.aim_count;
    struct entry *entries = arena_array(arena, room, sizeof *entries);
    if (entries == NULL) return error_out_of_memory(error);
    if (report->intermediate_count > 0)
        memcpy(entries, report->intermediates, report->intermediate_count * sizeof *entries);
    report->intermediates = entries;
    for (size_t a = 0; a < b->surroundings.aim_count; a++) {
        if (b->surroundings.aims[a].graded != GRADIENT_NONE || b->surroundings.aims[a].name == NULL) continue;
        const struct event *event = find_final(b, a);
        if (event == NULL) continue;
        int code = compare_on_the_way(arena, check, b, event, &entries[report->intermediate_count++], error);
        if (code != CODE_OK) return code;
    }
    return CODE_OK;
}

static const struct backward_line *find_line(const struct backward *b, const struct event *event)
{
    const struct statement *s = b->plain.statements[event->statement];
    for (size_t i = 0; i < b->line_count; i++)
        if (b->lines[i].line == s->spot.line) return &b->lines[i];
    return NULL;
}

/* Points for what is wrong only by what came in. */
static void carry(const struct check *check, const struct backward *b, struct report *report)
{
    report->points = 0;
    for (size_t p = 0; p < check->problem.network->graded_count; p++) {
        struct entry *entry = &report->entries[p];
        const struct backward_line *line =
            b->claimed[p] != EVENT_NONE ? find_line(b, &b->plain.events[b->claimed[p]]) : NULL;
        entry->carried = check->carry > 0 && !entry->passed && line != NULL && line->mark == MARK_INHERITED;
        entry->points = entry->passed ? entry->max_points : entry->carried ? check->carry * entry->max_points : 0;
        report->points += entry->points;
    }
    if (report->max_points > 0) report->score = report->points / report->max_points;
}

int backward_judge(struct arena *arena, const struct check *check, struct backward *b, struct report *report,
                   struct error *error)
{
    int code = b->plain.outcomes == NULL ? only_fault(arena, b, error) : list_lines(arena, b, report->passed, error);
    if (code == CODE_OK && b->plain.outcomes != NULL) code = add_end(arena, b, error);
    if (code == CODE_OK && b->plain.error.code == CODE_OK) code = add_intermediates(arena, check, b, report, error);
    if (code != CODE_OK) return code;
    carry(check, b, report);
    return CODE_OK;
}
