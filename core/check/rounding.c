#include "core/check/rounding.h"

#include <float.h>
#include <math.h>

#include "core/base/numbers.h"
#include "core/check/kinks.h"
#include "core/check/lost.h"
#include "core/check/rounded.h"

/* Where rounding may make more of it than that, it is not right to float32 any more: float32 does not give it. */
#define FLOAT32_AT_MOST 5e-5

/* Nor is it in float64, if the gradients are more than what rounding leaves of a perfect fit. */
#define FLOAT64_AT_MOST 1e-3
#define OF_A_PERFECT_FIT 1e-9

#define EPS32 FLT_EPSILON
#define EPS64 DBL_EPSILON

/* ---- what there is ---- */

static bool any_mismatch(const struct report *report)
{
    for (size_t i = 0; i < report->entry_count; i++)
        if (report->entries[i].verdict == VERDICT_MISMATCH) return true;
    for (size_t i = 0; i < report->intermediate_count; i++)
        if (report->intermediates[i].verdict == VERDICT_MISMATCH) return true;
    return false;
}

/* ---- what may be off by how much ---- */

/* What rounding may make of one number, in units of its magnitude; where that overflows, it says nothing. */
static double of_rounding(double eps, double magnitude, double most)
{
    double rounding = MAGNITUDE_ROUNDINGS * eps * magnitude;
    return isfinite(rounding) ? fmin(rounding, most) : 0;
}

/* Whether there is nothing of a tensor but what rounding leaves of sums that cancel, as of a bias in front of a
 * normalization: then no precision gives it to so many of its digits. */
static bool is_nothing(const double *reference, const double *magnitude, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs(reference[i]) <= MAGNITUDE_ROUNDINGS * EPS64 * magnitude[i])) return false;
    return true;
}

/* The tolerance; and where none was asked for, what rounding makes of the sums, in float64 or in the student's float32,
 * once there are magnitudes. */
static void allow(const struct looks *l, struct look *look)
{
    const double *r = looks_reference(l, look);
    size_t n = look->value->size, v = look->value->index;
    const double *magnitude = NULL;
    if (l->magnitudes.values != NULL) magnitude = look->gradient ? l->magnitudes.gradients[v] : l->magnitudes.values[v];
    bool generous = l->check->tolerance.kind == TOLERANCE_AUTO;
    double largest = looks_largest(l, look), least = generous && look->float32 ? FLOAT32_OF_LARGEST * largest : 0;
    double most = largest > OF_A_PERFECT_FIT * l->products ? FLOAT64_AT_MOST * largest : DBL_MAX;
    bool nothing = look->float32 && magnitude != NULL && is_nothing(r, magnitude, n);
    double most32 = nothing ? DBL_MAX : FLOAT32_AT_MOST * largest;
    for (size_t i = 0; i < n; i++) {
        double rounding = 0;
        if (generous && magnitude != NULL) rounding = of_rounding(EPS64, magnitude[i], most);
        if (generous && magnitude != NULL && look->float32)
            rounding = fmax(rounding, of_rounding(EPS32, magnitude[i], most32));
        double tolerated = look->entry->tolerance.atol + look->entry->tolerance.rtol * fabs(r[i]);
        look->allowed[i] = fmax(tolerated, fmax(least, rounding));
    }
}

static bool fits(const struct looks *l, const struct look *look)
{
    const double *r = looks_reference(l, look);
    for (size_t i = 0; i < look->value->size; i++)
        if (!(fabs(look->student[i] - r[i]) <= look->allowed[i])) return false;
    return true;
}

/* Judges what mismatches anew. What is right by the first look stays so: both sides of a kink are. */
static int judge_again(struct looks *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct look *look = &l->list[i];
        struct entry *entry = look->entry;
        if (entry->verdict != VERDICT_MISMATCH || !fits(l, look)) continue;
        size_t n = look->value->size;
        double *reference = arena_doubles(l->arena, n), *allowed = arena_doubles(l->arena, n);
        if (reference == NULL || allowed == NULL) return looks_out_of_memory(l);
        view_export(&look->view, looks_reference(l, look), reference);
        view_export(&look->view, look->allowed, allowed);
        const struct tensor *student = entry->submission->tensor;
        entry->comparison =
            compare_elements(n, student->data, reference, &l->check->tolerance, entry->tolerance, allowed);
        if (entry->comparison.mismatches > 0) continue;
        entry->verdict = VERDICT_MATCH;
        entry->passed = true;
        entry->float32 = look->float32 && l->check->tolerance.kind == TOLERANCE_AUTO;
    }
    return CODE_OK;
}

