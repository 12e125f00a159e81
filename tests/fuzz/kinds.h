/* What there is to choose from: layers and losses, and what they are told. A new one is a line in kinds.c, and one more
 * in LAYER_KINDS or LOSSES, which count them; a layer that is no activation has its name in the list before these. */
#ifndef TESTS_FUZZ_KINDS_H
#define TESTS_FUZZ_KINDS_H

#include <math.h>

#include "tests/fuzz/dice.h"
#include "tests/fuzz/writer.h"

enum {
    KIND_LINEAR,
    KIND_FLATTEN,
    KIND_ADD,
    KIND_MUL,
    KIND_CONCAT,
    KIND_NORM,
    KIND_FIRST_ACTIVATION,
    KIND_SIGMOID = KIND_FIRST_ACTIVATION + 2,
    KIND_SOFTMAX = KIND_FIRST_ACTIVATION + 8,
    LAYER_KINDS = KIND_FIRST_ACTIVATION + 10,
    LOSSES = 11,
};

struct kind {
    const char *name, *attribute; /* attribute: a number, or one of two words */
    double low, high;
    const char *words[2];
    bool probabilities; /* a layer: gives them; a loss: wants them */
    bool whole;         /* an activation that is not elementwise */
    bool classes;       /* a loss that takes one score per class, and indices */
    bool soft;          /* such a loss that takes probabilities, too */
    bool upstream;      /* a loss that is none: the gradient at the output is given */
};

extern const struct kind layer_kinds[LAYER_KINDS], losses[LOSSES];

/* An activation's or a loss's attribute, or nothing of it. */
void kind_roll(struct dice *dice, const struct kind *kind, bool *given, double *number);

/* The attribute as a member, where it is given. */
void kind_write(struct text *text, const struct kind *kind, bool given, double number);

static inline double rounded(double value, double step)
{
    return round(value / step) * step;
}

#endif
