/* The other cores, for the few pieces of work that are worth waking them: halves of large products. */
#ifndef CORE_BASE_PARALLEL_H
#define CORE_BASE_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

/* Starts so many threads that help; without them all work is done by who asks. False where they cannot be started.
 * Once, before any other thread; parallel_stop when nobody works any more. */
bool parallel_start(unsigned helpers);
void parallel_stop(void);

/* Calls run(context, 0) to run(context, parts - 1), each once, in any order and on any thread, and returns when all are
 * done. The helpers serve one caller at a time; others do their parts themselves, so that a part must give the same
 * result wherever it runs. So does who asks for more than 65,535 parts. */
void parallel_run(size_t parts, void (*run)(void *context, size_t part), void *context);

#endif
