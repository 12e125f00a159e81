/* How many blocks the primitives' kernels are launched with. Grids depend on sizes alone, never on the device, so that
 * sums are the same on every one. */
#ifndef CUDA_GRIDS_H
#define CUDA_GRIDS_H

#include "cuda/context.h"
#include "cuda/trees.h"

enum {
    ELEMENTWISE_BLOCKS_MAX = 1 << 16,
    ROW_BLOCKS_MAX = 1 << 16,
    STRIPS_MAX = 1024,        /* blocks of a sum over rows */
    ROWS_OF_A_WARP = 4,       /* at least so many, where there are more blocks than one */
    ELEMENTS_OF_A_THREAD = 4, /* likewise */
    WIDE_ROW = 1024,          /* longer rows take a whole block, */
    WIDE_SUM = 64,            /* and so do sums of a gradient over so many elements */
    STRIP_SHARED = WARPS * WARP * sizeof(double)
};
static const size_t COLUMNS_AT_ONCE = STRIPS_MAX * WARP; /* whose sums fit into the scratch memory */
static_assert(STRIPS_MAX * WARP * sizeof(double) <= SCRATCH_BYTES, "partial sums of strips");
static_assert(STRIPS_MAX * WARP * sizeof(double) <= STAGING_BYTES, "partial counts of strips");
static_assert((PARTIALS_MAX + 1) * sizeof(double) <= SCRATCH_BYTES, "partial sums and their sum");

static unsigned at_most(size_t n, size_t most)
{
    return (unsigned)(n < most ? n : most);
}

static unsigned blocks_for(size_t n)
{
    return at_most((n - 1) / BLOCK + 1, ELEMENTWISE_BLOCKS_MAX);
}

static unsigned blocks_to_reduce(size_t n)
{
    return at_most((n - 1) / (BLOCK * ELEMENTS_OF_A_THREAD) + 1, PARTIALS_MAX);
}

/* A matrix in strips of WARP columns, each in chunks of rows: one block each. */
struct strips {
    unsigned strips, chunks;
};

static struct strips strips_of(size_t rows, size_t columns, size_t blocks_max)
{
    struct strips s;
    s.strips = (unsigned)((columns - 1) / WARP + 1);
    size_t most = s.strips < blocks_max ? blocks_max / s.strips : 1;
    s.chunks = rows > 0 ? at_most((rows - 1) / (WARPS * ROWS_OF_A_WARP) + 1, most) : 1;
    return s;
}

/* Who works on a row: `width` lanes or, where wide, a block. */
struct teams {
    bool wide;
    unsigned width, blocks;
};

static struct teams teams_of(size_t rows, size_t columns, size_t blocks_max)
{
    struct teams t = {columns > WIDE_ROW, 1, 0};
    while (t.width < WARP && t.width < columns)
        t.width *= 2;
    size_t at_once = t.wide ? 1 : BLOCK / t.width;
    t.blocks = at_most((rows - 1) / at_once + 1, blocks_max);
    return t;
}

#endif
