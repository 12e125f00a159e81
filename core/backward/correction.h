/* One edit with which all that is handed in comes out right: whatever things are called on the way. */
#ifndef CORE_BACKWARD_CORRECTION_H
#define CORE_BACKWARD_CORRECTION_H

#include "core/backward/search.h"

/* Looks for the nearest edit, no further than `cost`, on top of those that are taken: *found becomes it, and is as it
 * was where there is none. Of two that are as near the one in a statement that `likely` (by statement) names. */
void correction_find(struct search *s, int cost, const bool *likely, const struct edit **found);

#endif
