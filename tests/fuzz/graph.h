/* Layers that are more than one line: several inputs, values used several times, members of data beside x, shared
 * parameters. */
#ifndef TESTS_FUZZ_GRAPH_H
#define TESTS_FUZZ_GRAPH_H

#include "tests/fuzz/assignment.h"

/* Adds at least one layer. Parameters are of the sort. */
void graph_roll(struct dice *dice, struct assignment *assignment, unsigned sort);

#endif
