/* Whether what was handed in for a layer's own tensors follows from one gradient at its output, whatever that is. */
#ifndef CORE_DIAGNOSIS_CONSISTENT_H
#define CORE_DIAGNOSIS_CONSISTENT_H

#include "core/diagnosis/steps.h"

enum consistency {
    CONSISTENT_ALWAYS,  /* any numbers would: there are no fewer samples than inputs */
    CONSISTENT,         /* these do, where most others would not */
    CONSISTENT_NOT,     /* no gradient at the output gives these: something is wrong in the layer's own step */
    CONSISTENT_UNKNOWN, /* too large to find out, or neither clearly */
};

/* dW = x.T @ dz and db = dz.sum(0): whether there is a dz for the two that were handed in, or for the one of them that
 * was, both being the node's alone and of the right shape; PARAMETER_NONE for one that is not to be looked at. Where
 * memory is short *out_of_memory is set, and nothing known. */
enum consistency consistent(const struct search *s, const struct node *node, size_t product, size_t summed,
                            bool *out_of_memory);

/* Numbers that it needs room for, at most. */
double consistent_elements(const struct network *network);

#endif
