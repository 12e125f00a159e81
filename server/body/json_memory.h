/* jansson's memory: an arena's while it works for a request. */
#ifndef SERVER_BODY_JSON_MEMORY_H
#define SERVER_BODY_JSON_MEMORY_H

#include <stdbool.h>

#include "core/base/arena.h"

/* Once, before any thread starts: jansson's allocator and hash seed. */
void json_memory_setup(void);

/* Calls `work`, in which all that jansson takes is the arena's: nothing of it is to be decref'd. False where that has
 * no more: then `work` was left where it stood, so that it must take nothing that somebody has to give back. */
bool json_memory_lend(struct arena *arena, void (*work)(void *context), void *context);

#endif
