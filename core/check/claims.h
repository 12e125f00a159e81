/* What a student handed in, and which of it stands for the gradient of what. */
#ifndef CORE_CHECK_CLAIMS_H
#define CORE_CHECK_CLAIMS_H

#include "core/pass/problem.h"

/* One thing that a student handed in, under the name that they gave it. */
struct submission {
    const char *name;
    const struct tensor *tensor; /* in the request's layout; NULL where it is not a tensor */
    const char *flaw;            /* why it is not one: "rows differ in length"; NULL otherwise */
};

struct submissions {
    const struct submission *items;
    size_t count;
};

/* By graded: the submission that names its gradient, in any of the ways of core/graph/gradient_names.h; NULL where
 * there is none. The name of something that is graded stands for nothing else, whatever else it could be read as. Where
 * upper and lower case are not as they should be, a name counts if it can be read in one way only, and nothing that is
 * written as it should be is there. The array is the arena's; NULL when memory is short: never to be taken for missing
 * gradients. */
const struct submission **claims_find(struct arena *arena, const struct problem *problem,
                                      const struct submissions *submissions);

#endif
