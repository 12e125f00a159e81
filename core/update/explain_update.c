#include "core/update/explain_update.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/update/parts.h"

/* Decimal digits of what is wrong that a mistake has to reproduce, all elements together, so that chance does not: more
 * where two are made at once, of which there are so many more. */
#define DIGITS_OF_ONE 6.0
#define DIGITS_OF_TWO 9.0

/* The part of a tensor's largest error that a replay may leave, beyond what the submission's own precision leaves: that
 * of another slip, whose effect is small beside this one's, is not left. */
#define LEFT_BY_ONE 1e-5
#define LEFT_BY_TWO 1e-6

/* What one element can say at most, and what float64 leaves of it. */
#define DIGITS_OF_ELEMENT 12.0
#define ROUNDING (4 * DBL_EPSILON)

enum { FEW = UPDATE_PARTS };

/* One slip, or two: the second after the first, which it may change again. */
struct slips {
    const struct update_slip *first, *second; /* second: NULL where it is one alone */
};

/* What reproduces one parameter's numbers. */
struct reproduced {
    size_t parameter;
    bool by_one[UPDATE_SLIPS_MAX]; /* by slip of the table */
    double residual[UPDATE_SLIPS_MAX];
    bool done; /* a mistake is named for it */
};

struct search {
    struct arena *arena;
    const struct update_check *check;
    struct update_report *report;
    struct reproduced *failing;
    size_t failing_count, slip_count;
    const struct update_slip *slips[UPDATE_SLIPS_MAX];
    struct stepped made; /* room for the largest parameter */
    double *scratch;
};

/* ---- one replay ---- */

static bool plan_with(const struct search *s, struct slips slips, struct step_plan *plan)
{
    *plan = step_plan_of(&s->check->optimizer, s->check->step, s->report->form);
    /* Any form is right where none was asked for. */
    bool of_form = slips.first->mistake == &mistake_velocity_form ||
                   (slips.second != NULL && slips.second->mistake == &mistake_velocity_form);
    if (of_form && !s->check->form_given) return false;
    if (!slips.first->put(plan, slips.first->variant)) return false;
    return slips.second == NULL || slips.second->put(plan, slips.second->variant);
}

static struct entry *entries_of(const struct search *s, size_t parameter)
{
    return s->report->entries + parameter * UPDATE_PARTS;
}

/* What an element may be off by after a replay that leaves so much of the largest error. */
static double left_of(const struct entry *entry, double student, double made, double part)
{
    double sizes = fabs(student) + fabs(made);
    double left = part * entry->comparison.max_abs_diff + 4 * (entry->of_float32 ? FLT_EPSILON : DBL_EPSILON) * sizes;
    bool printed = entry->printed.decimals > 0 || entry->printed.digits > 0;
    return printed ? fmax(left, printed_half_unit(&entry->printed, student) * (1 + 1e-9)) : left;
}

/* How many digits of what is wrong in n elements a replay gives again; negative where some element is not near enough.
 * At `at`, where that is not NULL, stand the elements in the submission and in the reference. */
static double digits_of(const struct search *s, const struct entry *entry, size_t n, const size_t *at,
                        const struct update_rounding *rounding, const double *made, double part, double *residual)
{
    double digits = 0;
    for (size_t i = 0; i < n; i++) {
        size_t from = at != NULL ? at[i] : i;
        double student = entry->submission->tensor->data[from], off = fabs(student - made[i]);
        double allowed = update_allow(s->check, rounding, entry->of_float32, from, made[i], student);
        struct comparison c = compare_elements(1, &student, &made[i], &s->check->tolerance, entry->tolerance, &allowed);
        double wrong = fabs(student - entry->reference[from]);
        if (c.mismatches > 0 || !(off <= DBL_MAX)) return -1;
        if (!entry->passed && !(off <= left_of(entry, student, made[i], part))) return -1;
        if (off > *residual) *residual = off;
        if (!(wrong > ROUNDING * (fabs(student) + fabs(made[i])))) continue;
        double left = fmax(off, ROUNDING * (fabs(student) + fabs(made[i])) + DBL_MIN);
        digits += fmin(fmax(log10(wrong / left), -DIGITS_OF_ELEMENT), DIGITS_OF_ELEMENT);
    }
    return digits;
}

/* The elements of a parameter that are most wrong, one for each part. */
static size_t worst_of(const struct entry *entries, size_t at[FEW])
{
    size_t count = 0;
    for (size_t part = 0; part < UPDATE_PARTS; part++)
        if (entries[part].verdict == VERDICT_MISMATCH && entries[part].name != NULL)
            at[count++] = entries[part].comparison.worst;
    return count;
}

