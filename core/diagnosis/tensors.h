/* One layer's own gradients under a hypothesis: what they would be, and what else may account for what was handed in.
 */
#ifndef CORE_DIAGNOSIS_TENSORS_H
#define CORE_DIAGNOSIS_TENSORS_H

#include "core/diagnosis/walk.h"

/* A node as rules see it, with what the hypothesis sends into it. */
struct step_call layer_call(const struct search *s, size_t node);

/* dW or db of a parameter from a dz, with l2's part, into out; whether it has one; and `times` l2's part alone on top
 * of dW. */
void layer_gradient(const struct search *s, const struct step_call *call, size_t p, const double *dz, double *out);
bool layer_has_l2(const struct search *s, size_t p);
void layer_add_l2(const struct search *s, size_t p, double times, double *dW);

/* Compares a prediction for a parameter with what was handed in for it. */
struct match layer_match(const struct search *s, size_t p, const double *predicted);

/* Accounts for one tensor under the hypothesis: as it is, or by a mistake of its own, which goes on the path. False
 * where nothing reproduces it. */
bool layer_explain(struct search *s, const struct step_call *call, size_t p, const double *predicted);

#endif
