/* What the verdict on an update and its explanation share. A part is an enum update_part. */
#ifndef CORE_UPDATE_PARTS_H
#define CORE_UPDATE_PARTS_H

#include "core/update/update_report.h"

/* Whether the optimizer keeps that part. */
bool update_keeps(const struct step_plan *plan, size_t part);

/* What a step made of a part. */
double *update_made(const struct stepped *stepped, size_t part);

/* Room for what a step makes of n numbers. False when memory is short. */
bool update_room(struct arena *arena, size_t n, struct stepped *to);

/* What rounding makes of a part of a parameter; added: of that part, as step_plan_added gives it. */
struct update_rounding update_rounding_of(const struct step_plan *plan, const struct one_step *from, size_t part,
                                          const double *added);

/* The element before the step. */
double update_before(const struct update_rounding *rounding, size_t i);

/* Whether an element is what the right step gives, or what the step that gives `right` does, once it is rounded, in
 * float32 or else in float64. What a step that such numbers can show leaves where it was, or moves the other way, never
 * is. */
bool update_is_rounded(const struct update_rounding *rounding, bool float32, size_t i, double right, double student);

/* What such an element may differ by besides the rule: by all that it does where that is rounding, else by nothing. */
double update_allow(const struct update_check *check, const struct update_rounding *rounding, bool float32, size_t i,
                    double right, double student);

bool update_is_cancelled(const struct update_check *check);

#endif
