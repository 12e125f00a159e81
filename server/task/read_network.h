/* The members of a request that every endpoint with a network shares: network, convention, parameters, data.
 */
#ifndef SERVER_TASK_READ_NETWORK_H
#define SERVER_TASK_READ_NETWORK_H

#include "core/graph/names.h"
#include "server/body/members.h"

struct problem_set {
    struct definition definition;
    struct network network;
    enum convention convention;
    const char **names;   /* of the parameters */
    struct shape *shapes; /* as the request gave them; with init the convention's own */
    double **parameters;  /* host, layout inside */
    size_t batch;
    double *x, *target;
};

/* Reads `convention` and `network`; everything into the reader's arena. Pointers start at the root. */
int read_network(struct members *r, const json_t *root, struct problem_set *set);

/* How many samples `data` has; after read_network. */
int read_batch(struct members *r, const json_t *root, struct problem_set *set);

/* Reads `parameters` (tensors, or `init`) and `data`; after read_batch, and after the work has been found
 * bearable, since `init` makes tensors of any size out of a few bytes. */
int read_parameters(struct members *r, const json_t *root, struct problem_set *set);
int read_data(struct members *r, const json_t *root, struct problem_set *set);

#endif
