/* Follow-through marks: what is wrong only because of what came in from a mistake made elsewhere. */
#ifndef CORE_DIAGNOSIS_CARRY_H
#define CORE_DIAGNOSIS_CARRY_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/whole.h"

/* Finds what the mistakes of the best solution spoilt without being made there, into diagnosis->inherited. A mistake
 * costs what is graded at its own place: a tensor of its own, or what it spoils first on the way back. What was done to
 * the finished gradients was done to each of them. False when memory is short. */
bool carry_find(const struct search *s, const struct whole *finished, struct diagnosis *diagnosis);

/* Gives the report's entries check->carry of the points for that, and the report what these come to. */
void carry_marks(const struct check *check, const struct diagnosis *diagnosis, struct report *report);

#endif
