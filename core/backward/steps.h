/* Which step of a loop a gradient belongs to, where a name of the forward pass has stood for one value after the other,
 * and the code goes through them in a loop of its own: dh of the last h first, as a rule. */
#ifndef CORE_BACKWARD_STEPS_H
#define CORE_BACKWARD_STEPS_H

#include "core/backward/state.h"

/* Aims what the code makes step by step at one gradient each, where it is plain which way it goes: as many steps as
 * there are values, and the gradients that are right in the first step say whether it begins with the last value or
 * with the first. */
void steps_settle(struct run *plain);

#endif
