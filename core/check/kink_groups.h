/* Kinks by one tensor: all choices of a group of spots that change the same numbers. */
#ifndef CORE_CHECK_KINK_GROUPS_H
#define CORE_CHECK_KINK_GROUPS_H

#include "core/check/kink_spots.h"

/* Settles open spots by a tensor that depends on them, and on no others that are open. CODE_OK also where that did not
 * do. CODE_OUT_OF_MEMORY; CODE_CANCELLED. */
int kink_settle_by(struct settling *s, size_t t, const size_t *open, size_t open_count);

#endif
