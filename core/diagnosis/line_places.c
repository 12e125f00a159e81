#include "core/diagnosis/line_places.h"

#include <stdlib.h>
#include <string.h>

static int compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_nodes(const void *a, const void *b)
{
    const struct node *left = *(const struct node *const *)a, *right = *(const struct node *const *)b;
    int order = compare_sizes(left->place.layer, right->place.layer);
    if (order == 0) order = compare_sizes(left->place.column, right->place.column);
    if (order == 0) order = strcmp(left->op->name, right->op->name);
    return order != 0 ? order : compare_sizes(left->index, right->index);
}

static bool is_same_place(const struct node *a, const struct node *b)
{
    return a->place.layer == b->place.layer && a->place.column == b->place.column && a->op == b->op;
}

static int compare_places(const void *a, const void *b)
{
    const struct line_place *left = a, *right = b;
    return compare_sizes(right->nodes[right->count - 1]->index, left->nodes[left->count - 1]->index);
}

bool line_places_find(struct arena *arena, const struct graph *graph, struct line_places *places)
{
    const struct node **nodes = arena_array(arena, graph->node_count, sizeof *nodes);
    places->list = arena_array(arena, graph->node_count, sizeof *places->list);
    places->count = 0;
    if (nodes == NULL || places->list == NULL) return false;
    size_t count = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->place.kind == PLACE_LINE) nodes[count++] = graph->nodes[i];
    if (count > 0) qsort(nodes, count, sizeof *nodes, compare_nodes);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !is_same_place(nodes[i - 1], nodes[i]))
            places->list[places->count++] = (struct line_place){.line = nodes[i]->place.layer,
                                                                .column = nodes[i]->place.column,
                                                                .op = nodes[i]->op,
                                                                .nodes = nodes + i};
        places->list[places->count - 1].count++;
    }
    if (places->count > 0) qsort(places->list, places->count, sizeof *places->list, compare_places);
    return true;
}
