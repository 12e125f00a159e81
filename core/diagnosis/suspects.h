/* Where nothing reproduces the numbers: the places that can account for what is wrong, given what is right. */
#ifndef CORE_DIAGNOSIS_SUSPECTS_H
#define CORE_DIAGNOSIS_SUSPECTS_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/search.h"

/* Lists them: between the last gradient that is right and the first that is wrong on the way back. What the mistakes in
 * the diagnosis account for counts as right. A layer's own tensors that follow from one gradient at its output were
 * made from that: the slip lies in what makes it. False when memory is short. */
bool suspects_find(const struct search *s, struct diagnosis *diagnosis);

/* Numbers that it needs room for, at most. */
double suspects_elements(const struct network *network);

#endif
