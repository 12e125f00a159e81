/* "Did you mean ...?" */
#ifndef SERVER_BODY_SUGGEST_H
#define SERVER_BODY_SUGGEST_H

#include <stddef.h>

/* The known name that `name` is most likely a slip of: by the number of characters added, lost, changed or
 * swapped with their neighbour, upper and lower case being the same; or that is what other frameworks call so
 * ("Dense": linear). The first of equals; NULL where none is
 * near (more than a third of the name off). Names of any length are safe to ask about. */
const char *suggest_name(const char *name, const char *const *known, size_t count);

#endif
