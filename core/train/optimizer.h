/* Optimizers: how parameters follow their gradients. PyTorch's names, formulas and defaults. */
#ifndef CORE_TRAIN_OPTIMIZER_H
#define CORE_TRAIN_OPTIMIZER_H

#include "core/ops/attribute.h"
#include "core/base/error.h"
#include "core/backend/updates.h"

enum { OPTIMIZER_ATTRIBUTES_MAX = 6 };

struct optimizer_type {
    const char *name;
    const char *summary;                                       /* one line, with the formula */
    struct attribute attributes[OPTIMIZER_ATTRIBUTES_MAX + 1]; /* ends where a name is NULL and no pair goes on */
    /* optional: CODE_OUT_OF_RANGE at the attribute, where values do not go together */
    int (*check)(const double *attributes, struct error *error);
    /* The numbers of the step-th step, from 1. */
    void (*step)(const double *attributes, size_t step, struct update *update);
    double (*second_begins)(const double *attributes); /* what `second` starts with; NULL: 0 */
    /* What its state is called: PyTorch's name first, then those of courses; each list ends with NULL, and is NULL
     * where no rule of its keeps that. */
    const char *const *first_names, *const *second_names;
};

/* All of them; ends with NULL. The first one is the default. */
extern const struct optimizer_type *const optimizers[];

struct optimizer {
    const struct optimizer_type *type;
    double attributes[OPTIMIZER_ATTRIBUTES_MAX]; /* in the order of type->attributes */
};

/* What `second` is before the first step. */
double optimizer_second_begins(const struct optimizer *optimizer);

#endif
