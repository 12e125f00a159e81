/* A pass of the diagnosis's own, to be run again with something changed in it. */
#ifndef CORE_DIAGNOSIS_SWEEP_H
#define CORE_DIAGNOSIS_SWEEP_H

#include "core/diagnosis/search.h"

struct sweep {
    const struct search *s;
    struct pass pass;        /* float64 on the CPU; its numbers are the right ones until they are changed */
    double *room, *turned;   /* of the largest value, twice */
    void **dx;               /* by input of a node: */
    const double *overwrite; /* and zeros */
};

/* Numbers that it needs room for; 0 where the network is too large for one. */
double sweep_elements(const struct network *network);

/* Makes one and runs it forward. False when memory is short, or the network is too large (sweep_elements). */
bool sweep_new(const struct search *s, const struct problem *problem, struct sweep *sweep);

static inline double *sweep_value(const struct sweep *sweep, const struct value *value)
{
    return sweep->pass.values[value->index];
}

static inline double *sweep_gradient(const struct sweep *sweep, const struct value *value)
{
    return sweep->pass.gradients[value->index];
}

/* Makes a node's output anew from what lies at its inputs. */
void sweep_forward(const struct sweep *sweep, const struct node *node);

/* Before a way back: nothing has come to any value yet. */
void sweep_clear(const struct sweep *sweep);

/* Adds what the op's own backward makes of the gradient at a node's output to the gradients of its inputs. */
void sweep_send(const struct sweep *sweep, const struct node *node);

/* Adds that to the gradient of one input. */
void sweep_add(const struct sweep *sweep, const struct node *node, size_t input, const double *dx);

/* Whether a node is part of the way back: neither dead nor a penalty. */
bool sweep_counts(const struct sweep *sweep, const struct node *node);

#endif
