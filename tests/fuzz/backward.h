/* A backward pass as students write it, with mistakes. */
#ifndef TESTS_FUZZ_BACKWARD_H
#define TESTS_FUZZ_BACKWARD_H

#include "tests/fuzz/reference.h"

/* Whether there is one for this network: nothing but linear layers, each with one activation at most. */
bool backward_fits(const struct assignment *assignment);

/* Rolls one mistake or several at a layer or at all, and writes what comes out over the reference's gradients: each of
 * its parameter's size. */
void backward_roll(struct dice *dice, const struct assignment *assignment, struct reference *reference);

#endif
