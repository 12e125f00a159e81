#include "core/check/rounded.h"

#include <math.h>

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
static struct printed printed_of(const struct looks *l, const struct look *look)
{
    const struct printed *whole = &l->printed;
    struct printed own = {0};
    bool alike = whole->decimals > 0 || whole->digits > 0;
    if (alike && (look->entry->verdict != VERDICT_MISMATCH || is_rounded(l, look, whole))) return *whole;
    if (look->text) return own;
    if (printed_add(&own, look->value->size, look->student) && printed_settle(&own)) return own;
    return *whole;
}

bool rounded_may_be(const struct looks *l)
{
    for (size_t i = 0; i < l->graded; i++) {
        struct printed own = {0};
        const struct tensor *student = l->list[i].entry->submission->tensor;
        if (printed_add(&own, student->size, student->data)) return true;
    }
    return false;
}

void rounded_find(struct looks *l)
{
    struct printed whole = {0};
    bool all = !l->text; /* which is no printing with few digits */
    for (size_t i = 0; i < l->graded && all; i++)
        all = printed_add(&whole, l->list[i].value->size, l->list[i].student);
    l->printed = all && printed_settle(&whole) ? whole : (struct printed){0};
}

bool rounded_allow(const struct looks *l, const double **allowed)
{
    bool printed = l->printed.decimals > 0 || l->printed.digits > 0;
    for (size_t i = 0; i < l->graded; i++) {
        const struct look *look = &l->list[i];
        allowed[i] = look->allowed;
        if (!printed) continue;
        double *more = arena_doubles(l->arena, look->value->size);
        if (more == NULL) return false;
        for (size_t e = 0; e < look->value->size; e++)
            more[e] = look->allowed[e] + printed_half_unit(&l->printed, look->student[e]);
        allowed[i] = more;
    }
    return true;
}

void rounded_look(struct looks *l)
{
    for (size_t i = 0; i < l->graded; i++) {
        struct look *look = &l->list[i];
        struct entry *entry = look->entry;
        entry->printed = printed_of(l, look);
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
