/* What could not be evaluated in a student's code: what it would have made is lost, with all that comes of it; where it
 * is known which gradient that is, the right one takes its place under a plan. */
#ifndef CORE_BACKWARD_LOST_H
#define CORE_BACKWARD_LOST_H

#include "core/backward/state.h"

/* Whether something of that name was lost. */
bool lost_is(const struct run *run, const char *name);

/* A statement is at fault: what it, and the block in it that is not run, would have made. False where memory is short.
 */
bool lost_with(struct run *run, struct evaluation *e, const struct statement *statement, struct outcome *outcome);

#endif
