/* `optimizer` of a request: its type and its options. */
#ifndef SERVER_TASK_READ_OPTIMIZER_H
#define SERVER_TASK_READ_OPTIMIZER_H

#include "core/train/optimizer.h"
#include "server/body/members.h"

/* Reads it, the default where it is not given. Pointers start at the root. */
int read_optimizer(struct members *r, const json_t *root, struct optimizer *optimizer);

#endif
