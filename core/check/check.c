#include "core/check/check.h"

#include <math.h>

#include "core/base/clock.h"
#include "core/base/numbers.h"
#include "core/check/rounding.h"
#include "core/graph/intermediates.h"
#include "core/pass/fused.h"

const char *const verdict_names[] = {"match",      "mismatch",     "missing",   "shape_mismatch",
                                     "not_finite", "not_a_tensor", "unexpected"};

/* ---- verdicts ---- */

/* What the rule comes to for an entry; `largest` is the largest reference gradient. */
static void tell_tolerance(const struct check *check, size_t n, const double *reference, double largest,
                           struct entry *entry)
{
    entry->tolerance = tolerance_of(&check->tolerance, n, reference, largest);
    entry->weak = tolerance_is_weak(&check->tolerance, n, reference);
}

/* Gives an entry its verdict on what was submitted, the reference being in the request's layout. */
static void judge(const struct check *check, const struct view *view, const double *reference, struct entry *entry)
{
    if (entry->submission == NULL) {
        entry->verdict = VERDICT_MISSING;
        return;
    }
    const struct tensor *student = entry->submission->tensor;
    if (student == NULL) {
        entry->verdict = VERDICT_NOT_A_TENSOR;
        return;
    }
    if (!view_accepts(view, check->problem.loose, &student->shape) || student->size != view->size) {
        entry->verdict = VERDICT_SHAPE_MISMATCH;
        return;
    }
    entry->comparison =
        compare_elements(student->size, student->data, reference, &check->tolerance, entry->tolerance, NULL);
    if (entry->comparison.not_finite > 0)
        entry->verdict = VERDICT_NOT_FINITE;
    else if (entry->comparison.mismatches > 0)
        entry->verdict = VERDICT_MISMATCH;
    else
        entry->verdict = VERDICT_MATCH;
    entry->passed = entry->verdict == VERDICT_MATCH;
}

/* Marks the wrong elements of an entry, where it is a small matrix that does not match; `marked` counts them all. */
static int mark(struct arena *arena, const struct check *check, const double *reference, size_t *marked,
                struct entry *entry, struct error *error)
{
    bool compared = entry->verdict == VERDICT_MISMATCH || entry->verdict == VERDICT_NOT_FINITE;
    const struct shape *shape = &entry->shape;
    if (!check->mark || !compared || shape->rank != 2) return CODE_OK;
    if (shape->dim[0] > CHECK_MARKED_SIDE_MAX || shape->dim[1] > CHECK_MARKED_SIDE_MAX) return CODE_OK;
    const struct tensor *student = entry->submission->tensor;
    if (student->size > CHECK_MARKED_MAX - *marked) return CODE_OK;
    bool *wrong = arena_array(arena, student->size, sizeof *wrong);
    if (wrong == NULL) return error_out_of_memory(error);
    compare_mark(student->size, student->data, reference, &check->tolerance, entry->tolerance, wrong);
    entry->wrong = wrong;
    *marked += student->size;
    return CODE_OK;
}

/* A tensor as the request would lay it out. NULL when memory is short. */
static const double *export_tensor(struct arena *arena, const struct view *view, const double *inside,
                                   struct error *error)
{
    if (view->same) return inside;
    double *outside = arena_doubles(arena, view->size);
    if (outside == NULL)
        error_out_of_memory(error);
    else
        view_export(view, inside, outside);
    return outside;
}

/* A gradient that overflows can grade nobody. */
static int check_finite(const struct problem *problem, size_t p, double *gradient, struct error *error)
{
    const struct tensor tensor = {.size = problem->network->graded[p].value->size, .data = gradient};
    if (tensor_first_not_finite(&tensor) == tensor.size) return CODE_OK;
    error_set(error, CODE_NOT_FINITE, "with these parameters the gradient of %.200s overflows %s", problem->names[p],
              dtype_names[problem->backend->dtype]);
    return error_at(error, "parameters");
}

static bool is_cancelled(const struct check *check)
{
    return check->problem.cancelled != NULL && atomic_load_explicit(check->problem.cancelled, memory_order_relaxed);
}

/* The reference gradients on the host, layout inside; *largest of all. */
static int read_gradients(struct arena *arena, const struct check *check, const struct pass *pass, double **gradients,
                          double *largest, struct error *error)
{
    const struct problem *problem = &check->problem;
    *largest = 0;
    for (size_t p = 0; p < problem->network->graded_count; p++) {
        const struct value *value = problem->network->graded[p].value;
        if ((gradients[p] = arena_doubles(arena, value->size)) == NULL) return error_out_of_memory(error);
        if (pass_read_gradient(pass, value, gradients[p], error) != CODE_OK) return error->code;
        if (check_finite(problem, p, gradients[p], error) != CODE_OK) return error->code;
        *largest = fmax(*largest, numbers_largest(value->size, gradients[p]));
    }
    return CODE_OK;
}

