/* How evaluations of many small networks are shared out: in portions, of one launch each; among blocks; and where in
 * the device's memory. The host's part; no result depends on it. */
#ifndef CUDA_CREW_H
#define CUDA_CREW_H

#include "cuda/context.h"
#include "cuda/grids.h"

/* Of one launch: operations, and evaluations at least and at most; elements of the parameters of all networks; and
 * bytes of teams' memory, so that with three times those parameters it is less than a context keeps, and need not be
 * allocated for every call. The stand-in's are small, so that tests come to all of them. */
#ifdef __CUDACC__
#define MANY_WORK FUSED_WORK_AT_ONCE
static const size_t MANY_AT_ONCE_MIN = FUSED_AT_ONCE_MIN, MANY_AT_ONCE = (size_t)1 << 18,
                    MANY_ELEMENTS_AT_ONCE = (size_t)1 << 22, MANY_BYTES = (size_t)128 << 20;
static const unsigned MANY_BLOCKS_MAX = 1 << 14;
#else
#define MANY_WORK 1e6
static const size_t MANY_AT_ONCE_MIN = 5, MANY_AT_ONCE = 30, MANY_ELEMENTS_AT_ONCE = 4000, MANY_BYTES = 128 << 10;
static const unsigned MANY_BLOCKS_MAX = 3;
#endif
static_assert(MANY_AT_ONCE <= STAGING_BYTES, "what is copied by way of the staging memory");
static_assert(MANY_BYTES + 4 * MANY_ELEMENTS_AT_ONCE * sizeof(double) <= KEPT_BYTES_MAX, "what is used again");

enum {
    MANY_WIDE = 1024,      /* elements of a layer from which on a block works on one network */
    MANY_SHARED = 40 << 10 /* bytes of shared memory that a block takes at most; else it has the device's */
};

/* Who evaluates: blocks of one team or of several, each with room for `need` elements. */
struct crew {
    size_t portion; /* evaluations of one launch */
    bool wide;
    unsigned need, teams, threads, blocks_max;
    size_t shared, global; /* bytes of a block's; elements of all blocks */
};

/* Evaluations of one launch, of `count`, each of so many operations and with parameters of its own of so many elements.
 */
static size_t portion_of(size_t count, double work, size_t elements)
{
    size_t most = MANY_WORK / work < MANY_AT_ONCE ? (size_t)(MANY_WORK / work) : MANY_AT_ONCE;
    if (most < MANY_AT_ONCE_MIN) most = MANY_AT_ONCE_MIN;
    if (elements > 0) most = at_most(MANY_ELEMENTS_AT_ONCE / elements, most);
    if (most == 0) most = 1;
    return count < most ? count : most;
}

static unsigned crew_blocks(const struct crew *w, size_t count)
{
    return at_most((count - 1) / w->teams + 1, w->blocks_max);
}

static struct crew crew_of(const struct fused *fused, size_t need, size_t element, size_t portion)
{
    struct crew w = {};
    const size_t for_sums = WARPS * sizeof(double);
    w.portion = portion;
    w.need = (unsigned)need;
    w.wide = fused->widest >= MANY_WIDE;
    size_t fit = (MANY_SHARED - for_sums) / (need * element);
    w.teams = w.wide ? 1 : fit == 0 || fit > WARPS ? (unsigned)WARPS : (unsigned)fit;
    w.threads = w.wide ? (unsigned)BLOCK : w.teams * WARP;
    w.shared = for_sums + (fit > 0 ? w.teams * need * element : 0);
    w.blocks_max = fit > 0 ? MANY_BLOCKS_MAX : at_most(MANY_BYTES / (w.teams * need * element), MANY_BLOCKS_MAX);
    if (w.blocks_max == 0) w.blocks_max = 1;
    w.global = fit > 0 ? 0 : (size_t)crew_blocks(&w, portion) * w.teams * need;
    return w;
}

/* call(first, n) for one portion after the other, until one fails. */
template <typename CALL> static int in_portions(size_t count, size_t portion, CALL call)
{
    int code = CODE_OK;
    for (size_t first = 0; code == CODE_OK && first < count; first += portion)
        code = call(first, count - first < portion ? count - first : portion);
    return code;
}

/* Pieces of one allocation, one behind the other, between them at least a byte where nobody writes. */
struct layout {
    unsigned char *base; /* NULL while they are only counted */
    size_t used;
};

template <typename T> static T *layout_piece(struct layout *l, size_t n)
{
    void *piece = l->base != NULL ? l->base + l->used : NULL;
    size_t bytes = n * sizeof(T), rounded = (bytes / ALLOCATION_UNIT + 1) * ALLOCATION_UNIT;
    if (l->base != NULL) device_fence(l->base, l->used + bytes, rounded - bytes);
    l->used += rounded;
    return static_cast<T *>(piece);
}

/* Allocates what place(layout) takes pieces of; it is called twice, for the size and for the pieces. */
template <typename PLACE> static int layout_allocate(struct context *c, void **memory, PLACE place)
{
    struct layout l = {};
    place(&l);
    int code = context_allocate(c, l.used, memory);
    if (code != CODE_OK) return code;
    l.base = static_cast<unsigned char *>(*memory);
    l.used = 0;
    place(&l);
    return CODE_OK;
}

#endif
