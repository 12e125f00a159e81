/* One edit with which all that is handed in comes out right: whatever things are called on the way. */
#ifndef CORE_BACKWARD_CORRECTION_H
#define CORE_BACKWARD_CORRECTION_H

#include "core/backward/search.h"

/* Looks for an edit, no further than `cost`, on top of those that are taken; not of statements that make nothing but
 * right gradients (s->now). Of several the one with which the most is a gradient by its numbers, then the nearest, then
 * one of a statement that makes a wrong gradient by its name, or passes on what comes back. NULL where there is none.
 */
const struct edit *correction_find(struct search *s, int cost);

/* Whether all of it is right with the edits that are taken. */
bool correction_is_done(struct search *s);

#endif
