/* Other nodes that a rule may take something from in place of its own. */
#ifndef CORE_DIAGNOSIS_PEERS_H
#define CORE_DIAGNOSIS_PEERS_H

#include "core/graph/graph.h"

/* The index-th of all nodes of a node's kind, in the order of the layers; NULL where there are fewer, or where it is
 * the node itself. */
const struct node *peer_of(const struct graph *graph, const struct node *node, size_t index);

#endif
