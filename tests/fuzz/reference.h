/* The right gradients and what leads to them, out of a report that reveals them. */
#ifndef TESTS_FUZZ_REFERENCE_H
#define TESTS_FUZZ_REFERENCE_H

#include <jansson.h>

#include "tests/fuzz/assignment.h"

enum reference_value { VALUE_Z, VALUE_H, VALUE_DZ, VALUE_DH, VALUES };

extern const char *const value_names[VALUES];

struct reference {
    struct matrix gradients[TENSORS_MAX];       /* by parameter */
    struct matrix values[NUMBERED_MAX][VALUES]; /* of the k-th layer that has parameters, at k - 1: [batch, ...] */
    struct sample one[NUMBERED_MAX];            /* the shape of one of its samples */
    bool not_finite; /* one of the values, of a layer that the loss does not depend on; here it is 0 */
};

/* The members that make a report show all of it, into an open object; values only where they are wanted. */
void reference_ask(struct text *text, const struct assignment *assignment, bool values);

/* From the report to such a request. False where something is missing or of another size than it should be. */
bool reference_read(const json_t *report, const struct assignment *assignment, bool values,
                    struct reference *reference);

#endif
