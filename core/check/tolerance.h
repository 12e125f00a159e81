/* How near is near enough: the rule that a check asks for, and what it comes to for one tensor. */
#ifndef CORE_CHECK_TOLERANCE_H
#define CORE_CHECK_TOLERANCE_H

#include <stdbool.h>
#include <stddef.h>

struct tolerance {
    double atol, rtol; /* |student - reference| <= atol + rtol*|reference|; both finite and not negative */
};

enum tolerance_kind {
    TOLERANCE_AUTO,           /* 1e-6, but less where the whole tensor is small; and what rounding explains */
    TOLERANCE_PLAIN,          /* as `plain` says */
    TOLERANCE_RELATIVE_NORM,  /* ||s - r|| / (||s|| + ||r||) <= limit, by tensor (deeplearning.ai) */
    TOLERANCE_RELATIVE_ERROR, /* max |s - r| / max(|s| + |r|, 1e-8) <= limit (CS231n) */
    TOLERANCE_DECIMALS,       /* equal after rounding to `limit` decimals, or within half a unit of them */
};

struct tolerance_rule {
    enum tolerance_kind kind;
    struct tolerance plain;
    double limit; /* of the last three; finite and not negative */
};

/* The name of a kind in a request, where it has a number alone: "relative_norm"; NULL of the first two. */
extern const char *const tolerance_names[];

/* What a rule comes to for one tensor of n elements: for TOLERANCE_RELATIVE_NORM and _ERROR what is about as near.
 * `largest` is the largest magnitude of all reference gradients. */
struct tolerance tolerance_of(const struct tolerance_rule *rule, size_t n, const double *reference, double largest);

/* Whether a rule that was asked for cannot tell the reference from zeros. Never of TOLERANCE_AUTO. */
bool tolerance_is_weak(const struct tolerance_rule *rule, size_t n, const double *reference);

#endif
