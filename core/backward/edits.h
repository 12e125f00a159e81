/* Small edits of a statement, as its author may have meant it: another operand transposed, a square, a factor, a sign,
 * an axis. Whether one is what was meant is found out by running the code with it. */
#ifndef CORE_BACKWARD_EDITS_H
#define CORE_BACKWARD_EDITS_H

#include "core/backward/edit.h"
#include "core/backward/state.h"

/* The edits of a statement of the code as it ran, the likeliest first, from the arena; their number into *count. false
 * where memory is short. */
bool edits_list(struct arena *arena, const struct run *plain, size_t statement, struct edit **edits, size_t *count);

/* The code with these edits, no two of which overlap, from the arena; NULL where memory is short. */
const char *edits_apply(struct arena *arena, const struct run *plain, const struct edit *const *edits, size_t count,
                        size_t *length);

#endif
