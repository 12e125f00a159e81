/* What the things that are graded are called in a request. */
#ifndef SERVER_TASK_GRADED_NAMES_H
#define SERVER_TASK_GRADED_NAMES_H

#include "core/graph/names.h"
#include "server/body/members.h"

/* The names of what is graded, from the arena; NULL, and the error set, where there are none. CODE_OUT_OF_RANGE where
 * two parameters have one name, or where a gradient could be that of a member of data that layers take as well as
 * another one. Pointers start at the root. */
const char **graded_names(struct members *r, enum convention convention, const struct network *network);

#endif