static int judge_graded(struct arena *arena, const struct check *check, double *const *gradients, double largest,
                        struct report *report, struct error *error)
{
    const struct problem *problem = &check->problem;
    const struct submission **claimed = claims_find(arena, problem, &check->gradients);
    if (claimed == NULL) return error_out_of_memory(error);
    size_t marked = 0;
    for (size_t p = 0; p < problem->network->graded_count; p++) {
        const struct graded *graded = &problem->network->graded[p];
        struct entry *entry = &report->entries[report->entry_count++];
        *entry = (struct entry){
            .name = problem->names[p], .expected = true, .shape = problem->shapes[p], .max_points = check->points[p]};
        entry->submission = claimed[p];
        struct view view = convention_graded(problem->convention, graded);
        const double *reference = export_tensor(arena, &view, gradients[p], error);
        if (reference == NULL) return error->code;
        tell_tolerance(check, view.size, reference, largest, entry);
        judge(check, &view, reference, entry);
        if (mark(arena, check, reference, &marked, entry, error) != CODE_OK) return error->code;
        if (check->reveal) entry->reference = reference;
    }
    return CODE_OK;
}

static void sum_up(const struct network *network, struct report *report)
{
    for (size_t p = 0; p < network->graded_count; p++) {
        struct entry *entry = &report->entries[p];
        if (entry->passed) entry->points = entry->max_points;
        report->points += entry->points;
        report->max_points += entry->max_points;
        report->passed = report->passed && entry->passed;
    }
    if (report->max_points > 0)
        report->score = report->points / report->max_points;
    else
        report->score = report->passed ? 1 : 0;
}

/* What was submitted under names of nothing that is graded, and second copies under another name; the first
 * CHECK_UNEXPECTED_MAX of them. */
static int list_unexpected(struct arena *arena, const struct check *check, struct report *report, struct error *error)
{
    bool *used = arena_zeroed(arena, check->gradients.count, sizeof *used);
    if (used == NULL) return error_out_of_memory(error);
    for (size_t p = 0; p < report->entry_count; p++)
        if (report->entries[p].submission != NULL) used[report->entries[p].submission - check->gradients.items] = true;
    for (size_t i = 0, listed = 0; i < check->gradients.count; i++) {
        const struct submission *submission = &check->gradients.items[i];
        if (used[i]) continue;
        if (listed++ >= CHECK_UNEXPECTED_MAX)
            report->unexpected_not_listed++;
        else
            report->entries[report->entry_count++] = (struct entry){
                .name = submission->name, .verdict = VERDICT_UNEXPECTED, .passed = true, .submission = submission};
    }
    return CODE_OK;
}

/* One intermediate that the network has. Its value is brought to the host only where somebody will look at it. */
static int judge_intermediate(struct arena *arena, const struct check *check, const struct pass *pass,
                              const struct intermediate *which, struct entry *entry, struct error *error)
{
    struct view view = convention_samples(check->problem.convention, &which->value->shape);
    entry->expected = true;
    entry->shape = view.shape;
    const struct tensor *student = entry->submission->tensor;
    const double *reference = NULL;
    if (check->reveal || (student != NULL && view_accepts(&view, check->problem.loose, &student->shape))) {
        double *inside = arena_doubles(arena, view.size);
        if (inside == NULL) return error_out_of_memory(error);
        int code = which->gradient ? pass_read_gradient(pass, which->value, inside, error)
                                   : pass_read(pass, which->value, inside, error);
        if (code == CODE_OK) reference = export_tensor(arena, &view, inside, error);
        if (reference == NULL) return error->code;
        tell_tolerance(check, view.size, reference, numbers_largest(view.size, reference), entry);
    }
    judge(check, &view, reference, entry);
    if (check->reveal) entry->reference = reference;
    return CODE_OK;
}

static int judge_intermediates(struct arena *arena, const struct check *check, const struct pass *pass,
                               struct report *report, struct error *error)
{
    for (size_t i = 0, unexpected = 0; i < check->intermediates.count; i++) {
        const struct submission *submission = &check->intermediates.items[i];
        struct intermediate which;
        bool known = intermediate_find(check->problem.network, submission->name, &which);
        if (!known && unexpected++ >= CHECK_UNEXPECTED_MAX) {
            report->unexpected_not_listed++;
            continue;
        }
        struct entry *entry = &report->intermediates[report->intermediate_count++];
        *entry = (struct entry){.name = submission->name, .submission = submission};
        if (!known) {
            entry->verdict = VERDICT_UNEXPECTED;
            entry->passed = true;
        } else if (judge_intermediate(arena, check, pass, &which, entry, error) != CODE_OK) {
            return error->code;
        }
        if (is_cancelled(check)) return error_set(error, CODE_CANCELLED, "the check was cancelled");
    }
    return CODE_OK;
}

