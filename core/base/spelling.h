/* Names in lists: whether one is there, and which one a misspelt name was meant for. */
#ifndef CORE_BASE_SPELLING_H
#define CORE_BASE_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

/* The known name that `name` is most likely a slip of: by the number of characters added, lost, changed or swapped with
 * their neighbour, upper and lower case being the same. The first of equals; NULL where none is near (more than a third
 * of the name off). Names of any length are safe to ask about. */
const char *spelling_nearest(const char *name, const char *const *known, size_t count);

/* Whether a name is one of a list that ends with NULL. */
bool spelling_is_one_of(const char *name, const char *const *names);

#endif
