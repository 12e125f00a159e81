/* The graph of a forward pass. A value is a tensor with a shape: data, a parameter, or what an op makes. A node is an
 * op at work: any number of values go in, one comes out. A gradient belongs to a value: the sum of what its consumers
 * send back. Everything else (layers, losses, networks) is a way to build such a graph, and all that works on one,
 * works on any: pass, central differences, training, the search for mistakes. */
#ifndef CORE_GRAPH_GRAPH_H
#define CORE_GRAPH_GRAPH_H

#include "core/ops/op.h"

struct node;

enum value_kind { VALUE_DATA, VALUE_PARAMETER, VALUE_COMPUTED };

/* A consumer of a value: the node, and which of its inputs the value is. */
struct use {
    struct node *node;
    size_t input;
};

struct value {
    size_t index; /* in the graph */
    enum value_kind kind;
    const char *name;   /* NULL where nobody gave it one */
    struct shape shape; /* whole: the batch axis included */
    size_t size;
    struct node *made_by;   /* NULL for what is given */
    const struct use *uses; /* in the order of the nodes */
    size_t use_count;
    bool is_term;        /* one of those that the loss is the sum of: a scalar; */
    size_t term;         /* which */
    bool differentiated; /* whether its gradient is made: of parameters, of all that is computed, of data where asked */
};

/* Where a node stands for people. */
enum place_kind { PLACE_LAYER, PLACE_LOSS, PLACE_PENALTY, PLACE_LINE };
struct place {
    enum place_kind kind;
    size_t layer;  /* PLACE_LAYER: which, from 0; PLACE_LINE: which line of the program, from 1, */
    size_t column; /* and where in it */
};

struct node {
    size_t index; /* in the graph: what goes in was made by nodes before it */
    const struct op *op;
    const double *attributes;
    struct value **inputs; /* by input; NULL where the op goes without it */
    size_t input_count;
    struct value *output;
    size_t saved[OP_SAVED_MAX]; /* elements that forward leaves for backward */
    struct place place;
};

struct graph {
    struct arena *arena;
    struct node **nodes; /* in topological order */
    size_t node_count, node_room;
    struct value **values;
    size_t value_count, value_room;
    struct value **terms; /* scalars: the loss is their sum */
    size_t term_count, term_room;
    double work; /* floating-point operations of all nodes, forward and backward */
};

/* An empty graph; all it will hold comes from the arena. */
void graph_begin(struct arena *arena, struct graph *graph);

/* A value that is given. Its name must outlive the graph, and may be NULL. CODE_OUT_OF_RANGE for a shape without
 * elements or with too many, of which `what` ("an input") says whose it is; CODE_OUT_OF_MEMORY. */
int graph_give(struct graph *graph, enum value_kind kind, const char *name, const struct shape *shape, const char *what,
               struct value **value, struct error *error);

/* A node for an op under a plan that its op made for these inputs (count of them, NULL for those it goes without;
 * attributes must outlive the graph), and its output. Errors as above. */
int graph_apply(struct graph *graph, const struct op *op, const double *attributes, struct value *const *inputs,
                size_t count, const struct op_plan *plan, struct place place, struct node **node, struct error *error);

/* Makes a scalar one of the terms that the loss is the sum of. Nothing else may take it. False when memory is short. */
bool graph_add_term(struct graph *graph, struct value *value);

/* Once all is there: orders the nodes and finds the consumers of every value. Terms of given values alone come first,
 * so that backward, which goes from the last node to the first, adds their gradients to what is there already. False
 * when memory is short. */
bool graph_finish(struct graph *graph);

/* Sets of values, for questions of ancestry. */
struct ancestry {
    size_t words;             /* of a set */
    unsigned long long *sets; /* by value of the graph */
};

/* For every value of the graph, which of `count` given ones it depends on (each depends on itself). False when memory
 * is short. */
bool graph_ancestry(struct arena *arena, const struct graph *graph, struct value *const *of, size_t count,
                    struct ancestry *ancestry);

/* Whether a value depends on number `which` of those. */
bool ancestry_has(const struct ancestry *ancestry, const struct value *value, size_t which);

#endif
