/* Helpers of a student's code: what stands for no gradient itself, but may be what is wrong with those that it goes
 * into. */
#ifndef CORE_BACKWARD_HELPERS_H
#define CORE_BACKWARD_HELPERS_H

#include "core/backward/search.h"

/* The best helper to blame by an edit that costs so much at most; of all costs also one of which no edit is known, but
 * that should have been a gradient. With `all`, one that makes a gradient all the same, but another one than it should.
 * False where there is none with which fewer are wrong, or `slip` (NULL: whichever) is not. One with which `enough`
 * fewer are wrong is taken before those that are further from what stands there. */
bool helpers_find(struct search *s, const struct slip *slip, bool all, int cost, size_t enough, struct remedy *best);

/* Whether a statement passes on what comes back, rather than being about forward values alone. */
bool helpers_pass_on(const struct search *s, size_t statement);

/* Whether a statement that was run calls any function of the code's own. */
bool helpers_hand_over(const struct search *s, size_t statement);

/* Whether a statement calls a function of the code's own that another one is in. */
bool helpers_call(const struct search *s, size_t caller, size_t called);

/* The one helper that several statements which make wrong gradients have in common, and none that makes a right one; of
 * those that go into each other the first. It is to blame rather than all of them. STATEMENT_NONE where there is none,
 * or more than one. */
size_t helpers_common(struct search *s, const size_t *wrong, size_t count);

/* Whether what a statement makes comes from a helper, and not by way of a right gradient. */
bool helpers_reach(struct search *s, size_t statement, size_t helper);

#endif
