/* What a student may have differentiated instead: other networks, whose gradients are handed in for the right one's. */
#ifndef TESTS_FUZZ_VARY_H
#define TESTS_FUZZ_VARY_H

#include "tests/fuzz/reference.h"

/* Another loss, reduction, l2 or op, or a sample less. */
void vary_roll(struct dice *dice, struct assignment *assignment);

/* A network of the same values in which some consumers of a value, or of a parameter, send nothing back: they take a
 * copy of it. False where there is nothing to be cut. */
bool vary_cut(struct dice *dice, struct assignment *assignment, const struct reference *reference);

/* The gradients of the other network, by the graded of the right one. */
void vary_map(const struct assignment *assignment, const struct assignment *other, const struct reference *from,
              struct reference *to);

#endif
