#include "core/check/rounding.h"

#include <float.h>
#include <math.h>

#include "core/base/numbers.h"
#include "core/check/kinks.h"
#include "core/check/lost.h"

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

/* The tolerance; and where none was asked for, what rounding makes of the sums, in float64 or in the student's float32.
 */
static void allow(const struct looks *l, struct look *look)
{
    const double *r = looks_reference(l, look);
    size_t n = look->value->size, v = look->value->index;
    const double *magnitude = NULL; /* where a first look was enough */
    if (l->magnitudes.values != NULL) magnitude = look->gradient ? l->magnitudes.gradients[v] : l->magnitudes.values[v];
    bool generous = l->check->tolerance.kind == TOLERANCE_AUTO;
    double eps = look->float32 ? EPS32 : EPS64, largest = looks_largest(l, look);
    double least = generous && look->float32 ? FLOAT32_OF_LARGEST * largest : 0;
    double most = largest > OF_A_PERFECT_FIT * l->products ? FLOAT64_AT_MOST * largest : HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        double rounding = generous && magnitude != NULL ? MAGNITUDE_ROUNDINGS * eps * magnitude[i] : 0;
        if (!isfinite(rounding)) rounding = 0; /* what overflows says nothing, and no cap of it does */
        double in_float64 = fmin(rounding / eps * EPS64, most);
        rounding = look->float32 ? fmax(in_float64, fmin(rounding, FLOAT32_AT_MOST * largest)) : in_float64;
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

static int settle(struct looks *l, struct pass *pass)
{
    struct kinks_tensor *tensors = arena_zeroed(l->arena, l->graded, sizeof *tensors);
    size_t flipped;
    bool undecided;
    if (tensors == NULL) return looks_out_of_memory(l);
    for (size_t i = 0; i < l->graded; i++)
        tensors[i] = (struct kinks_tensor){
            .value = l->list[i].value, .student = l->list[i].student, .allowed = l->list[i].allowed};
    double eps = l->float32 ? EPS32 : EPS64;
    int code = kinks_settle(l->arena, pass, &l->magnitudes, eps, l->check->any_subgradient, tensors, l->graded,
                            &flipped, &undecided, l->error);
    for (size_t i = 0; code == CODE_OK && i < l->graded; i++)
        l->list[i].entry->at_kinks = tensors[i].flipped;
    for (size_t i = 0; code == CODE_OK && undecided && i < l->graded; i++)
        if (l->list[i].entry->verdict == VERDICT_MISMATCH) l->list[i].entry->lost = LOST_AT_KINKS;
    if (code != CODE_OK || flipped == 0) return code;
    return judge_again(l);
}

/* ---- what was printed with few digits ---- */

/* Whether a tensor is right but for that. */
static bool is_rounded(const struct looks *l, const struct look *look, const struct printed *printed)
{
    const double *r = looks_reference(l, look);
    for (size_t i = 0; i < look->value->size; i++) {
        /* A number may have been rounded up to the next power of ten, and has fewer digits then than it was given. */
        double half = fmax(printed_half_unit(printed, look->student[i]), printed_half_unit(printed, r[i]));
        if (!(fabs(look->student[i] - r[i]) <= half * (1 + 1e-6) + look->allowed[i])) return false;
    }
    return printed->decimals > 0 || printed->digits > 0;
}

/* What a tensor's numbers were printed with: all of the submission, which tells of zeros, too; but an array may be
 * printed in another way than the others. */
static struct printed printed_of(const struct looks *l, const struct look *look, const struct printed *whole)
{
    struct printed own = {0};
    if (look->float32) return own; /* which no decimal is */
    bool alike = whole->decimals > 0 || whole->digits > 0;
    if (alike && (look->entry->verdict != VERDICT_MISMATCH || is_rounded(l, look, whole))) return *whole;
    if (printed_add(&own, look->value->size, look->student) && printed_settle(&own)) return own;
    return *whole;
}

/* Whether a tensor may have been printed with few digits. */
static bool any_printed(const struct looks *l)
{
    for (size_t i = 0; i < l->graded; i++) {
        struct printed own = {0};
        const struct tensor *student = l->list[i].entry->submission->tensor;
        if (printed_add(&own, student->size, student->data)) return true;
    }
    return false;
}

static void look_at_printed(struct looks *l)
{
    struct printed whole = {0};
    bool all = true;
    for (size_t i = 0; i < l->graded && all; i++)
        all = printed_add(&whole, l->list[i].value->size, l->list[i].student);
    if (!all || !printed_settle(&whole)) whole = (struct printed){0};
    for (size_t i = 0; i < l->graded; i++) {
        struct look *look = &l->list[i];
        struct entry *entry = look->entry;
        entry->printed = printed_of(l, look, &whole);
        if (entry->verdict != VERDICT_MISMATCH || !is_rounded(l, look, &entry->printed)) continue;
        if (entry->printed.digits > PRINTED_AS_FLOAT32 && !l->check->accept_rounded) continue;
        entry->rounded = true;
        entry->lost = entry->lost_perhaps = LOST_NOT;
        if (!l->check->accept_rounded) continue;
        entry->verdict = VERDICT_MATCH;
        entry->passed = true;
        entry->comparison.mismatches = 0;
    }
}

/* ---- all of it ---- */

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
        if (where == KINK_MARGIN) return true;
        for (size_t e = 0; where != KINK_NONE && e < node->inputs[0]->size; e++)
            if (fabs(x[e] - (where == KINK_ERROR ? t[e] : node->op->kink_at)) <= OF_VALUES * (1 + largest)) return true;
    }
    return false;
}

