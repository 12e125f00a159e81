/* Names that were misspelt. */
#ifndef CORE_BASE_SPELLING_H
#define CORE_BASE_SPELLING_H

#include <stddef.h>

/* The known name that `name` is most likely a slip of: by the number of characters added, lost, changed or swapped with
 * their neighbour, upper and lower case being the same. The first of equals; NULL where none is near (more than a third
 * of the name off). Names of any length are safe to ask about. */
const char *spelling_nearest(const char *name, const char *const *known, size_t count);

#endif
