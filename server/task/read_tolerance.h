/* `tolerance` of a request. */
#ifndef SERVER_TASK_READ_TOLERANCE_H
#define SERVER_TASK_READ_TOLERANCE_H

#include "core/check/tolerance.h"
#include "server/body/members.h"

/* Reads it: "auto", which it is too where nothing is said, or an object with one of the rules. Pointers start at the
 * root. */
int read_tolerance(struct members *r, const json_t *root, struct tolerance_rule *tolerance);

#endif
