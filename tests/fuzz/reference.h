/* The right gradients and what leads to them, out of a report that reveals them. */
#ifndef TESTS_FUZZ_REFERENCE_H
#define TESTS_FUZZ_REFERENCE_H

#include <jansson.h>

#include "tests/fuzz/assignment.h"

enum value { VALUE_Z, VALUE_H, VALUE_DZ, VALUE_DH, VALUES };

extern const char *const value_names[VALUES];

struct reference {
    struct matrix gradients[TENSORS_MAX];      /* by parameter */
    struct matrix values[LINEARS_MAX][VALUES]; /* of the k-th layer that has parameters, at k - 1: [batch, ...] */
    size_t rank[LINEARS_MAX], one[LINEARS_MAX][RANK_MAX]; /* the shape of one of its samples */
};

/* The members that make a report show all of it, into an open object. */
void reference_ask(struct text *text, const struct assignment *assignment);

/* From the report to such a request. False where something is missing or of another size than it should be. */
bool reference_read(const json_t *report, const struct assignment *assignment, struct reference *reference);

#endif
