/* The forward and backward pass of a graph. Making one takes all memory that it needs; running it takes none. */
#ifndef CORE_PASS_PASS_H
#define CORE_PASS_PASS_H

#include <stdatomic.h>

#include "core/graph/graph.h"

struct pass {
    const struct graph *graph;
    const struct backend *backend;
    const atomic_bool *cancelled; /* looked at before every node; may be NULL */

    /* the backend's memory */
    void *memory;
    void **values;    /* by value of the graph; NULL for a term of the loss */
    void **gradients; /* likewise; NULL where none is made */
    /* Parameters lie one behind the other, padded, in the order of the graph; their gradients likewise. NULL where
     * there are none. */
    void *parameters, *parameter_gradients;
    size_t block; /* elements of all parameters together, padding included */

    struct pass_step *steps; /* by node; private */

    double *terms; /* host, by term of the loss; set by pass_forward */
    double loss;   /* their sum */
};

/* Elements that a pass needs; false where the number overflows. */
bool pass_elements(const struct graph *graph, size_t *elements);

/* CODE_OUT_OF_MEMORY when memory is short; CODE_DEVICE. pass_free gives back what is not the arena's. */
int pass_new(struct arena *arena, const struct graph *graph, const struct backend *backend, struct pass *pass,
             struct error *error);
void pass_free(struct pass *pass);

/* Lets a pass of a graph with the same parameters, in the same order, work on the parameters and gradients of `with`,
 * which must outlive it. */
void pass_share(struct pass *pass, const struct pass *with);

/* Lets it work on other data for a value that is given, in the backend's memory. */
void pass_place(struct pass *pass, const struct value *value, void *memory);

/* Whether a loss is joined with the op that makes its prediction; and lets both run each by itself, as where nobody has
 * joined them. */
bool pass_is_joined(const struct pass *pass);
void pass_take_apart(struct pass *pass);

/* Uploads a value that is given: host, layout inside. */
int pass_set(struct pass *pass, const struct value *value, const double *host, struct error *error);

/* Forward: fills the values and the loss. CODE_NOT_FINITE (place "parameters") where a number is not finite,
 * CODE_OUT_OF_RANGE ("network", "loss") where a loss on probabilities meets something else, or as op->explain says it,
 * CODE_CANCELLED. Backward: fills the gradients; after a forward. */
int pass_forward(struct pass *pass, struct error *error);
int pass_outputs(struct pass *pass, struct error *error); /* forward without the terms: no targets, no loss */
int pass_backward(struct pass *pass, struct error *error);

/* Downloads a value, or its gradient, into host. */
int pass_read(const struct pass *pass, const struct value *value, double *host, struct error *error);
int pass_read_gradient(const struct pass *pass, const struct value *value, double *host, struct error *error);

/* Whether the loss depends on what a node makes. */
bool pass_counts(const struct pass *pass, const struct node *node);

/* The call of a node's op: its forward values and where its gradients go. What is joined with another op is called here
 * as if it were not. */
const struct op_call *pass_call(const struct pass *pass, const struct node *node);

/* The same as the pass runs it backward: where its op is joined with the loss behind it, the joined one's. */
const struct op_call *pass_backward_call(const struct pass *pass, const struct node *node);

#endif
