#include "core/diagnosis/peers.h"

static bool is_peer(const struct op *op, const struct op *other)
{
    return op->kind == OP_ACTIVATION ? other->kind == OP_ACTIVATION : other == op;
}

const struct node *peer_of(const struct graph *graph, const struct node *node, size_t index)
{
    for (size_t i = 0, seen = 0; i < graph->node_count; i++) {
        const struct node *other = graph->nodes[i];
        if (!is_peer(node->op, other->op) || seen++ < index) continue;
        return other != node ? other : NULL;
    }
    return NULL;
}
