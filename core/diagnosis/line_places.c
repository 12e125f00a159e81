#include "core/diagnosis/line_places.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/numbers.h"

/* A node, and which of those of its op that one operation of the text is made of. */
struct placed {
    const struct node *node;
    size_t ordinal;
};

static int compare_nodes(const void *a, const void *b)
{
    const struct placed *one = a, *other = b;
    const struct node *left = one->node, *right = other->node;
    int order = numbers_compare_sizes(&left->place.layer, &right->place.layer);
    if (order == 0) order = numbers_compare_sizes(&left->place.column, &right->place.column);
    if (order == 0) order = strcmp(left->op->name, right->op->name);
    if (order == 0) order = numbers_compare_sizes(&one->ordinal, &other->ordinal);
    return order != 0 ? order : numbers_compare_sizes(&left->index, &right->index);
}

static bool is_same_spot(const struct node *a, const struct node *b)
{
    return a->place.kind == b->place.kind && a->place.layer == b->place.layer && a->place.column == b->place.column;
}

static bool is_same_place(const struct placed *a, const struct placed *b)
{
    return is_same_spot(a->node, b->node) && a->node->op == b->node->op && a->ordinal == b->ordinal;
}

/* Nodes of one spot that follow each other are those of one operation (x @ W of a batch: reshaped, multiplied, reshaped
 * back), or of several turns of it: then their ops repeat. The length of what is repeated, by the usual table of
 * prefixes. */
static size_t period_of(const struct placed *nodes, size_t count, size_t *prefix)
{
    prefix[0] = 0;
    for (size_t i = 1, k = 0; i < count; i++) {
        while (k > 0 && nodes[i].node->op != nodes[k].node->op)
            k = prefix[k - 1];
        k += nodes[i].node->op == nodes[k].node->op;
        prefix[i] = k;
    }
    size_t period = count - prefix[count - 1];
    return count % period == 0 ? period : count;
}

/* How many nodes of an op came before in one turn. One operation is made of few kinds of them; of more than there is
 * room for, all are one place. */
enum { KINDS_MAX = 16 };
struct tally {
    const struct op *op[KINDS_MAX];
    size_t seen[KINDS_MAX], count;
};

static size_t tally(struct tally *t, const struct op *op)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->op[i] == op) return t->seen[i]++;
    if (t->count == KINDS_MAX) return 0;
    t->op[t->count] = op;
    t->seen[t->count++] = 1;
    return 0;
}

static void number(struct placed *nodes, size_t count, size_t *prefix)
{
    for (size_t begin = 0, end; begin < count; begin = end) {
        struct tally turn = {.count = 0};
        for (end = begin + 1; end < count && is_same_spot(nodes[begin].node, nodes[end].node);)
            end++;
        size_t period = period_of(nodes + begin, end - begin, prefix);
        for (size_t i = begin; i < end; i++) {
            if ((i - begin) % period == 0) turn.count = 0;
            nodes[i].ordinal = tally(&turn, nodes[i].node->op);
        }
    }
}

static int compare_places(const void *a, const void *b)
{
    const struct line_place *left = a, *right = b;
    return numbers_compare_sizes(&right->nodes[right->count - 1]->index, &left->nodes[left->count - 1]->index);
}

bool line_places_find(struct arena *arena, const struct graph *graph, struct line_places *places)
{
    struct placed *placed = arena_zeroed(arena, graph->node_count, sizeof *placed);
    const struct node **nodes = arena_array(arena, graph->node_count, sizeof *nodes);
    size_t *prefix = arena_array(arena, graph->node_count, sizeof *prefix);
    places->list = arena_array(arena, graph->node_count, sizeof *places->list);
    places->count = 0;
    if (placed == NULL || nodes == NULL || prefix == NULL || places->list == NULL) return false;
    size_t count = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->place.kind == PLACE_LINE) placed[count++].node = graph->nodes[i];
    number(placed, count, prefix);
    if (count > 0) qsort(placed, count, sizeof *placed, compare_nodes);
    for (size_t i = 0; i < count; i++) {
        nodes[i] = placed[i].node;
        if (i == 0 || !is_same_place(&placed[i - 1], &placed[i]))
            places->list[places->count++] = (struct line_place){.line = nodes[i]->place.layer,
                                                                .column = nodes[i]->place.column,
                                                                .op = nodes[i]->op,
                                                                .nodes = nodes + i};
        places->list[places->count - 1].count++;
    }
    if (places->count > 0) qsort(places->list, places->count, sizeof *places->list, compare_places);
    return true;
}
