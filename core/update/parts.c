#include "core/update/parts.h"

#include <float.h>

/* What float64 leaves of a number after a few operations; and float32. */
#define ROUNDING (16 * DBL_EPSILON)
#define ROUNDING_OF_FLOAT32 (4 * (double)FLT_EPSILON)

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

const double *update_before(const struct updated *parameter, size_t part)
{
    const struct one_step *from = &parameter->from;
    return part == UPDATE_PARAMETER ? from->w : part == UPDATE_FIRST ? from->first : from->second;
}

bool update_keeps(const struct step_plan *plan, size_t part)
{
    return part == UPDATE_PARAMETER || (part == UPDATE_FIRST ? plan->update.uses_first : plan->update.uses_second);
}

double update_allow(const struct update_check *check, const struct entry *entry, double size)
{
    if (check->tolerance.kind != TOLERANCE_AUTO) return 0;
    return (entry->of_float32 ? ROUNDING_OF_FLOAT32 : ROUNDING) * size;
}