/* ---- the other side of kinks ---- */

static bool any_left(const struct looks *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->list[i].entry->verdict == VERDICT_MISMATCH) return true;
    return false;
}

static int settle(struct looks *l, struct pass *pass, bool *postponed)
{
    struct kinks_tensor *tensors = arena_zeroed(l->arena, l->graded, sizeof *tensors);
    const double **allowed = arena_array(l->arena, l->graded, sizeof *allowed);
    if (tensors == NULL || allowed == NULL || !rounded_allow(l, allowed)) return looks_out_of_memory(l);
    for (size_t i = 0; i < l->graded; i++)
        tensors[i] =
            (struct kinks_tensor){.value = l->list[i].value, .student = l->list[i].student, .allowed = allowed[i]};
    const struct kinks_asked asked = {
        .eps = l->float32 ? EPS32 : EPS64, .exact_too = l->check->any_subgradient, .brief = l->check->brief};
    struct kinks_settled settled;
    int code = kinks_settle(l->arena, pass, &l->magnitudes, &asked, tensors, l->graded, &settled, l->error);
    if (code != CODE_OK) return code;
    *postponed = settled.postponed;
    for (size_t i = 0; i < l->graded; i++)
        l->list[i].entry->at_kinks = tensors[i].flipped;
    if (settled.flipped > 0) code = judge_again(l);
    for (size_t i = 0; settled.undecided && i < l->graded; i++)
        if (l->list[i].entry->verdict == VERDICT_MISMATCH) l->list[i].entry->lost = LOST_AT_KINKS;
    return code;
}

/* ---- whether trials are worth it ---- */

/* What rounding makes is less than that: a part of the largest gradient, or of products of what goes into them. */
#define OF_GRADIENTS 1e-4
#define OF_VALUES 1e-9
#define OF_VALUES_IN_FLOAT32 1e-6

/* Whether an element lies so near a kink that it is worth to find out how near. */
static bool any_near_kink(const struct pass *pass, double largest)
{
    for (size_t i = 0; i < pass->graph->node_count; i++) {
        const struct node *node = pass->graph->nodes[i];
        enum kink where = op_kink(node->op, node->attributes);
        const struct op_call *call = pass_call(pass, node);
        const double *x = call->x[0], *t = call->x[call->count - 1];
        if (where == KINK_MARGIN || where == KINK_TIES) return true;
        for (size_t e = 0; where != KINK_NONE && e < node->inputs[0]->size; e++)
            if (fabs(x[e] - (where == KINK_ERROR ? t[e] : node->op->kink_at)) <= OF_VALUES * (1 + largest)) return true;
    }
    return false;
}

/* Whether anything that still mismatches may be right after all. Most of what is wrong is so by much, and no trials are
 * worth their time then. */
static bool is_worth_it(const struct looks *l, double values)
{
    const struct pass *pass = l->pass;
    double gradients = 0;
    for (size_t i = 0; i < l->count; i++)
        gradients = fmax(gradients, looks_largest(l, &l->list[i]));
    if (l->float32 || any_near_kink(pass, values)) return true;
    if (l->zero && gradients <= OF_VALUES_IN_FLOAT32 * l->products) return true; /* float32 has none left */
    double bound = fmax(OF_GRADIENTS * gradients, OF_VALUES * l->products);
    for (size_t i = 0; i < l->count; i++)
        if (l->list[i].entry->verdict == VERDICT_MISMATCH && l->list[i].entry->comparison.max_abs_diff <= bound)
            return true;
    return false;
}

static double largest_value(const struct pass *pass)
{
    double largest = 0;
    for (size_t v = 0; v < pass->graph->value_count; v++)
        if (pass->values[v] != NULL)
            largest = fmax(largest, numbers_largest(pass->graph->values[v]->size, pass->values[v]));
    return largest;
}

