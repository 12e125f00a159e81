/* A forward value that is wrong: handed in, or seen through the gradients. */
#ifndef CORE_DIAGNOSIS_FORWARD_WRONG_H
#define CORE_DIAGNOSIS_FORWARD_WRONG_H

#include "core/diagnosis/given.h"

/* Names the first forward value that was handed in and is wrong (diagnosis->steps), before all other mistakes, with
 * what it looks like where a slip reproduces it; where the slip gives all gradients that were handed in too, in place
 * of them. Where none was, and nothing explains the gradients, a slip that gives all of them. False when memory is
 * short.
 */
bool forward_wrong_find(struct search *s, const struct check *check, const struct given_list *given,
                        struct diagnosis *diagnosis);

/* Whether a diagnosis names one. */
bool forward_wrong_is_in(const struct diagnosis *diagnosis);

#endif
