/* What a user may set of an op or an optimizer: its name, kind, default and range. */
#ifndef CORE_OPS_ATTRIBUTE_H
#define CORE_OPS_ATTRIBUTE_H

#include <stdbool.h>

enum attribute_kind {
    ATTRIBUTE_SIZE,   /* a whole number from `least` to `most` (0: the most that any size may be) */
    ATTRIBUTE_REAL,   /* a finite number, from `least` (or above it, where `open`), and less than `below` */
    ATTRIBUTE_PAIR,   /* two such numbers; the second one's entry, without a name, comes right behind */
    ATTRIBUTE_FLAG,   /* true or false: 1 or 0 */
    ATTRIBUTE_CHOICE, /* one of `choices`: its index */
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
};

#endif
