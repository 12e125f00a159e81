/* Which gradient everything in a student's code stands for: by its name, by where it ends up, by its numbers. */
#ifndef CORE_BACKWARD_AIMS_H
#define CORE_BACKWARD_AIMS_H

#include "core/backward/state.h"

/* Settles it for the code as it ran: what each event aims at and which are judged. `claimed`, by graded, becomes the
 * event whose numbers are handed in for it; EVENT_NONE where nothing stands for it. False where memory is short. */
bool aims_settle(struct run *plain, size_t *claimed);

/* Whether an assignment to a target puts something under that name, or into a part of it: W, W[0], (b, W). */
bool aims_puts_into(const struct expression *target, const char *name);

/* Whether an event is made of what was there before it, as in dW = dW / m or return dW / m. */
bool aims_is_made_of(const struct run *run, const struct event *event, const struct event *before);

#endif
