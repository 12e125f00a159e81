/* What a search works with, split by role: what was observed, what flows back, the hypothesis that is followed, and the
 * pool of those that held. */
#ifndef CORE_DIAGNOSIS_SEARCH_H
#define CORE_DIAGNOSIS_SEARCH_H

#include "core/check/check.h"
#include "core/diagnosis/flow.h"
#include "core/diagnosis/match.h"
#include "core/ops/mistake.h"

#define NOTHING_PENDING ((size_t)-1)
#define PARAMETER_NONE ((size_t)-1)

/* A factor that near to 1, or a part of the whole that small, is nothing that anybody wrote down: it is what rounding
 * made of it. */
#define NO_FACTOR 1e-3

/* Where all else fits to the rounding of float64, so does a number that was written down. */
#define EXACT_FACTOR 1e-9

enum { CHOICE_ALTERNATIVES = 8, FACTORS_MAX = 16, SOLUTIONS_MAX = 24, BUDGET_MAX = 3 };

/* What was handed in for one tensor that is graded. */
struct observed {
    const double *values;       /* layout inside; NULL where it is no tensor of the right size */
    const double *raw;          /* as it was handed in */
    bool transposed;            /* of another shape than its own: the transpose's, flattened or stacked */
    bool turned;                /* outside its rows are the columns inside */
    bool flattened;             /* with one axis instead of two */
    const struct view *stacked; /* raw holds one for each sample, on a first axis, each as this has it; values are their
                                 * sum */
    bool per_sample; /* of a parameter that is added to rows, with one for each: values are shaped like the output */
    bool one_number; /* one number where there should be a vector: values repeat it */
    bool failing, absent; /* absent: not submitted */
    bool float32;         /* its numbers are float32's */
    struct tolerance tolerance;
    double bound; /* match_bound of the values */
};

/* One mistake at one place. */
struct choice {
    const struct mistake *mistake;
    size_t variant;            /* of the mistake: the same wrong function elsewhere is the same mistake */
    const struct node *node;   /* where; NULL: at the loss, or in the gradient of data */
    const struct value *below; /* what it makes wrong, and all that this depends on; NULL: everything */
    size_t parameter;          /* that alone is spoilt, of what is graded; or PARAMETER_NONE */
    bool has_factor, by_norm;
    bool of_l2, but_l2; /* the factor is on l2's part of the tensor alone; on all but that */
    bool sent_back;     /* it is told as one on the loss, but was made behind it: l2's part never has it */
    double off; /* by which the factor that was fitted differs from the number that it is taken for, relatively */
    double factor, times; /* times: what the gradients are multiplied by; 0 where the mistake is no such thing */
    double scale;         /* of a direction at the loss: what it is multiplied by; 0 where it is none */
    size_t sample;
    unsigned rarer; /* alternative's: added to its rank */
    bool fitted;    /* the factor was found by fitting, which costs evidence */
    const struct mistake *alternatives[CHOICE_ALTERNATIVES];
    size_t alternative_count;
};

/* The path of mistakes that is followed at the moment. */
struct hypothesis {
    size_t budget; /* distinct mistakes allowed */
    bool partial;  /* tensors may stay unexplained */
    struct choice *path;
    size_t path_max, length;
    size_t distinct, kinds[BUDGET_MAX + 1]; /* the first choice of each distinct mistake, in the path's order */
    size_t of_tensors;                      /* choices that are single tensors' own */
    bool past;                              /* the loss's gradient is one at the input of the last activation */
    size_t pending;                         /* the choice whose factor is not known yet, or NOTHING_PENDING */
    struct match *matches;                  /* by graded; FIT_NONE: it stays unexplained, or is absent */
};

/* One that held to the end. */
struct solution {
    struct choice *path;
    size_t room;                                    /* of the path, in choices */
    struct match *matches;                          /* by graded; FIT_NONE: it stays unexplained */
    size_t length, distinct, unexplained;           /* unexplained counts what fails */
    const struct mistake *mistakes[BUDGET_MAX + 1]; /* the distinct ones, as the backward pass comes to them */
    enum fit fit;
    unsigned rank;
};

struct factor_name {
    const struct mistake *mistake;
    double value;
};

/* core/diagnosis/sketch.h's room. */
struct sketch_room {
    double *signs, *ones, *combined;
    double **projected, **wanted; /* by graded */
    double **few;                 /* by node */
};