/* Whether anything that mismatches may be right after all. Most of what is wrong is so by much, and no second look is
 * worth its time then. */
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

/* Whether a second look has the memory that it needs: with one pass in another way at a time. A grade is none the worse
 * for a lack of it: by the ordinary rule, then. */
static bool has_memory(const struct arena *arena, const struct pass *pass)
{
    size_t elements;
    double left = (double)(arena->limit - arena->held);
    return pass_elements(pass->graph, &elements) && (MAGNITUDE_PASSES + 1) * sizeof(double) * (double)elements < left;
}

/* All of it, in memory of its own. */
static int look_again(struct looks *l, struct report *report)
{
    int code = looks_list(l, report);
    if (code != CODE_OK) return code;
    double values = largest_value(l->pass);
    l->products = (1 + values) * (1 + values);
    bool worth_it = is_worth_it(l, values), may_be_lost = lost_may_be(l);
    if (!worth_it && !may_be_lost && !l->zero && !any_printed(l)) return CODE_OK;
    code = looks_import(l);
    if (code != CODE_OK) return code;
    if (worth_it) code = magnitudes_of(l->arena, l->pass, l->float32 ? EPS32 : EPS64, &l->magnitudes, l->error);
    if (code != CODE_OK) return code;
    for (size_t i = 0; i < l->count; i++)
        allow(l, &l->list[i]);
    if (worth_it) code = judge_again(l);
    if (worth_it && code == CODE_OK && any_left(l)) code = settle(l, (struct pass *)l->pass);
    if ((worth_it || may_be_lost || l->zero) && code == CODE_OK) code = lost_look(l);
    if (code == CODE_OK) look_at_printed(l);
    return code;
}

int rounding_look(struct arena *arena, const struct check *check, struct pass *pass, struct report *report,
                  struct error *error)
{
    if (!any_mismatch(report)) return CODE_OK;
    struct arena own;
    struct looks l = {.arena = &own, .check = check, .error = error};
    int code = take_pass(arena, &l, pass, report);
    if (code != CODE_OK || !has_memory(arena, l.pass)) return code;
    arena_init(&own, arena->limit - arena->held);
    own.fail_in = arena->fail_in;
    code = look_again(&l, report);
    arena->fail_in = own.fail_in;
    arena_free(&own);
    return code;
}
