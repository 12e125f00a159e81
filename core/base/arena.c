#include "core/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
/* Under AddressSanitizer every piece has a poisoned gap behind it, so that an overrun is seen as with malloc.
 */
#include <sanitizer/asan_interface.h>
enum { GAP = 64 };
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
enum { GAP = 0 };
#endif

#define BLOCK_ORDINARY ((size_t)64 << 10)
enum { ALIGN_ORDINARY = 16, ALIGN_TENSOR = 64 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* bytes of the whole block, this header included */
};

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
}

static void give_block(struct arena_block *block)
{
    if (block == NULL) return;
    memory_give(block->size);
    free(block);
}

/* Taking memory from the system page by page costs more than filling it does (28 ms against 9 for 64 MiB). A
 * mere hint. */
static void use_huge_pages(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    enum { HUGE = 2 * 1024 * 1024 };
    uintptr_t from = ((uintptr_t)block + HUGE - 1) & ~(uintptr_t)(HUGE - 1);
    uintptr_t to = ((uintptr_t)block + size) & ~(uintptr_t)(HUGE - 1);
    if (size >= (size_t)2 * HUGE && from < to) (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
    (void)block;
    (void)size;
#endif
}

static int add_block(struct arena *arena, size_t need)
{
    if (need > SIZE_MAX / 2) return -1;
    size_t size = need + sizeof(struct arena_block);
    if (size < BLOCK_ORDINARY) size = BLOCK_ORDINARY;
    if (size > arena->limit || arena->held > arena->limit - size) return -1;
    if (!memory_take(size)) return -1;
    struct arena_block *block = malloc(size);
    if (block == NULL) {
        memory_give(size);
        return -1;
    }
    use_huge_pages(block, size);
    block->older = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->held += size;
    arena->next = (char *)(block + 1);
    arena->end = (char *)block + size;
    ASAN_POISON_MEMORY_REGION(arena->next, (size_t)(arena->end - arena->next));
    return 0;
}

static void *take(struct arena *arena, size_t bytes, size_t alignment)
{
    if (bytes > SIZE_MAX / 4 || (arena->fail_in > 0 && --arena->fail_in == 0)) return NULL;
    size_t skip = (size_t)(-(uintptr_t)arena->next & (alignment - 1));
    if (arena->next == NULL || (size_t)(arena->end - arena->next) < skip + bytes + GAP) {
        if (add_block(arena, bytes + alignment + GAP) != 0) return NULL;
        skip = (size_t)(-(uintptr_t)arena->next & (alignment - 1));
    }
    char *piece = arena->next + skip;
    arena->next = piece + bytes + GAP;
    ASAN_UNPOISON_MEMORY_REGION(piece, bytes);
    return piece;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    return take(arena, bytes, ALIGN_ORDINARY);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    return take(arena, bytes, ALIGN_ORDINARY);
}

void *arena_zeroed(struct arena *arena, size_t count, size_t size)
{
    void *piece = arena_array(arena, count, size);
    if (piece != NULL) memset(piece, 0, count * size);
    return piece;
}

double *arena_doubles(struct arena *arena, size_t count)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, sizeof(double), &bytes)) return NULL;
    return take(arena, bytes, ALIGN_TENSOR);
}

void arena_trim(struct arena *arena, void *piece, size_t bytes, size_t used)
{
    char *from = (char *)piece + used + GAP, *to = (char *)piece + bytes + GAP;
    if (from >= to) return;
    ASAN_POISON_MEMORY_REGION((char *)piece + used, bytes - used);
    if (to == arena->next) {
        arena->next = from;
    } else if (to - from > arena->end - arena->next) {
        arena->next = from;
        arena->end = to;
    }
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *room, size_t size, size_t first)
{
    if (count < *room) return items;
    size_t more = count > 0 ? 2 * count : first;
    void *larger = arena_array(arena, more, size);
    if (larger == NULL) return NULL;
    if (count > 0) memcpy(larger, items, count * size);
    *room = more;
    return larger;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(arena, length + 1) : NULL;
    if (copy == NULL) return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = NULL;
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->older;
        if (kept == NULL && block->size == BLOCK_ORDINARY)
            kept = block;
        else
            give_block(block);
    }
    size_t limit = arena->limit;
    arena_init(arena, limit);
    if (kept == NULL) return;
    kept->older = NULL;
    arena->blocks = kept;
    arena->held = kept->size;
    arena->next = (char *)(kept + 1);
    arena->end = (char *)kept + kept->size;
    ASAN_POISON_MEMORY_REGION(arena->next, (size_t)(arena->end - arena->next));
}

void arena_free(struct arena *arena)
{
    arena_reset(arena);
    give_block(arena->blocks);
    arena_init(arena, arena->limit);
}
