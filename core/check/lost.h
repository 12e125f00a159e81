/* Where a gradient is lost to the way that it was computed: in float32, or through an output that has saturated. What
 * was handed in is wrong then, but says nothing of what the student understood. */
#ifndef CORE_CHECK_LOST_H
#define CORE_CHECK_LOST_H

#include "core/check/looks.h"

/* Marks what mismatches and was lost so (entry->lost), or may have been (entry->lost_perhaps), once looks_import has
 * made the numbers. Errors are the pass's.
 */
int lost_look(struct looks *l);

/* Whether an output lies so near the end of its range that a loss which is joined with the op that makes it comes out
 * otherwise where it is not. */
bool lost_may_be(const struct looks *l);

#endif
