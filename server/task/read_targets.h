/* What the network is to give: `data.y`, or what arrives at its output, `data.upstream`. */
#ifndef SERVER_TASK_READ_TARGETS_H
#define SERVER_TASK_READ_TARGETS_H

#include "server/task/read_network.h"

/* Reads it into the problem's numbers. Pointers start at `data`. */
int read_targets(struct members *r, const json_t *data, struct problem_set *set);

#endif
