/* "Did you mean ...?" */
#ifndef SERVER_BODY_SUGGEST_H
#define SERVER_BODY_SUGGEST_H

#include <stddef.h>

/* The known name that other frameworks call so ("Dense": linear), or that `name` is most likely a slip of
 * (spelling_nearest); NULL where there is none. Names of any length are safe to ask about. */
const char *suggest_name(const char *name, const char *const *known, size_t count);

#endif
