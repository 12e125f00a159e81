/* The search for mistakes: a walk down the backward pass that tries alternative rules and drops every hypothesis at the
 * first layer whose submitted gradients it does not reproduce. */
#ifndef CORE_DIAGNOSIS_WALK_H
#define CORE_DIAGNOSIS_WALK_H

#include "core/diagnosis/diagnose.h"
#include "core/diagnosis/match.h"

#define NOTHING_PENDING ((size_t)-1)

enum { CHOICE_ALTERNATIVES = 8, FACTORS_MAX = 16, SOLUTIONS_MAX = 24, BUDGET_MAX = 3 };

/* What was handed in for one parameter. */
struct observed {
    const double *values; /* layout inside; NULL where it is no tensor of the parameter's size */
    const double *raw;    /* as it was handed in */
    bool transposed;      /* of the transpose's shape (and not of the parameter's own) */
    bool per_sample;      /* a bias with the batch axis still there: values are [rows, out] */
    bool one_number;      /* a bias of one number where it should have its units' shape: values repeat it */
    bool failing, absent; /* absent: not submitted */
    double bound;         /* match_bound of the values */
};

/* One mistake at one place. */
struct choice {
    const struct mistake *mistake;
    size_t variant;   /* of the mistake: the same wrong function elsewhere is the same mistake */
    size_t layer;     /* or LAYER_LOSS */
    size_t parameter; /* that alone is spoilt, or PARAMETER_NONE */
    bool has_factor, by_norm;
    bool of_l2; /* the factor is on l2's part of the tensor alone */
    double off; /* by which the factor that was fitted differs from the number that it is taken for, relatively */
    double factor, times; /* times: what the gradients are multiplied by; 0 where the mistake is no such thing */
    size_t sample;
    bool fitted; /* the factor was found by fitting, which costs evidence */
    const struct mistake *alternatives[CHOICE_ALTERNATIVES];
    size_t alternative_count;
};

struct solution {
    struct choice *path;
    struct match *matches;                          /* by parameter; FIT_NONE: it stays unexplained */
    size_t length, distinct, unexplained;           /* unexplained counts failing parameters */
    const struct mistake *mistakes[BUDGET_MAX + 1]; /* the distinct ones, as the backward pass comes to them */
    enum fit fit;
    unsigned rank;
};

struct factor_name {
    const struct mistake *mistake;
    double value;
};

struct search {
    struct arena *arena;
    const struct network *network;
    const struct pass *pass; /* float64 on the CPU, after forward and backward */
    double *const *parameters;
    const struct observed *observed;
    struct matching matching;
    double norm; /* of all that was submitted together; NaN where something is missing */
    struct factor_name factors[FACTORS_MAX];
    size_t factor_count;
    double deadline;
    const atomic_bool *cancelled;
    bool stopped;

    /* room, by node: gradients at its output under the hypothesis, and those of its parameters */
    double **value, **slope, **right_value, **right_slope, **resolved, **dW, *room, *weight_room, *weight_slope,
        *weight_turned, *loss_room, *local_value, *local_slope;
    /* core/diagnosis/sketch.h's: a random combination of the inputs, +1 and -1; by node, x times it, and what it should
     * come to with the margin behind; room; by node, room */
    double *signs, *ones, **projected, **wanted, *combined, **sketch_room;
    bool large;
    const double **g, **gs; /* what holds now: g, or g + c * gs */

    size_t budget; /* distinct mistakes allowed */
    bool partial;  /* tensors may stay unexplained */
    struct choice *path;
    size_t path_max, length;
    size_t distinct, kinds[BUDGET_MAX + 1];         /* the first choice of each distinct mistake, in the path's order */
    size_t of_tensors;                              /* choices that are single tensors' own */
    size_t pending;                                 /* the choice whose factor is not known yet, or NOTHING_PENDING */
    struct match *matches;                          /* by parameter; FIT_NONE: it stays unexplained, or is absent */
    bool *taken;                                    /* room by parameter */
    struct solution *best, pool[1 + SOLUTIONS_MAX]; /* the best, then those as good, for its alternatives */
    size_t other_count;
};

/* Takes the room and looks at the numbers; false when memory is short. The first fields (arena to norm, deadline,
 * cancelled) are the caller's. */
bool search_prepare(struct search *search);

/* Searches with so many distinct mistakes; the outcome is in best (NULL where there is none) and others. */
void search_run(struct search *search, size_t budget, bool partial);

#endif
