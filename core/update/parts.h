/* What the verdict on an update and its explanation share. A part is an enum update_part. */
#ifndef CORE_UPDATE_PARTS_H
#define CORE_UPDATE_PARTS_H

#include "core/update/update_report.h"

/* Whether the optimizer keeps that part. */
bool update_keeps(const struct step_plan *plan, size_t part);

/* A part before the step (NULL where it was not given), and what a step made of it. */
const double *update_before(const struct updated *parameter, size_t part);
double *update_made(const struct stepped *stepped, size_t part);

/* Room for what a step makes of n numbers. False when memory is short. */
bool update_room(struct arena *arena, size_t n, struct stepped *to);

/* What an element of a submission may be off by besides the rule, where it is a sum of numbers of that size: what
 * rounding makes of it. */
double update_allow(const struct update_check *check, const struct entry *entry, double size);

bool update_is_cancelled(const struct update_check *check);

#endif
