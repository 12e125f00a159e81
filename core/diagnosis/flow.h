/* What flows back through the graph under a hypothesis: by value, and by each of the ways on which it comes there. It
 * is known as value + c * slope, c being a number that is not settled yet, or as value alone. */
#ifndef CORE_DIAGNOSIS_FLOW_H
#define CORE_DIAGNOSIS_FLOW_H

#include "core/pass/pass.h"

/* A way back: from a node to one of its inputs. */
struct edge {
    const struct node *node;
    size_t input;
    const struct value *to;
    const double *right;  /* what it sends where all is right; to a parameter without l2's part, if it has others */
    const double *g, *gs; /* what it sends now; gs is NULL where there is no slope */
    /* room: for what a wrong rule makes, for what the right rule makes of something wrong, and for value + c * slope
     * with c settled; slopes and resolved are NULL where nothing goes on from there */
    double *value, *slope, *right_value, *right_slope, *resolved;
};

/* An edge as it was before its number was settled. */
struct settled {
    struct edge *edge;
    const double *g, *gs;
};

struct flow {
    const struct graph *graph;
    const struct pass *pass; /* float64 on the CPU, after forward and backward */
    struct edge *edges;
    size_t edge_count;
    struct edge **of_inputs; /* by node and input; NULL where nothing that is graded lies behind it */
    size_t *first;           /* by node: where its inputs begin in of_inputs */
    struct edge **into;      /* by value and edge that leads there, in the order of the nodes; */
    size_t *into_first;      /* by value: where its edges begin in `into`; one more at the end */
    bool *needed;            /* by node: whether an edge leaves it */
    bool *dead;              /* by node: the loss does not depend on it, and it sends nothing back */
    bool *cut;               /* by node: whether all that is graded and lies before it gets its gradient through it */

    const double **g, **gs;          /* by value: what comes back there */
    const double **all, **all_slope; /* by value that several edges lead to: the sum of what they send; */
    double **total, **total_slope;   /* room for it, */
    double **shared, **shared_slope; /* and for a sum with other shares of the edges */
    double **resolved;               /* by value: room */
    const struct node *joined;       /* an activation that the loss is joined with, where that makes a difference; */
    double *regained;                /* its derivative where it does, by element; 0 elsewhere */
    void **only;                     /* by input: the one that is wanted, NULL elsewhere; */
    const double *overwrite;         /* and zeros */
    struct settled *trail;           /* edges whose number is settled, in the order in which that was done */
    size_t trail_length, trail_room;
};

/* Takes the room of the flow towards what is graded, of which the ancestry tells who depends on it. False when memory
 * is short. */
bool flow_new(struct arena *arena, const struct graph *graph, const struct ancestry *ancestry, const struct pass *pass,
              struct flow *flow);

/* What the edges from a node send where all is right; after flow_new, for each node once. */
void flow_fill_right(const struct flow *flow, const struct node *node);

/* The way back to an input; NULL where nothing that is graded lies behind it. */
static inline struct edge *flow_edge(const struct flow *flow, const struct node *node, size_t input)
{
    return flow->of_inputs[flow->first[node->index] + input];
}

/* The edges that lead to a value: a list, and its length. */
static inline struct edge *const *flow_into(const struct flow *flow, const struct value *value, size_t *count)
{
    size_t first = flow->into_first[value->index];
    *count = flow->into_first[value->index + 1] - first;
    return flow->into + first;
}

/* The pass's numbers. */
static inline const double *flow_value(const struct flow *flow, const struct value *value)
{
    return flow->pass->values[value->index];
}

static inline const double *flow_right(const struct flow *flow, const struct value *value)
{
    return flow->pass->gradients[value->index];
}

/* Whether what comes back to a value is what is right there. */
static inline bool flow_is_right(const struct flow *flow, const struct value *value)
{
    return flow->g[value->index] == flow_right(flow, value) && flow->gs[value->index] == NULL;
}

/* The op's own backward of a node from dy to one input. Where the last activation has rounded to 0 or 1, what is lost
 * on the way is what a student's program does not lose that takes dz = y_hat - y at once: it comes through all the
 * same. */
void flow_send(const struct flow *flow, const struct node *node, size_t input, const double *dy, double *dx);

/* Lets an edge send what the right rule makes of what comes to its node; and all edges of a node, where no number is
 * open: at once, as there may be thousands. */
void flow_send_right(struct flow *flow, struct edge *edge);
void flow_send_all(struct flow *flow, const struct node *node);

/* Adds up what comes to a value from its edges. */
void flow_gather(struct flow *flow, const struct value *value);

/* After flow_gather, at a value that several edges lead to: lets as many times come there what one of them sends, and
 * as many times what the others do. */
void flow_share(struct flow *flow, const struct value *value, const struct edge *one, double of_one, double of_others);

/* Settles c for the value and for all edges that lead from nodes behind it to values before it; flow_unsettle takes
 * back all since the trail had that length (but for g and gs of the value: the caller's). */
void flow_settle(struct flow *flow, const struct value *value, double c);
void flow_unsettle(struct flow *flow, size_t trail_length);

/* All is right. */
void flow_set_right(struct flow *flow);

#endif
