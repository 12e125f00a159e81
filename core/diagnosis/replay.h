/* The whole pass once more with one slip in its forward part: whether that gives what was handed in. */
#ifndef CORE_DIAGNOSIS_REPLAY_H
#define CORE_DIAGNOSIS_REPLAY_H

#include "core/diagnosis/forward_slips.h"
#include "core/diagnosis/given.h"

struct replay {
    struct sweep sweep;
    struct slip_room room;
    const struct given_list *given;
    struct slip slip;
    const struct node *node; /* where; the loss's: in the activation that belongs to the loss */
    bool all;                /* and at every other node of the same op */
};

/* False when memory is short, or the network too large (sweep_elements). */
bool replay_new(const struct search *s, const struct problem *problem, const struct given_list *given,
                struct replay *replay);

/* Calls `fits` with every slip that changes something, at every node, that `wanted` does not turn away, forward as far
 * as the end, until it returns true or the time is over. Whether it did. */
bool replay_each(struct replay *replay, bool (*wanted)(const struct replay *, void *),
                 bool (*fits)(struct replay *, void *), void *with);

/* After the forward part: whether one of the ways back gives all gradients that were handed in, and that is no
 * coincidence. */
bool replay_explains(struct replay *replay, double *residual);

/* Whether the slip was made at a node. */
bool replay_is_place(const struct replay *replay, const struct node *node);

#endif
