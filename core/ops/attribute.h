/* What a user may set of an op or an optimizer: its name, kind, default and range. */
#ifndef CORE_OPS_ATTRIBUTE_H
#define CORE_OPS_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>

/* Sizes beyond 2^53 are not whole in float64; no network that fits into memory comes near. */
#define SIZE_MOST 9007199254740992.0

enum attribute_kind {
    ATTRIBUTE_SIZE,   /* a whole number from `least` to `most` (0: the most that any size may be) */
    ATTRIBUTE_REAL,   /* a finite number, from `least` (or above it, where `open`), and less than `below` */
    ATTRIBUTE_PAIR,   /* two such numbers; the second one's entry, without a name, comes right behind */
    ATTRIBUTE_FLAG,   /* true or false: 1 or 0 */
    ATTRIBUTE_CHOICE, /* one of `choices`: its index */
    ATTRIBUTE_SIZES,  /* two sizes, or one that is both; the second's entry is as a pair's, and what it says the same */
};

struct attribute {
    const char *name;
    enum attribute_kind kind;
    bool required;
    double fallback; /* where it is not given; for an optional size below `least`: not given */
    double least, most;
    bool open;
    double below;               /* 0: no limit */
    const char *const *choices; /* ends with NULL */
    bool follows;               /* from the op's parameters, where these are given: op->follow */
};

/* Whether a list goes on here: the second entry of two has no name. */
static inline bool attribute_stands(const struct attribute *a)
{
    return a->name != NULL || a->kind == ATTRIBUTE_PAIR || a->kind == ATTRIBUTE_SIZES;
}

/* Whether it is a size, or two of them. */
static inline bool attribute_is_size(const struct attribute *a)
{
    return a->kind == ATTRIBUTE_SIZE || a->kind == ATTRIBUTE_SIZES;
}

#endif
