/* What the things that are graded are called in a request. */
#ifndef SERVER_TASK_GRADED_NAMES_H
#define SERVER_TASK_GRADED_NAMES_H

#include "core/graph/names.h"
#include "server/task/renames.h"

/* The names of what is graded, as the client has them, from the arena; NULL, and the error set, where there are none.
 * CODE_OUT_OF_RANGE where two parameters have one name, or where a gradient could be that of a member of data that
 * layers take as well as another one. Pointers start at the root. */
const char **graded_names(struct members *r, enum convention convention, const struct renames *renames,
                          const struct network *network);

/* Whether one of these gradients is that of a member of data which layers take. The error is set when memory is short.
 */
bool graded_is_wanted(struct members *r, enum convention convention, const struct renames *renames,
                      const struct definition *definition, const struct feed *feed, const json_t *gradients);

#endif
