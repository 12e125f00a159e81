/* The walk from the loss down, node by node, which core/diagnosis/diagnose.h describes. */
#ifndef CORE_DIAGNOSIS_WALK_H
#define CORE_DIAGNOSIS_WALK_H

#include "core/diagnosis/steps.h"

/* Follows all hypotheses from a node down, what comes back to its output being known (flow.g, gs). Those that hold to
 * the end are in the pool; the path is as it was. */
void walk_at(struct search *s, const struct node *node);

/* The same for all that lies before a node, once that has sent what it sends. */
void walk_below(struct search *s, const struct node *node);

#endif
