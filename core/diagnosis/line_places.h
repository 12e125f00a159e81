/* The places of a program: the nodes of one operation of its text, wherever it is run: in all iterations of a loop, at
 * all calls of a function. What is done wrong there is done wrong in all of them. */
#ifndef CORE_DIAGNOSIS_LINE_PLACES_H
#define CORE_DIAGNOSIS_LINE_PLACES_H

#include "core/graph/graph.h"

struct line_place {
    size_t line, column;
    const struct op *op;
    const struct node **nodes; /* in their order */
    size_t count;
};

struct line_places {
    struct line_place *list; /* the last ones of the pass first */
    size_t count;
};

/* Finds them; false when memory is short. */
bool line_places_find(struct arena *arena, const struct graph *graph, struct line_places *places);

#endif
