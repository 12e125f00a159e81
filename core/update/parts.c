#include "core/update/parts.h"

#include <float.h>
#include <math.h>

/* Roundings of what is added: those of the numbers, of the attributes and of a few operations. Where 1 - beta is itself
 * taken in that precision, it is off by a quarter of an epsilon. */
#define ROUNDINGS 8
#define ROUNDINGS_OF_COMPLEMENT 0.25

bool update_is_cancelled(const struct update_check *check)
{
    return check->cancelled != NULL && atomic_load_explicit(check->cancelled, memory_order_relaxed);
}

bool update_room(struct arena *arena, size_t n, struct stepped *to)
{
    to->w = arena_doubles(arena, n);
    to->first = arena_doubles(arena, n);
    to->second = arena_doubles(arena, n);
    return to->w != NULL && to->first != NULL && to->second != NULL;
}

double *update_made(const struct stepped *stepped, size_t part)
{
    return part == UPDATE_PARAMETER ? stepped->w : part == UPDATE_FIRST ? stepped->first : stepped->second;
}

bool update_keeps(const struct step_plan *plan, size_t part)
{
    return part == UPDATE_PARAMETER || (part == UPDATE_FIRST ? plan->update.uses_first : plan->update.uses_second);
}

static double roundings_of_complement(double complement)
{
    return complement > 0 && complement < 1 ? ROUNDINGS_OF_COMPLEMENT / complement : 0;
}

struct update_rounding update_rounding_of(const struct step_plan *plan, const struct one_step *from, size_t part,
                                          const double *added)
{
    const struct update *u = &plan->update;
    struct update_rounding r = {.before = from->w, .kept = u->rule == UPDATE_adam ? u->shrink : 1, .added = added};
    if (part == UPDATE_FIRST) {
        r.before = from->first;
        r.kept = u->keep;
    } else if (part == UPDATE_SECOND) {
        r.before = from->second;
        r.begins = optimizer_second_begins(plan->optimizer);
        r.kept = u->rule == UPDATE_adagrad ? 1 : u->keep_square;
    }
    r.roundings = ROUNDINGS;
    if (u->uses_first) r.roundings += roundings_of_complement(u->add);
    if (u->uses_second) r.roundings += roundings_of_complement(u->add_square);
    return r;
}

double update_before(const struct update_rounding *rounding, size_t i)
{
    return rounding->before != NULL ? rounding->before[i] : rounding->begins;
}

/* What is added may be off by so much. Where a mean is moved by a part of the difference from it, that is rounded, too.
 */
static double added_off(const struct update_rounding *r, double epsilon, double before, double right, double added)
{
    return epsilon * (r->roundings * fmax(added, fabs(right - before)) + fabs((1 - r->kept) * before));
}

/* What rounding the factor and the product, or neither, makes of what is kept. */
static void kept_range(const struct update_rounding *r, bool float32, double before, double range[2])
{
    double product = r->kept * before;
    float rounded = (float)product, of_rounded = (float)((double)(float)r->kept * before);
    double off = r->kept == 1 ? 0 : DBL_EPSILON * fabs(product);
    range[0] = float32 ? fmin(product, fmin(rounded, of_rounded)) : product - off;
    range[1] = float32 ? fmax(product, fmax(rounded, of_rounded)) : product + off;
}

/* Rounding keeps the order of numbers: it suffices to round the ends of where the sum may be. The reference is rounded
 * to float64 already. */
static bool is_sum(const double kept[2], double added, double off, bool float32, double student)
{
    double least = kept[0] + (added - off), most = kept[1] + (added + off);
    if (float32) return student >= (double)(float)least && student <= (double)(float)most;
    return student >= nextafter(least, -HUGE_VAL) && student <= nextafter(most, HUGE_VAL);
}

bool update_is_rounded(const struct update_rounding *r, bool float32, size_t i, double right, double student)
{
    double before = update_before(r, i), added = right - r->kept * before, range[2];
    double off = added_off(r, float32 ? FLT_EPSILON : DBL_EPSILON, before, right, r->added[i]);
    if (!(off <= DBL_MAX) || !(fabs(added) <= DBL_MAX)) return false;
    kept_range(r, float32, before, range);
    if (is_sum(range, added, off, float32, student)) return true;
    if (!float32) return false;
    kept_range(r, float32, (double)(float)before, range); /* what was given as 0.7 was float32's from the start */
    return is_sum(range, added, off, float32, student);
}

double update_allow(const struct update_check *check, const struct update_rounding *rounding, bool float32, size_t i,
                    double right, double student)
{
    if (check->tolerance.kind != TOLERANCE_AUTO || !update_is_rounded(rounding, float32, i, right, student)) return 0;
    return fabs(student - right);
}