/* Whether the slips give the parameter's numbers, at some elements (at) or at all of them. */
static bool reproduces(const struct search *s, struct slips slips, size_t parameter, const size_t *at, size_t n,
                       double needed, double *residual)
{
    const struct updated *p = &s->check->parameters[parameter];
    const struct entry *entries = entries_of(s, parameter);
    const struct update_rounding *rounding = s->report->rounding + parameter * UPDATE_PARTS;
    double few[4][FEW] = {{0}}, digits = 0;
    struct step_plan plan;
    struct one_step from = p->from;
    *residual = 0;
    if (!plan_with(s, slips, &plan)) return false;
    for (size_t i = 0; at != NULL && i < n; i++) {
        few[0][i] = p->from.w[at[i]];
        few[1][i] = p->from.g[at[i]];
        if (p->from.first != NULL) few[2][i] = p->from.first[at[i]];
        if (p->from.second != NULL) few[3][i] = p->from.second[at[i]];
    }
    if (at != NULL)
        from = (struct one_step){.n = n,
                                 .w = few[0],
                                 .g = few[1],
                                 .first = p->from.first != NULL ? few[2] : NULL,
                                 .second = p->from.second != NULL ? few[3] : NULL};
    struct stepped made = s->made;
    if (step_plan_run(&plan, &from, s->scratch, &made) != CODE_OK) return false;
    for (size_t part = 0; part < UPDATE_PARTS; part++) {
        if (entries[part].name == NULL) continue;
        double found = digits_of(s, &entries[part], from.n, at, &rounding[part], update_made(&made, part),
                                 needed > DIGITS_OF_ONE ? LEFT_BY_TWO : LEFT_BY_ONE, residual);
        if (found < 0) return false;
        if (!entries[part].passed) digits += found;
    }
    return at != NULL || digits >= needed;
}

/* The same: first where most is wrong, which nearly always says no. */
static bool explains(const struct search *s, struct slips slips, size_t parameter, double needed, double *residual)
{
    size_t at[FEW], count = worst_of(entries_of(s, parameter), at);
    return reproduces(s, slips, parameter, at, count, needed, residual) &&
           reproduces(s, slips, parameter, NULL, s->check->parameters[parameter].from.n, needed, residual);
}

/* ---- which parameters ---- */

/* Whether a parameter fails, and by numbers that can be replayed. */
static bool is_replayable(const struct entry *entries)
{
    bool fails = false;
    for (size_t part = 0; part < UPDATE_PARTS; part++) {
        if (entries[part].name == NULL) continue;
        if (entries[part].verdict != VERDICT_MATCH && entries[part].verdict != VERDICT_MISMATCH) return false;
        fails = fails || !entries[part].passed;
    }
    return fails;
}

static bool fails_at_all(const struct entry *entries)
{
    bool fails = false;
    for (size_t part = 0; part < UPDATE_PARTS; part++)
        fails = fails || (entries[part].name != NULL && !entries[part].passed);
    return fails;
}

static bool take_room(struct search *s)
{
    size_t most = FEW;
    for (size_t p = 0; p < s->check->count; p++)
        if (s->check->parameters[p].from.n > most) most = s->check->parameters[p].from.n;
    s->failing = arena_array(s->arena, s->check->count, sizeof *s->failing);
    s->scratch = arena_array(s->arena, most, 3 * sizeof *s->scratch);
    s->report->found = arena_array(s->arena, s->check->count, 2 * sizeof *s->report->found);
    return s->failing != NULL && s->scratch != NULL && s->report->found != NULL &&
           update_room(s->arena, most, &s->made);
}

/* ---- what is named ---- */

static void add_alternative(struct update_found *found, const struct mistake *mistake, const struct mistake *with)
{
    for (size_t i = 0; i < found->alternative_count; i++)
        if (found->alternatives[i].mistake == mistake && found->alternatives[i].with == with) return;
    if (found->alternative_count == UPDATE_ALTERNATIVES_MAX) return;
    found->alternatives[found->alternative_count++] = (struct update_alternative){mistake, with};
}

/* All parameters left that a slip explains; their number. */
static size_t explained_by(const struct search *s, size_t slip, size_t *parameters, double *residual)
{
    size_t count = 0;
    *residual = 0;
    for (size_t f = 0; f < s->failing_count; f++) {
        if (s->failing[f].done || !s->failing[f].by_one[slip]) continue;
        if (parameters != NULL) parameters[count] = s->failing[f].parameter;
        *residual = fmax(*residual, s->failing[f].residual[slip]);
        count++;
    }
    return count;
}

/* Whether a slip explains all that another one does of what is left. */
static bool explains_too(const struct search *s, size_t slip, size_t other)
{
    for (size_t f = 0; f < s->failing_count; f++)
        if (!s->failing[f].done && s->failing[f].by_one[other] && !s->failing[f].by_one[slip]) return false;
    return true;
}

