/* Very many kinks: by all equations at once. */
#ifndef CORE_CHECK_KINK_EQUATIONS_H
#define CORE_CHECK_KINK_EQUATIONS_H

#include "core/check/kink_spots.h"

/* Settles what is open before `end` by all tensors that are ready, `open` being room for the list of it; takes it back
 * where that does not make more of them the student's. CODE_OUT_OF_MEMORY; CODE_CANCELLED. */
int kink_settle_jointly(struct settling *s, size_t end, size_t *open);

/* Errors of the loss that are 0 but for rounding, on sides that no search has found: any slope between those of the
 * sides is a subgradient. Takes those by which the pass's gradients come nearest to the student's, and adds to these
 * what they change; no other gradient of the pass is right then. *ambiguous, which is false before: there are more
 * choices of sides than sums of them, so that some come to this one. `open` as above; marks what is between. Nothing is
 * done where it would take too long. CODE_OUT_OF_MEMORY; CODE_CANCELLED. */
int kink_settle_between(struct settling *s, size_t *open, bool *ambiguous);

#endif
