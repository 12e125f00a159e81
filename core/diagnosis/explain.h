/* One graded tensor under a hypothesis: whether that is what was handed in, and what else may account for it. */
#ifndef CORE_DIAGNOSIS_EXPLAIN_H
#define CORE_DIAGNOSIS_EXPLAIN_H

#include "core/diagnosis/steps.h"

/* Accounts for one tensor under the hypothesis: as it is, or by a mistake of its own, which goes on the path. call is
 * the step of the node that is the last to send to it on the way back. False where nothing reproduces it. */
bool explain_tensor(struct search *s, const struct step_call *call, size_t p, const double *predicted);

#endif
