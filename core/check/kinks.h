/* Where the derivative jumps, and which side right work is on. The order of a sum decides on which side of 0 an input
 * of ReLU falls that is 0 on paper, and so decides whether a gradient goes through it; both are right. */
#ifndef CORE_CHECK_KINKS_H
#define CORE_CHECK_KINKS_H

#include "core/check/kink_spots.h"

struct kinks_asked {
    double eps;
    bool exact_too; /* also elements that lie right on a kink, where a convention has chosen */
    bool brief;     /* only where CHECK_BRIEF_OPERATIONS will do */
};

struct kinks_settled {
    size_t flipped;
    bool undecided; /* some slopes between the sides of errors that are 0 but for rounding would do, too, and it was not
                       found out whether some sides do */
    bool postponed; /* nothing was done: it would not be brief */
};

/* Moves elements that lie within MAGNITUDE_ROUNDINGS eps of their magnitude from a kink to its other side, where that
 * makes the pass's gradients the student's; the pass (float64 on the CPU, after backward) is left with that side and
 * its gradients. settled->flipped counts them. CODE_OUT_OF_MEMORY; CODE_CANCELLED. */
int kinks_settle(struct arena *arena, struct pass *pass, const struct magnitudes *magnitudes,
                 const struct kinks_asked *asked, struct kinks_tensor *tensors, size_t count,
                 struct kinks_settled *settled, struct error *error);

#endif
