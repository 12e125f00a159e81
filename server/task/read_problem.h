/* What a request works on: a network, or the program that stands for one, with its numbers. */
#ifndef SERVER_TASK_READ_PROBLEM_H
#define SERVER_TASK_READ_PROBLEM_H

#include "server/task/read_network.h"

/* Whether an object has a program. */
bool problem_is_program(const json_t *root);

/* Reads what says how much work it is, and refuses members that are not in the list for requests of its kind (each ends
 * with NULL). Of a program all is read; where it is at fault, the document gets line and column. brief, in: reading may
 * take a moment only; out: that it would have taken more, and nothing is read. Pointers start at the root. */
int read_problem(struct members *r, struct document *document, const char *const *of_networks,
                 const char *const *of_programs, struct problem_set *set, bool *brief);

/* After that, for a request in which parameters change: an error where the program does something that their numbers
 * decide (if w > 0, x[w > 0], np.sort(w)), which was decided once, by those that were sent. */
int problem_undecided(struct document *document, const struct problem_set *set, struct error *error);

/* Reads the numbers, after that. */
int read_problem_numbers(struct members *r, const json_t *root, struct problem_set *set);

#endif
