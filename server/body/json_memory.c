#include "server/body/json_memory.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

/* A word before each of jansson's pieces says where it came from, so that a value made outside of
 * json_memory_lend may be freed as usual, and one from an arena is left to it. */
enum { PREFIX = 16 };
enum { FROM_HEAP = 1, FROM_ARENA = 2 };

static _Thread_local struct arena *current; /* while jansson works for this thread */
static _Thread_local jmp_buf way_out;       /* where it asks for more than there is, it is left here */

/* jansson does not look whether a byte of a string found room, and then runs beyond the string's end, which it lacks.
 * So it never hears that memory is short: it is left, which is safe, as all that it holds is the arena's. */
static void *take(size_t size)
{
    char *piece = NULL;
    if (size <= SIZE_MAX - PREFIX)
        piece = current != NULL ? arena_alloc(current, size + PREFIX) : malloc(size + PREFIX);
    if (piece == NULL && current != NULL) longjmp(way_out, 1);
    if (piece == NULL) return NULL;
    *piece = current != NULL ? FROM_ARENA : FROM_HEAP;
    return piece + PREFIX;
}

static void give(void *memory)
{
    if (memory == NULL) return;
    char *piece = (char *)memory - PREFIX;
    if (*piece == FROM_HEAP) free(piece);
}

void json_memory_setup(void)
{
    json_set_alloc_funcs(take, give);
    json_object_seed(0);
}

bool json_memory_lend(struct arena *arena, void (*work)(void *context), void *context)
{
    if (setjmp(way_out) != 0) {
        current = NULL;
        return false;
    }
    current = arena;
    work(context);
    current = NULL;
    return true;
}
