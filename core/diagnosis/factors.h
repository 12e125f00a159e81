/* Factors: what a number that gradients are off by may stand for. */
#ifndef CORE_DIAGNOSIS_FACTORS_H
#define CORE_DIAGNOSIS_FACTORS_H

#include "core/diagnosis/search.h"
#include "core/diagnosis/written.h"

/* What torch.nn.utils.clip_grad_norm_ adds to the norm; others add less. */
#define CLIP_EPSILON 1e-6

/* Lists the factors that have a name for this loss. */
void factors_prepare(struct search *s);

/* What the loss's gradient is multiplied by; 1 where it is not. */
double factors_of_loss(const struct search *s);

/* The limit to which all that was handed in was clipped by its norm, if that is c times the right gradients; NaN where
 * it was not. The norm is the limit, less what an epsilon of at most CLIP_EPSILON in the divisor takes off; how far off
 * that is, relatively, into *off. */
double factors_norm_limit(double norm, double c, double *off);

/* Gives a choice the mistake that its factor c stands for, and the others as alternatives; whole: it is on all
 * gradients. */
void factors_name(const struct search *s, double c, bool whole, struct choice *choice);

/* Two of the named factors at once (half the squared error, not averaged): replaces the choice at `at` by two. */
bool factors_name_two(struct search *s, size_t at, double c);

/* What a factor on all finished gradients that an update brings in is named: a learning rate, or what momentum of 0.9
 * makes of equal gradients. NULL where it is none. */
const struct mistake *factors_of_update(double c);

/* The variant of a mistake that is a factor: the same factor elsewhere is the same mistake, another factor is another.
 */
size_t factors_variant(size_t family, double c);

#endif
