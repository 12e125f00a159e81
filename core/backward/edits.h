/* Small edits of a statement, as its author may have meant it: another operand transposed, a square, a factor, a sign,
 * an axis. Whether one is what was meant is found out by running the code with it. */
#ifndef CORE_BACKWARD_EDITS_H
#define CORE_BACKWARD_EDITS_H

#include "core/backward/state.h"

enum { EDITS_MAX = 1000 };

struct edit {
    size_t statement;
    size_t from, to;     /* bytes of the code, which */
    const char *text;    /* stands in place of */
    int cost;            /* how far from what stands there: 1 to 3 */
    const char *mistake; /* the id of what was done wrong where this is right; NULL where it has none */
};

/* The edits of a statement of the code as it ran, the likeliest first, from the arena; their number into *count. false
 * where memory is short. */
bool edits_list(struct arena *arena, const struct run *plain, size_t statement, struct edit **edits, size_t *count);

/* The code with these edits, no two of which overlap, from the arena; NULL where memory is short. */
const char *edits_apply(struct arena *arena, const struct run *plain, const struct edit *const *edits, size_t count,
                        size_t *length);

#endif
