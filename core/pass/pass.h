/* The forward and backward pass of a network over one batch. Making one takes all memory that it needs;
 * running it takes none. */
#ifndef CORE_PASS_PASS_H
#define CORE_PASS_PASS_H

#include <stdatomic.h>

#include "core/backend/backend.h"
#include "core/graph/network.h"
#include "core/ops/op.h"

struct pass {
    const struct network *network;
    const struct backend *backend;
    size_t batch;
    const atomic_bool *cancelled; /* looked at before every node; may be NULL */

    /* the backend's memory */
    void *memory;
    void *x, *target;  /* [batch, ...input], [batch, ...output] */
    void **y, **dy;    /* by node: its output and the gradient of the loss there, [batch, ...out] */
    void **parameters; /* by parameter, layout inside; they lie one behind the other, padded, from parameters[0] on */
    void **gradients;  /* likewise */
    size_t block;      /* elements of all parameters together, padding included */

    struct op_call *calls; /* by node, and the loss's behind; private, as what follows */
    struct pass_tensors *tensors;
    bool joined; /* the loss does the last node's part, too */

    double data_loss; /* the reduced loss without l2; set by pass_forward */
    double loss;      /* with it */
};

/* Elements that a pass needs; false where the number overflows. */
bool pass_elements(const struct network *network, size_t batch, size_t *elements);

/* CODE_OUT_OF_MEMORY when memory is short; CODE_DEVICE. pass_free gives back what is not the arena's. */
int pass_new(struct arena *arena, const struct network *network, const struct backend *backend, size_t batch,
             struct pass *pass, struct error *error);
void pass_free(struct pass *pass);

/* Lets a pass of another batch size work on the parameters and gradients of `with`, which must outlive it. */
void pass_share(struct pass *pass, const struct pass *with);

/* Lets it work on other data in the backend's memory: [batch, ...input] and [batch, ...output]. */
void pass_use_data(struct pass *pass, void *x, void *target);

/* Uploads a parameter, the data or the targets: host, layout inside. */
int pass_set_parameter(struct pass *pass, size_t parameter, const double *host, struct error *error);
int pass_set_data(struct pass *pass, const double *x, const double *target, struct error *error);

/* Forward: fills y and the loss. CODE_NOT_FINITE (pointer "/parameters") where the arithmetic overflows,
 * CODE_OUT_OF_RANGE
 * ("/network/loss") where a loss on probabilities meets something else, CODE_CANCELLED. Backward: fills dy
 * and the gradients, l2's part included; after a forward. */
int pass_forward(struct pass *pass, struct error *error);
int pass_outputs(struct pass *pass, struct error *error); /* forward as far as y: without targets and loss */
int pass_backward(struct pass *pass, struct error *error);

/* Downloads n elements of the backend's memory into host. */
int pass_read(const struct pass *pass, const void *from, size_t n, double *host, struct error *error);

#endif
