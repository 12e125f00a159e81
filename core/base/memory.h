/* What the process takes for requests, all of them together: counted before it is taken, so that there is an answer to
 * give, and not the system's killer, where it would be too much. All from any thread. */
#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The most that may be taken; unlimited until it is said. Before any thread is started: from then on malloc has one
 * heap for all of them, since what those of threads keep can be had back by nobody. */
void memory_start(size_t bytes);

/* Counts bytes that are about to be taken; false, and nothing is counted, where they are too many. Small pieces, as
 * light requests take them, find room that large ones do not. */
bool memory_take(size_t bytes);

/* They were given back. */
void memory_give(size_t bytes);

/* Bytes that are counted now. */
size_t memory_taken(void);

/* Hands what was given back, and malloc keeps, to the system, if it is much since the last time: whether it was. To be
 * called when nothing is in flight: it takes a moment. */
bool memory_settle(void);

#endif
