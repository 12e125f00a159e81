#include "core/update/update_check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/update/explain_update.h"
#include "core/update/parts.h"

/* Operations of one element's step, a square root among them; about so many are made of all elements, to judge and to
 * explain them, and so many of a few elements of each parameter. */
#define WORK_OF_STEP 40.0
#define STEPS_OF_ALL 20.0
#define STEPS_OF_FEW 8000.0

double update_check_elements(double elements)
{
    return 40 * elements;
}

double update_check_work(double parameters, double elements)
{
    return WORK_OF_STEP * (STEPS_OF_ALL * elements + STEPS_OF_FEW * parameters);
}

/* ---- the reference ---- */

static int check_finite(const struct updated *parameter, const struct step_plan *plan, const struct stepped *to,
                        struct error *error)
{
    for (size_t part = 0; part < UPDATE_PARTS; part++) {
        const struct tensor made = {.size = parameter->from.n, .data = update_made(to, part)};
        if (!update_keeps(plan, part) || tensor_first_not_finite(&made) == made.size) continue;
        return error_set(error, CODE_NOT_FINITE, "the right step of %.200s is not finite", parameter->name);
    }
    return CODE_OK;
}

/* ---- verdicts ---- */

static bool is_of_float32(size_t n, const double *numbers)
{
    for (size_t i = 0; i < n; i++)
        if ((double)(float)numbers[i] != numbers[i]) return false;
    return true;
}

/* With the usual rule a tensor is judged by how far the step moved it: where that is little, the old one does not pass
 * for the new one. */
static struct tolerance tolerance_of_step(const struct update_check *check, const struct update_rounding *rounding,
                                          size_t n, const double *reference, double *scratch)
{
    if (check->tolerance.kind != TOLERANCE_AUTO)
        return tolerance_of(&check->tolerance, n, reference, numbers_largest(n, reference));
    for (size_t i = 0; i < n; i++)
        scratch[i] = reference[i] - update_before(rounding, i);
    return tolerance_of(&check->tolerance, n, scratch, numbers_largest(n, scratch));
}

/* scratch: room for n numbers. */
static struct comparison compare(const struct update_check *check, const struct entry *entry,
                                 const struct update_rounding *rounding, size_t n, const double *student,
                                 double *scratch)
{
    for (size_t i = 0; i < n; i++)
        scratch[i] = update_allow(check, rounding, entry->of_float32, i, entry->reference[i], student[i]);
    return compare_elements(n, student, entry->reference, &check->tolerance, entry->tolerance, scratch);
}

/* Whether the rule, or the precision of what was handed in, cannot tell the right step from none. scratch: room for 2 n
 * numbers. */
static bool is_weak(const struct update_check *check, const struct entry *entry, const struct update_rounding *rounding,
                    size_t n, double *scratch)
{
    double *still = scratch + n;
    bool moves = false;
    for (size_t i = 0; i < n; i++) {
        double before = update_before(rounding, i);
        still[i] = entry->of_float32 ? (double)(float)before : before;
        moves = moves || entry->reference[i] != before || rounding->added[i] > 0;
    }
    return moves && compare(check, entry, rounding, n, still, scratch).mismatches == 0;
}

static void judge(const struct update_check *check, const struct updated *parameter,
                  const struct update_rounding *rounding, double *scratch, struct entry *entry)
{
    size_t n = parameter->from.n;
    const struct tensor *student = entry->submission != NULL ? entry->submission->tensor : NULL;
    const struct view view = {.shape = parameter->shape, .inside = &parameter->shape, .same = true, .size = n};
    entry->tolerance = tolerance_of_step(check, rounding, n, entry->reference, scratch);
    if (entry->submission == NULL)
        entry->verdict = VERDICT_MISSING;
    else if (student == NULL)
        entry->verdict = VERDICT_NOT_A_TENSOR;
    else if (student->size != n || !view_accepts(&view, true, &student->shape))
        entry->verdict = VERDICT_SHAPE_MISMATCH;
    else {
        entry->of_float32 = is_of_float32(n, student->data);
        bool printed = printed_add(&entry->printed, n, student->data) && printed_settle(&entry->printed);
        if (!printed) entry->printed = (struct printed){0};
        entry->comparison = compare(check, entry, rounding, n, student->data, scratch);
        entry->verdict = entry->comparison.not_finite > 0   ? VERDICT_NOT_FINITE
                         : entry->comparison.mismatches > 0 ? VERDICT_MISMATCH
                                                            : VERDICT_MATCH;
        entry->passed = entry->verdict == VERDICT_MATCH;
    }
    entry->weak = is_weak(check, entry, rounding, n, scratch);
}

/* What judging works with. */
struct judging {
    struct arena *arena;
    const struct update_check *check;
    struct update_report *report;
    struct stepped *made, *added; /* by parameter */
    double *scratch;
};

