/* The memory of one request: taken piece by piece, given back all at once. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    char *next, *end;           /* what is free in the newest block */
    size_t fail_in;             /* for tests: the n-th piece from now is refused; 0 refuses none */
    size_t held, limit;         /* bytes taken from the system, and the most it may take */
};

/* An arena that takes at most `limit` bytes from the system. Takes nothing yet. */
void arena_init(struct arena *arena, size_t limit);

/* What it takes counts among all that requests take (memory.h).
 *
 * `bytes` of uninitialised memory, aligned to 16 or (arena_doubles) 64 bytes. NULL when memory
 * or the limit is exhausted or the size overflows. Valid until arena_reset or arena_free. A size of 0 gives a
 * valid pointer. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_array(struct arena *arena, size_t count, size_t size);
void *arena_zeroed(struct arena *arena, size_t count, size_t size); /* the same, all bytes 0 */
double *arena_doubles(struct arena *arena, size_t count);

/* Gives back the end of a piece of `bytes` bytes, of which only the first `used` stay taken: for data whose
 * length is known late. The largest run of free bytes is what later pieces are cut from. */
void arena_trim(struct arena *arena, void *piece, size_t bytes, size_t used);

/* A list that grows: `items` where it has room for one more than `count`, else a copy that has, with *room of them then
 * (`first` where there were none). NULL as above. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *room, size_t size, size_t first);

/* A copy of `length` bytes with a '\0' behind it. NULL as above. */
char *arena_text(struct arena *arena, const char *text, size_t length);

/* Gives all back, but keeps one block of ordinary size for the next request. */
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#endif