double check_work(const struct network *network, bool differences)
{
    return network->work + (differences ? differences_work(network) : 0);
}

double check_device_work(const struct network *network, bool differences)
{
    struct fused fused;
    return check_work(network, differences && fused_of(network, &fused));
}

/* Room for the entries. */
static bool take_room(struct arena *arena, const struct check *check, struct report *report)
{
    const struct network *network = check->problem.network;
    size_t unexpected = check->gradients.count < CHECK_UNEXPECTED_MAX ? check->gradients.count : CHECK_UNEXPECTED_MAX;
    size_t known = INTERMEDIATE_NAMES_PER_LAYER * (network->numbered_count + 1) + CHECK_UNEXPECTED_MAX;
    size_t intermediates = check->intermediates.count < known ? check->intermediates.count : known;
    report->entries = arena_array(arena, network->graded_count + unexpected, sizeof *report->entries);
    report->intermediates = arena_array(arena, intermediates, sizeof *report->intermediates);
    return report->entries != NULL && report->intermediates != NULL;
}

/* How well the reference agrees with central differences, and these themselves, where they are asked for. */
static int take_differences(struct arena *arena, const struct check *check, double *const *gradients,
                            struct report *report, struct error *error)
{
    const struct problem *problem = &check->problem;
    const struct network *network = problem->network;
    double **to = NULL;
    if (check->numeric && (to = arena_zeroed(arena, network->graded_count, sizeof *to)) == NULL)
        return error_out_of_memory(error);
    for (size_t p = 0; to != NULL && p < network->graded_count; p++)
        if (network->graded[p].value->made_by == NULL &&
            (to[p] = arena_doubles(arena, network->graded[p].value->size)) == NULL)
            return error_out_of_memory(error);
    int code = differences_verify_on_device(arena, problem, gradients, to, &report->verification, error);
    for (size_t p = 0; code == CODE_OK && to != NULL && p < network->graded_count; p++) {
        struct view view = convention_graded(problem->convention, &network->graded[p]);
        if (to[p] == NULL) continue;
        report->entries[p].numeric = export_tensor(arena, &view, to[p], error);
        code = error->code;
    }
    return code;
}

int check_reference(struct arena *arena, const struct check *check, struct reference *reference, struct error *error)
{
    const struct problem *problem = &check->problem;
    double begun = clock_seconds();
    *reference = (struct reference){.gradients = NULL};
    reference->gradients = arena_array(arena, problem->network->graded_count, sizeof *reference->gradients);
    if (reference->gradients == NULL) return error_out_of_memory(error);
    int code = problem_run(arena, problem, problem->backend, &reference->pass, error);
    reference->seconds = clock_seconds() - begun;
    return code == CODE_OK
               ? read_gradients(arena, check, &reference->pass, reference->gradients, &reference->largest, error)
               : code;
}

int check_judge(struct arena *arena, const struct check *check, struct reference *reference, struct report *report,
                struct error *error)
{
    struct pass *pass = &reference->pass;
    double begun = clock_seconds();
    *report = (struct report){.passed = true, .loss = pass->loss, .pass_seconds = reference->seconds};
    if (!take_room(arena, check, report)) return error_out_of_memory(error);
    int code = judge_graded(arena, check, reference->gradients, reference->largest, report, error);
    if (code == CODE_OK) code = judge_intermediates(arena, check, pass, report, error);
    if (code == CODE_OK) code = list_unexpected(arena, check, report, error);
    if (code == CODE_OK) code = rounding_look(arena, check, pass, report, error);
    if (check->problem.backend == backend_cpu(DTYPE_FLOAT64)) report->pass = *pass;
    if (code != CODE_OK) return code;
    sum_up(check->problem.network, report);
    report->compare_seconds = clock_seconds() - begun;
    return CODE_OK;
}

void check_reference_free(const struct check *check, struct reference *reference)
{
    if (check->problem.backend != backend_cpu(DTYPE_FLOAT64)) pass_free(&reference->pass); /* else the arena's */
}

int check_verify(struct arena *arena, const struct check *check, const struct reference *reference,
                 struct report *report, struct error *error)
{
    double begun = clock_seconds();
    if (!(check->verify_reference || check->numeric) || report->postponed) return CODE_OK;
    report->verified = check->verify_reference;
    int code = take_differences(arena, check, reference->gradients, report, error);
    report->verify_seconds = clock_seconds() - begun;
    return code;
}

int check_run(struct arena *arena, const struct check *check, struct report *report, struct error *error)
{
    struct reference reference;
    *report = (struct report){.passed = true};
    int code = check_reference(arena, check, &reference, error);
    if (code == CODE_OK) code = check_judge(arena, check, &reference, report, error);
    check_reference_free(check, &reference);
    return code == CODE_OK ? check_verify(arena, check, &reference, report, error) : code;
}
