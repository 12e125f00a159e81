/* Very many kinks: by all equations at once. */
#ifndef CORE_CHECK_KINK_EQUATIONS_H
#define CORE_CHECK_KINK_EQUATIONS_H

#include "core/check/kink_spots.h"

/* Settles what is open before `end` by all tensors that are ready, `open` being room for the list of it; takes it back
 * where that does not make more of them the student's. CODE_OUT_OF_MEMORY; CODE_CANCELLED. */
int kink_settle_jointly(struct settling *s, size_t end, size_t *open);

#endif
