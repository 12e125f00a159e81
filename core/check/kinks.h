/* Where the derivative jumps, and which side right work is on. The order of a sum decides on which side of 0 an input
 * of ReLU falls that is 0 on paper, and so decides whether a gradient goes through it; both are right. */
#ifndef CORE_CHECK_KINKS_H
#define CORE_CHECK_KINKS_H

#include "core/check/kink_spots.h"

/* Moves elements that lie within MAGNITUDE_ROUNDINGS eps of their magnitude from a kink to its other side, where that
 * makes the pass's gradients the student's; the pass (float64 on the CPU, after backward) is left with that side and
 * its gradients. With `exact_too` also those that lie right on it, where a convention has chosen. *flipped counts them.
 * *undecided: some slopes between the sides of errors that are 0 but for rounding would do that, too, and it was not
 * found out whether some sides do. CODE_OUT_OF_MEMORY; CODE_CANCELLED. */
int kinks_settle(struct arena *arena, struct pass *pass, const struct magnitudes *magnitudes, double eps,
                 bool exact_too, struct kinks_tensor *tensors, size_t count, size_t *flipped, bool *undecided,
                 struct error *error);

#endif
