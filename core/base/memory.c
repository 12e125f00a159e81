#include "core/base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>

/* So much given back is worth handing to the system. */
#define MUCH ((size_t)8 << 20)

/* What is no larger is a light request's, or as good as one's: an eighth of all is kept for such. */
#define LIGHT ((size_t)128 << 10)
#define KEPT 8

static atomic_size_t taken, given; /* given: since the last memory_settle */
static size_t most = SIZE_MAX;

void memory_start(size_t bytes)
{
    most = bytes;
    mallopt(M_ARENA_MAX, 1);
}

bool memory_take(size_t bytes)
{
    size_t before = atomic_fetch_add_explicit(&taken, bytes, memory_order_relaxed);
    size_t room = bytes > LIGHT ? most - most / KEPT : most;
    if (before <= room && bytes <= room - before) return true;
    atomic_fetch_sub_explicit(&taken, bytes, memory_order_relaxed);
    return false;
}

void memory_give(size_t bytes)
{
    atomic_fetch_sub_explicit(&taken, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&given, bytes, memory_order_relaxed);
}

size_t memory_taken(void)
{
    return atomic_load_explicit(&taken, memory_order_relaxed);
}

bool memory_settle(void)
{
    if (atomic_load_explicit(&given, memory_order_relaxed) < MUCH) return false;
    atomic_store_explicit(&given, 0, memory_order_relaxed);
    malloc_trim(0);
    return true;
}
