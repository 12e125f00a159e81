/* What a student did wrong, and where: a search for the mistakes that reproduce the numbers that were handed in. */
#ifndef CORE_DIAGNOSIS_DIAGNOSE_H
#define CORE_DIAGNOSIS_DIAGNOSE_H

#include "core/check/check.h"
#include "core/ops/mistake.h"

/* Seconds that a search should be given. */
#define DIAGNOSE_SECONDS 0.25

enum { FOUND_MAX = 8, FOUND_ALTERNATIVES_MAX = 8 };

/* The layer of a mistake at the loss. */
#define LAYER_LOSS ((size_t)-1)

/* One mistake, at all the places where it was made. Lists are in the arena. */
struct found {
    const struct mistake *mistake;
    size_t *layers, layer_count; /* indices into the definition's layers, or LAYER_LOSS; as the backward pass goes */
    size_t *parameters, parameter_count; /* that it spoils */
    double residual;                     /* the largest difference that it leaves there */
    bool has_factor;
    double factor;
    /* Others that give the same numbers, likelier first; behind those that do so alone such as do so two at once. */
    const struct mistake *alternatives[FOUND_ALTERNATIVES_MAX];
    size_t alternative_count;
    size_t sample;    /* single_sample */
    bool by_norm;     /* clipped: by global norm, else by value */
    bool of_tensors;  /* it is about single tensors, not about a step and all below it */
    bool of_l2;       /* ... and in them about l2's part alone */
    bool right_below; /* there is something below the tensors that it spoils, and all of that is right */
};

struct diagnosis {
    bool explained;     /* the mistakes account for every failing parameter */
    bool stopped;       /* time ran out: something likelier, or alternatives, may have been missed */
    size_t first_wrong; /* the failing parameter that the backward pass reaches first */
    struct found *found;
    size_t count;
};

/* Diagnoses a report that did not pass, for that many seconds at most (0: says only what is first wrong). Memory from
 * the arena. CODE_OUT_OF_MEMORY, CODE_CANCELLED; nothing that a student handed in is an error. */
int diagnose_run(struct arena *arena, const struct check *check, const struct report *report, double seconds,
                 struct diagnosis *diagnosis, struct error *error);

#endif