/* Names the slip that explains most of what is left, of several the likelier; *named: whether there is one. */
static int name_one(struct search *s, bool *named, struct error *error)
{
    size_t best = 0, most = 0;
    double residual;
    for (size_t i = 0; i < s->slip_count; i++) {
        size_t count = explained_by(s, i, NULL, &residual);
        if (count <= most) continue;
        most = count;
        best = i;
    }
    size_t *parameters = arena_array(s->arena, most, sizeof *parameters);
    *named = most > 0;
    if (most == 0) return CODE_OK;
    if (parameters == NULL) return error_out_of_memory(error);
    struct update_found *found = &s->report->found[s->report->found_count++];
    *found = (struct update_found){.slip = s->slips[best], .parameters = parameters, .parameter_count = most};
    explained_by(s, best, parameters, &found->residual);
    for (size_t i = 0; i < s->slip_count; i++)
        if (s->slips[i]->mistake != s->slips[best]->mistake && explains_too(s, i, best))
            add_alternative(found, s->slips[i]->mistake, NULL);
    for (size_t f = 0; f < s->failing_count; f++)
        if (s->failing[f].by_one[best]) s->failing[f].done = true;
    return CODE_OK;
}

/* Two at once for one parameter; and for all others that the same two explain. */
static int name_two(struct search *s, size_t f, struct error *error)
{
    struct slips found = {NULL, NULL};
    struct update_found *first = NULL;
    double residual = 0;
    for (size_t i = 0; i < s->slip_count; i++)
        for (size_t j = 0; j < s->slip_count; j++) {
            struct slips two = {s->slips[i], s->slips[j]};
            double left;
            if (update_is_cancelled(s->check)) return error_set(error, CODE_CANCELLED, "the work was cancelled");
            if (two.first->mistake == two.second->mistake) continue;
            if (!explains(s, two, s->failing[f].parameter, DIGITS_OF_TWO, &left)) continue;
            if (found.first == NULL) {
                found = two;
                residual = left;
                first = &s->report->found[s->report->found_count];
                *first = (struct update_found){.slip = two.first};
            } else if (two.first->mistake != found.second->mistake || two.second->mistake != found.first->mistake) {
                add_alternative(first, two.first->mistake, two.second->mistake);
            }
        }
    if (found.first == NULL) return CODE_OK;
    size_t *parameters = arena_array(s->arena, s->failing_count, sizeof *parameters), count = 0;
    if (parameters == NULL) return error_out_of_memory(error);
    for (size_t k = f; k < s->failing_count; k++) {
        double left = residual;
        if (s->failing[k].done) continue;
        if (k != f && !explains(s, found, s->failing[k].parameter, DIGITS_OF_TWO, &left)) continue;
        parameters[count++] = s->failing[k].parameter;
        residual = fmax(residual, left);
        s->failing[k].done = true;
    }
    first->parameters = parameters;
    first->parameter_count = count;
    first->residual = residual;
    s->report->found[s->report->found_count + 1] = *first;
    s->report->found[s->report->found_count + 1].slip = found.second;
    s->report->found[s->report->found_count + 1].alternative_count = 0;
    s->report->found_count += 2;
    return CODE_OK;
}

int explain_update(struct arena *arena, const struct update_check *check, struct update_report *report,
                   struct error *error)
{
    struct search s = {.arena = arena, .check = check, .report = report};
    report->explained = report->step_passed;
    report->found_count = 0;
    if (!take_room(&s)) return error_out_of_memory(error);
    s.slip_count = update_slips(s.slips);
    for (size_t p = 0; p < check->count; p++) {
        const struct entry *entries = entries_of(&s, p);
        bool replayable = is_replayable(entries);
        if (fails_at_all(entries) && !replayable) report->explained = false;
        if (!replayable) continue;
        struct reproduced *r = &s.failing[s.failing_count++];
        *r = (struct reproduced){.parameter = p};
        for (size_t i = 0; i < s.slip_count; i++) {
            if (update_is_cancelled(check)) return error_set(error, CODE_CANCELLED, "the work was cancelled");
            struct slips one = {s.slips[i], NULL};
            r->by_one[i] = explains(&s, one, p, DIGITS_OF_ONE, &r->residual[i]);
        }
    }
    for (bool named = true; named;)
        if (name_one(&s, &named, error) != CODE_OK) return error->code;
    for (size_t f = 0; f < s.failing_count; f++) {
        if (!s.failing[f].done && name_two(&s, f, error) != CODE_OK) return error->code;
        report->explained = report->explained && s.failing[f].done;
    }
    return CODE_OK;
}