struct search {
    struct arena *arena;
    const struct network *network;
    const struct pass *pass; /* float64 on the CPU, after forward and backward */
    struct loss_call loss;
    struct ancestry ancestry; /* who depends on what is graded */
    size_t *graded_of;        /* by value: which of what is graded it is, or PARAMETER_NONE */
    double deadline;          /* clock_thread_seconds, a slow clock; */
    double look_again;        /* clock_seconds: before that it cannot be over, and the slow one need not be asked */
    size_t asked;             /* how often search_is_over was */
    const atomic_bool *cancelled;
    bool stopped, large;
    bool out_of_memory; /* then it is stopped, too */

    /* what was observed */
    const struct observed *observed; /* by graded */
    struct matching matching;
    struct tolerance within; /* of values on the way */
    double norm;             /* of all that was submitted together; NaN where something is missing */

    struct flow flow;
    unsigned maps_used;       /* by the network's activations: a bit for each */
    struct step_known *steps; /* by node: core/diagnosis/steps.h */
    struct sketch_room sketch;
    /* room: of the largest tensor that is graded; of the largest value; of the prediction, five times */
    double *room, *room_slope, *room_turned, *room_under, *local_value, *local_slope, *spare, *loss_room;
    bool *taken; /* by graded */

    struct factor_name factors[FACTORS_MAX]; /* that a loss's gradient may have by a mistake with a name */
    size_t factor_count;
    struct hypothesis now;
    struct solution *best, pool[1 + SOLUTIONS_MAX]; /* the best, then those as good, for its alternatives */
    size_t other_count;
};

/* Whether the time is over, or nobody waits any more: then all ends, and says so (stopped). search_looks looks each
 * time, the other one seldom where a step is short. */
bool search_is_over(struct search *s);
bool search_looks(struct search *s);

/* ---- what is graded ---- */

/* Whether a tensor's gradient has a part of l2's or l1's (called l2's for short), whether any has; and `times` that
 * part on top of it. */
bool search_has_l2(const struct search *s, size_t p);
bool search_any_l2(const struct search *s);
void search_add_l2(const struct search *s, size_t p, double times, double *gradient);

/* Compares a prediction for a tensor with what was handed in for it. */
struct match search_match(const struct search *s, size_t p, const double *predicted);

/* Whether what was handed in is what a tensor's gradient would be, element by element. */
static inline bool search_is_plain(const struct observed *o)
{
    return o->values != NULL && !o->transposed && !o->flattened && !o->per_sample && !o->one_number;
}

static inline size_t search_count(const struct search *s)
{
    return s->network->graded_count;
}

static inline const struct value *search_value(const struct search *s, size_t p)
{
    return s->network->graded[p].value;
}

static inline size_t search_size(const struct search *s, size_t p)
{
    return s->network->graded[p].value->size;
}

/* Its right gradient, and its own numbers. */
static inline const double *search_right(const struct search *s, size_t p)
{
    return flow_right(&s->flow, s->network->graded[p].value);
}

static inline const double *search_given(const struct search *s, size_t p)
{
    return flow_value(&s->flow, s->network->graded[p].value);
}

/* Which of what is graded an input of a node is; PARAMETER_NONE where it is none. */
static inline size_t search_graded(const struct search *s, const struct node *node, size_t input)
{
    return node->inputs[input] != NULL ? s->graded_of[node->inputs[input]->index] : PARAMETER_NONE;
}

/* Whether the loss's l2 counts it where it counts all weights. */
static inline bool search_is_regularized(const struct search *s, size_t p)
{
    const struct slot *slot = s->network->graded[p].slot;
    return slot != NULL && slot->regularized;
}

/* That part for one number w of a tensor: l2 * w + l1 * sign(w). */
static inline double search_l2_part(const struct search *s, size_t p, double w)
{
    const struct graded *graded = &s->network->graded[p];
    return graded->l2 * w + graded->l1 * ((w > 0) - (w < 0));
}

/* Whether a mistake was made at the loss. */
static inline bool search_at_loss(const struct choice *choice)
{
    return choice->node == NULL && choice->parameter == PARAMETER_NONE;
}

/* Whether a mistake spoils it: its own, or one that makes something wrong which depends on it. */
static inline bool search_reaches(const struct search *s, const struct choice *choice, size_t p)
{
    if (choice->parameter != PARAMETER_NONE) return choice->parameter == p;
    return choice->below == NULL || ancestry_has(&s->ancestry, choice->below, p);
}

#endif
