/* The members of a request that every endpoint with a network shares: network, convention, shapes, names, parameters,
 * data. */
#ifndef SERVER_TASK_READ_NETWORK_H
#define SERVER_TASK_READ_NETWORK_H

#include "core/pass/problem.h"
#include "server/body/members.h"
#include "server/task/renames.h"

struct problem_set {
    struct definition definition;
    struct network network;
    struct problem problem; /* its numbers after read_parameters and read_data */
    struct renames renames;
    const char **names;   /* of what is graded, as the client has them */
    struct shape *shapes; /* as the request gave them; with init the convention's own */
    size_t batch;
};

/* Reads `convention`, `shapes`, `names` and `network`, with the shapes that `data` gives to members which layers take
 * and the gradients of data that are asked for; everything into the reader's arena. Pointers start at the root. */
int read_network(struct members *r, const json_t *root, struct problem_set *set);

/* Whether `data` has samples of the shape that the network takes; after read_network. */
int read_batch(struct members *r, const json_t *root, const struct problem_set *set);

/* Reads `parameters` (tensors, or `init`) and `data`; after read_batch, and after the work has been found
 * bearable, since `init` makes tensors of any size out of a few bytes. */
int read_parameters(struct members *r, const json_t *root, struct problem_set *set);
int read_data(struct members *r, const json_t *root, struct problem_set *set);

#endif
