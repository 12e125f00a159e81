/* A request's program, in place of a network: with its parameters and data, which say what it computes with. */
#ifndef SERVER_TASK_READ_PROGRAM_H
#define SERVER_TASK_READ_PROGRAM_H

#include "server/task/read_network.h"

/* Reads `program`, `output`, `parameters` and `data`, and what of them `gradients` and `points` ask for; fills in the
 * set with the network that the program is, and all its numbers. *line and *column are where the program is at fault,
 * else they are left alone. Pointers start at the root.
 * With `brief`, evaluating it is given up after a moment: then *brief stays true, and no error is set; else it becomes
 * false. */
int read_program(struct members *r, const json_t *root, struct problem_set *set, bool *brief, size_t *line,
                 size_t *column);

#endif
