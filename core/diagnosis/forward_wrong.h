/* A forward value that is wrong: handed in, or seen through the gradients. */
#ifndef CORE_DIAGNOSIS_FORWARD_WRONG_H
#define CORE_DIAGNOSIS_FORWARD_WRONG_H

#include "core/diagnosis/replay.h"

/* A slip that gives all gradients that were handed in, seen through these alone. */
struct forward_slip {
    bool found;
    struct replay replay;
    double residual;
};

/* Looks for one, where no forward value that was handed in is wrong (diagnosis->steps): it is one mistake, and so comes
 * before any two. False when memory is short. */
bool forward_wrong_look(struct search *s, const struct check *check, const struct given_list *given,
                        const struct diagnosis *diagnosis, struct forward_slip *slip);

/* Names the first forward value that was handed in and is wrong (diagnosis->steps), before all other mistakes, with
 * what it looks like where a slip reproduces it; where the slip gives all gradients that were handed in too, in place
 * of them. Where none was, the slip that forward_wrong_look has found. False when memory is short.
 */
bool forward_wrong_find(struct search *s, const struct check *check, const struct given_list *given,
                        struct forward_slip *slip, struct diagnosis *diagnosis);

/* Whether a diagnosis names one. */
bool forward_wrong_is_in(const struct diagnosis *diagnosis);

#endif
