/* What is right but for a little that is no rounding: differences handed in for derivatives, an epsilon in a logarithm.
 */
#ifndef CORE_DIAGNOSIS_NEARLY_H
#define CORE_DIAGNOSIS_NEARLY_H

#include "core/diagnosis/whole.h"

/* Where all that was handed in is near to the right gradients, looks for what gives just these numbers: `finished` is
 * set then. False when memory is short. */
bool nearly_find(struct search *s, const struct check *check, const struct report *report, struct whole *finished);

#endif
