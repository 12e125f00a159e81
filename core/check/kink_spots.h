/* What settling kinks works with: elements that may lie on either side of one, and the pass to try them on. */
#ifndef CORE_CHECK_KINK_SPOTS_H
#define CORE_CHECK_KINK_SPOTS_H

#include "core/pass/magnitude.h"

/* Elements that are looked at; numbers that are kept of what choices change, where memory has room for that; and
 * operations that all ways back together may take, a node counting for so many besides its own. */
#define KINK_SPOTS_MOST 1e5
#define KINK_KEPT_MOST 4e6
#define KINK_OPERATIONS_MOST 4e9
#define KINK_OPERATIONS_OF_A_NODE 2000

/* A gradient that was handed in, and how far from the reference it may be. */
struct kinks_tensor {
    const struct value *value;
    const double *student; /* layout inside, of the value's size; NULL where there is none to compare */
    const double *allowed; /* by element */
    size_t flipped;        /* out: elements at kinks that lie on the other side than the pass had them, of those that it
                              depends on */
};

/* An element at a kink. */
struct spot {
    const struct node *node; /* whose derivative jumps there */
    double *at, was;         /* in the pass's memory */
    double sides[3];         /* what puts it on the sides that it is not on, the kink itself being one */
    size_t side_count;
    bool is_at;    /* it was at the kink itself */
    size_t choice; /* 0: as it was; k: sides[k - 1] */
    bool settled;
    bool between; /* its slope is taken from between the sides (kink_settle_between) */
};

struct settling {
    struct arena *arena;
    struct pass *pass;
    const struct magnitudes *magnitudes;
    double eps;
    bool exact_too;
    struct kinks_tensor *tensors;
    size_t tensor_count;
    struct spot *spots;
    size_t count;
    struct ancestry ancestry; /* which values a tensor's gradient comes through */
    size_t *last;             /* by tensor: how many spots there are down to the last that it depends on */
    double operations;        /* of all ways back so far */
    double kept, kept_most;   /* numbers that are kept of what choices change */
    double tried;             /* numbers that were compared while choices were tried */
    struct error *error;
};

/* Whether it is an error of a loss: |e| jumps at 0. */
static inline bool kink_is_of_error(const struct spot *spot)
{
    return op_kink(spot->node->op, spot->node->attributes) == KINK_ERROR;
}

/* Puts a spot on its side of that number; 0: where it was. */
void kink_choose(struct spot *spot, size_t choice);

/* What a way back takes. */
double kink_operations(const struct settling *s);

/* Whether so many ways back, of each of which so many numbers are kept, are too many, with those so far; else counts
 * the numbers. */
bool kink_takes_too_long(const struct settling *s, double ways);
bool kink_may_keep(struct settling *s, double ways, double numbers);

/* The way back with the sides as they are chosen. CODE_CANCELLED. */
int kink_run(struct settling *s);

/* The pass's gradient for a tensor. */
static inline const double *kink_gradient(const struct settling *s, size_t t)
{
    return s->pass->gradients[s->tensors[t].value->index];
}

/* How many tensors are the student's, as the sides are chosen. */
size_t kink_fitting(const struct settling *s);

/* Whether a tensor can be looked at: it depends on no spot from `end` on, which are those further down. */
static inline bool kink_ready(const struct settling *s, size_t t, size_t end)
{
    return s->last[t] <= end;
}

/* Fills s->last, once there are all spots. */
void kink_find_last(struct settling *s);

/* Whether a tensor's gradient depends on the side of a spot. */
bool kink_reaches(const struct settling *s, const struct spot *spot, size_t t);

/* All spots, into s->spots, or, where that is NULL, how many they are, into s->count. From the loss down, as the
 * gradients come to them. */
void kink_find(struct settling *s);

#endif
