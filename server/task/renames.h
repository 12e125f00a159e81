/* `names`: what a client calls the things that are graded, {"Theta1": "W1"}. */
#ifndef SERVER_TASK_RENAMES_H
#define SERVER_TASK_RENAMES_H

#include "server/body/members.h"

struct renames {
    const json_t *object; /* NULL where nothing is renamed */
};

/* Reads `names` of a request: an object of strings, no two of them the same. Pointers start at the root. */
int renames_read(struct members *r, const json_t *root, struct renames *renames);

/* What the client calls what the network calls `name`. */
const char *renames_client(const struct renames *renames, const char *name);

/* CODE_OUT_OF_RANGE where one of the network's names is none of these. */
int renames_check(struct members *r, const struct renames *renames, const char *const *names, size_t count);

#endif
