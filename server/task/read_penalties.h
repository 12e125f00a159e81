/* `l2` and `l1` of a loss: a number, or an object of numbers by parameter. */
#ifndef SERVER_TASK_READ_PENALTIES_H
#define SERVER_TASK_READ_PENALTIES_H

#include "core/graph/network.h"
#include "server/body/members.h"

/* Reads those that are numbers. Pointers start at the loss, as do those of the other one. */
int read_penalties(struct members *r, const json_t *loss, struct definition *definition);

/* Whether one of them is an object. */
bool penalties_are_named(const json_t *loss);

/* Reads those that are objects, once the parameters have these names. */
int read_named_penalties(struct members *r, const json_t *loss, const char *const *names, size_t count,
                         struct definition *definition);

#endif