/* All entries by one form of the velocity. */
static int judge_all(const struct judging *j, enum velocity_form form, struct error *error)
{
    const struct update_check *check = j->check;
    struct update_report *report = j->report;
    struct stepped *made = j->made;
    double *scratch = j->scratch;
    struct step_plan plan = step_plan_of(&check->optimizer, check->step, form);
    report->form = form;
    report->passed = true;
    report->points = report->max_points = 0;
    for (size_t p = 0; p < check->count; p++) {
        const struct updated *parameter = &check->parameters[p];
        if (update_is_cancelled(check)) return error_set(error, CODE_CANCELLED, "the work was cancelled");
        int code = step_plan_run(&plan, &parameter->from, scratch, &made[p]);
        if (code != CODE_OK) return backend_error(backend_cpu(DTYPE_FLOAT64), code, error);
        if (check_finite(parameter, &plan, &made[p], error) != CODE_OK) return error->code;
        step_plan_added(&plan, &parameter->from, &made[p], &j->added[p]);
        for (size_t part = 0; part < UPDATE_PARTS; part++) {
            struct entry *entry = &report->entries[p * UPDATE_PARTS + part];
            struct update_rounding *rounding = &report->rounding[p * UPDATE_PARTS + part];
            *entry = (struct entry){0};
            if (part != UPDATE_PARAMETER && !(update_keeps(&plan, part) && parameter->submitted[part])) continue;
            *entry = (struct entry){.name = parameter->name,
                                    .expected = true,
                                    .shape = parameter->shape,
                                    .max_points = 1,
                                    .reference = update_made(&made[p], part),
                                    .submission = parameter->submitted[part] ? &parameter->submissions[part] : NULL};
            *rounding = update_rounding_of(&plan, &parameter->from, part, update_made(&j->added[p], part));
            judge(check, parameter, rounding, scratch, entry);
            entry->points = entry->passed ? 1 : 0;
            report->points += entry->points;
            report->max_points += 1;
            report->passed = report->passed && entry->passed;
        }
    }
    report->step_passed = !check->step_submitted || check->submitted_step == (double)check->step;
    report->max_points += check->step_submitted;
    report->points += check->step_submitted && report->step_passed;
    report->passed = report->passed && report->step_passed;
    return CODE_OK;
}

/* The same, and what explains it by that form. */
static int explain_all(const struct judging *j, enum velocity_form form, struct error *error)
{
    int code = judge_all(j, form, error);
    return code == CODE_OK ? explain_update(j->arena, j->check, j->report, error) : code;
}

static bool take_room(struct judging *j)
{
    const struct update_check *check = j->check;
    size_t most = 0;
    j->made = arena_array(j->arena, check->count, sizeof *j->made);
    j->added = arena_array(j->arena, check->count, sizeof *j->added);
    j->report->entries = arena_array(j->arena, check->count, UPDATE_PARTS * sizeof *j->report->entries);
    j->report->rounding = arena_array(j->arena, check->count, UPDATE_PARTS * sizeof *j->report->rounding);
    if (j->made == NULL || j->added == NULL || j->report->entries == NULL || j->report->rounding == NULL) return false;
    for (size_t p = 0; p < check->count; p++) {
        size_t n = check->parameters[p].from.n;
        if (!update_room(j->arena, n, &j->made[p]) || !update_room(j->arena, n, &j->added[p])) return false;
        if (check->parameters[p].from.n > most) most = check->parameters[p].from.n;
    }
    j->scratch = arena_array(j->arena, most, 3 * sizeof *j->scratch);
    return j->scratch != NULL;
}

int update_check_run(struct arena *arena, const struct update_check *check, struct update_report *report,
                     struct error *error)
{
    struct judging j = {.arena = arena, .check = check, .report = report};
    const struct step_plan plan = step_plan_of(&check->optimizer, check->step, check->form);
    bool any = !check->form_given && step_plan_has_velocity(&plan);
    const enum velocity_form forms[] = {any ? VELOCITY_PYTORCH : check->form, VELOCITY_CS231N};
    size_t count = any ? 2 : 1;
    *report = (struct update_report){0};
    if (!take_room(&j)) return error_out_of_memory(error);
    for (size_t i = 0; i < count; i++)
        if (judge_all(&j, forms[i], error) != CODE_OK || report->passed) return error->code;
    /* By none of them it is right: then by the first in which mistakes explain it, or else by the usual one. */
    if (!check->diagnose) return judge_all(&j, forms[0], error);
    for (size_t i = 0; i < count; i++)
        if (explain_all(&j, forms[i], error) != CODE_OK || report->explained) return error->code;
    return count > 1 ? explain_all(&j, forms[0], error) : CODE_OK;
}