/* The pass that the report was made by, where that is float64 on the CPU; else one that is, in that arena. */
static int take_pass(struct arena *arena, struct looks *l, struct pass *pass, struct report *report)
{
    const struct backend *backend = backend_cpu(DTYPE_FLOAT64);
    if (pass->backend == backend) {
        l->pass = pass;
        return CODE_OK;
    }
    l->pass = &report->pass;
    return problem_run(arena, &l->check->problem, backend, &report->pass, l->error);
}

/* ---- all of it ---- */

/* What is tried, with one pass in another way at a time; kinks_settle takes what is left. */
static bool has_memory_for_trials(const struct arena *arena, const struct pass *pass)
{
    size_t elements;
    double left = (double)(arena->limit - arena->held);
    return pass_elements(pass->graph, &elements) && (MAGNITUDE_PASSES + 1) * sizeof(double) * (double)elements < left;
}

/* What the tolerance and the student's float32 allow, which takes next to no time and memory. */
static int look_at_numbers(struct looks *l)
{
    for (size_t i = 0; i < l->count; i++)
        allow(l, &l->list[i]);
    return judge_again(l);
}

/* What a trial takes besides the operations of its passes, by element of them. */
#define OPERATIONS_OF_AN_ELEMENT 20
#define PASSES_OF_TRIALS 40

static bool takes_long(const struct pass *pass)
{
    size_t elements;
    return !pass_elements(pass->graph, &elements) ||
           PASSES_OF_TRIALS * (pass->graph->work + OPERATIONS_OF_AN_ELEMENT * (double)elements) >
               CHECK_BRIEF_OPERATIONS;
}

/* What the order of sums, the sides of kinks and float32 may have made of the rest, found out by other passes. */
static int look_by_trials(struct looks *l, double values, bool *postponed)
{
    int code = CODE_OK;
    bool worth_it = is_worth_it(l, values), may_be_lost = l->zero || lost_may_be(l);
    *postponed = l->check->brief && (worth_it || may_be_lost) && takes_long(l->pass);
    if (*postponed) return CODE_OK;
    if (worth_it) {
        code = magnitudes_of(l->arena, l->pass, l->float32 ? EPS32 : EPS64, &l->magnitudes, l->error);
        if (code == CODE_OK) code = look_at_numbers(l);
        if (code == CODE_OK && any_left(l)) code = settle(l, (struct pass *)l->pass, postponed);
    }
    if (code == CODE_OK && !*postponed && (worth_it || may_be_lost)) code = lost_look(l);
    return code;
}

/* All of it, in memory of its own. A lack of memory for trials makes the limit of a request no narrower: what they
 * would let pass is then judged by the ordinary rule. */
static int look_again(struct looks *l, struct report *report)
{
    int code = looks_list(l, report);
    if (code == CODE_OK) code = looks_import(l);
    double values = largest_value(l->pass);
    l->products = fmin((1 + values) * (1 + values), DBL_MAX);
    if (code == CODE_OK) code = look_at_numbers(l);
    if (code == CODE_OK) rounded_find(l);
    if (code == CODE_OK && any_left(l) && has_memory_for_trials(l->arena, l->pass))
        code = look_by_trials(l, values, &report->postponed);
    if (code == CODE_OK && any_left(l) && rounded_may_be(l)) rounded_look(l);
    for (size_t i = 0; i < l->count; i++) {
        struct entry *entry = l->list[i].entry;
        entry->of_float32 = l->list[i].float32;
        if (entry->lost_perhaps != LOST_NOT) entry->lost = entry->lost_perhaps; /* unless a diagnosis says otherwise */
    }
    return code;
}

int rounding_look(struct arena *arena, const struct check *check, struct pass *pass, struct report *report,
                  struct error *error)
{
    if (!any_mismatch(report)) return CODE_OK;
    struct arena own;
    struct looks l = {.arena = &own, .check = check, .error = error};
    int code = take_pass(arena, &l, pass, report);
    if (code != CODE_OK) return code;
    arena_init(&own, arena->limit - arena->held);
    own.fail_in = arena->fail_in;
    code = look_again(&l, report);
    arena->fail_in = own.fail_in;
    arena_free(&own);
    return code;
}
