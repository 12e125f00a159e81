/* What was handed in for values on the way: given what somebody sent into a node, is what they sent out of it right? */
#ifndef CORE_DIAGNOSIS_GIVEN_H
#define CORE_DIAGNOSIS_GIVEN_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/sweep.h"

/* One value that was handed in. */
struct given {
    const char *name;
    const struct value *value;
    bool gradient;        /* it is the gradient there */
    bool right;           /* within the tolerance, or but for rounding */
    const double *values; /* layout inside */
};

struct given_list {
    struct given *items;
    size_t count;
};

/* Those that have the right shape, and only finite numbers. False when memory is short. */
bool given_read(const struct search *s, const struct check *check, const struct report *report,
                struct given_list *list);

/* Judges each, and the parameters right below a gradient that is among them, into diagnosis->steps: forward as the pass
 * goes, then back. Each node gets what was handed in for what goes into it, else what is right. False when memory is
 * short. */
bool given_judge(const struct search *s, const struct check *check, const struct given_list *list,
                 struct diagnosis *diagnosis);

/* Whether numbers are the same but for the tolerance, and for what rounding on paper leaves. */
bool given_is_near(const struct search *s, size_t n, const double *a, const double *b);

#endif
