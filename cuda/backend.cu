/* The CUDA backend: one source, compiled by nvcc for the device and by g++ for the host stand-in (cuda/launcher.h). */
#include <float.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/launcher.h"
#include "cuda/trees.h"
#include "cuda/context.h"

/* ---- grids ---- */

enum {
    ELEMENTWISE_BLOCKS_MAX = 1 << 16,
    ROW_BLOCKS_MAX = 1 << 16,
    STRIPS_MAX = 1024,        /* blocks of a sum over rows */
    ROWS_OF_A_WARP = 4,       /* at least so many, where there are more blocks than one */
    ELEMENTS_OF_A_THREAD = 4, /* likewise */
    WIDE_ROW = 1024,          /* longer rows take a whole block */
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

/* The partial results of `count` blocks, at the start of the scratch memory, as one into host memory. */
template <typename OP, typename T> static int finish(struct context *c, unsigned count, T nothing, T *host)
{
    T *partials = static_cast<T *>(c->scratch), *result = partials + PARTIALS_MAX;
    int code = launch(c->queue, 1, BLOCK, REDUCE_SHARED, finish_kernel<OP, T>, count, partials, nothing, result);
    return code == CODE_OK ? context_read(c, result, host, sizeof *host) : code;
}

/* ---- many small networks ---- */

/* Variants of a network, or elements of the parameters of all networks, in one launch. */
static const size_t MANY_AT_ONCE = (size_t)1 << 18, MANY_ELEMENTS_AT_ONCE = (size_t)1 << 24;
static_assert(MANY_AT_ONCE <= STAGING_BYTES, "what is copied by way of the staging memory");

enum {
    MANY_WIDE = 1024,       /* elements of a layer from which on a block works on one network */
    MANY_SHARED = 40 << 10, /* bytes of shared memory that a block takes at most */
    MANY_BLOCKS_MAX = 1 << 14,
    MANY_GLOBAL_BLOCKS_MAX = 512 /* where activations are in the device's memory */
};

/* Who evaluates: blocks of one team or of several, each with room for `need` elements. */
struct crew {
    bool wide;
    unsigned need, teams, threads, blocks_max;
    size_t shared, global; /* bytes of a block's; elements of all blocks */
};

static struct crew crew_of(const struct sequence *sequence, size_t need, size_t element, size_t count)
{
    struct crew w = {};
    const size_t for_sums = WARPS * sizeof(double);
    w.need = (unsigned)need;
    w.wide = sequence->widest >= MANY_WIDE;
    size_t fit = (MANY_SHARED - for_sums) / (need * element);
    w.teams = w.wide ? 1 : fit == 0 || fit > WARPS ? (unsigned)WARPS : (unsigned)fit;
    w.threads = w.wide ? (unsigned)BLOCK : w.teams * WARP;
    w.shared = for_sums + (fit > 0 ? w.teams * need * element : 0);
    w.blocks_max = fit > 0 ? MANY_BLOCKS_MAX : MANY_GLOBAL_BLOCKS_MAX;
    size_t blocks = at_most((count - 1) / w.teams + 1, w.blocks_max);
    w.global = fit > 0 ? 0 : blocks * w.teams * need;
    return w;
}

static unsigned crew_blocks(const struct crew *w, size_t count)
{
    return at_most((count - 1) / w->teams + 1, w->blocks_max);
}

/* Pieces of one allocation, one behind the other. */
struct layout {
    unsigned char *base;
    size_t used;
};

template <typename T> static T *layout_piece(struct layout *l, size_t n)
{
    void *piece = l->base != NULL ? l->base + l->used : NULL;
    l->used += (n * sizeof(T) / ALLOCATION_UNIT + 1) * ALLOCATION_UNIT;
    return static_cast<T *>(piece);
}

/* For v: every evaluation that is this team's; WIDE says whether a team is a block or a warp. */
#define EACH_EVALUATION(v, count)                                                                                      \
    for (size_t v = WIDE ? block_index() : (size_t)block_index() * (block_size() / WARP) + thread_index() / WARP,      \
                step_##v = WIDE ? grid_size() : (size_t)grid_size() * (block_size() / WARP);                           \
         v < (count); v += step_##v)

/* ---- in both arithmetics ---- */

#define FORMULA DEVICE

#define REAL double
#define NAME(x) x##_f64
#define DTYPE DTYPE_FLOAT64
#define SMALLEST DBL_MIN
#include "core/formulas.h"
#include "core/updates.h"
#include "cuda/formulas.inc"
#include "cuda/kernels.inc"
#include "cuda/primitives.inc"
#include "cuda/many.inc"
#include "cuda/many_losses.inc"
#include "cuda/many_passes.inc"
#undef REAL
#undef NAME
#undef DTYPE
#undef SMALLEST

#define REAL float
#define NAME(x) x##_f32
#define DTYPE DTYPE_FLOAT32
#define SMALLEST FLT_MIN
#include "core/formulas.h"
#include "core/updates.h"
#include "cuda/formulas.inc"
#include "cuda/kernels.inc"
#include "cuda/primitives.inc"
#include "cuda/many.inc"
#include "cuda/many_passes.inc"

/* ---- what is offered ---- */

#define OFFERED extern "C" __attribute__((visibility("default")))

static struct backend backends[2];
static pthread_once_t backends_once = PTHREAD_ONCE_INIT;

static void backends_fill_in()
{
    fill_in_f64(&backends[DTYPE_FLOAT64]);
    fill_in_f32(&backends[DTYPE_FLOAT32]);
    backends[DTYPE_FLOAT64].losses_of_many = backends[DTYPE_FLOAT32].losses_of_many = losses_of_many_f64;
    backends[DTYPE_FLOAT64].passes_of_many = passes_of_many_f64;
    backends[DTYPE_FLOAT32].passes_of_many = passes_of_many_f32;
}

OFFERED unsigned long gradcheckd_cuda_interface(void)
{
    return GRADCHECKD_CUDA_INTERFACE;
}

OFFERED int gradcheckd_cuda_health(char *why, size_t size)
{
    enum { N = 4 };
    if (size > 0) why[0] = '\0';
    pthread_once(&backends_once, backends_fill_in);
    const struct backend *b = &backends[DTYPE_FLOAT64];
    double in[N] = {1, 2, 3, 4}, out[N] = {0};
    void *x = NULL;
    int code = device_open(why, size);
    if (code != CODE_OK) return code;
    code = b->allocate(NULL, N, &x);
    void *y = NULL;
    if (code == CODE_OK) code = b->allocate(NULL, N, &y);
    if (code == CODE_OK) code = b->upload(N, in, x);
    if (code == CODE_OK) code = b->axpby(N, 2, x, 0, y);
    if (code == CODE_OK) code = b->gemm(false, false, 2, 2, 2, 1, x, x, 1, y);
    if (code == CODE_OK) code = b->download(N, y, out);
    if (y != NULL) b->release(y);
    if (x != NULL) b->release(x);
    if (code != CODE_OK) {
        snprintf(why, size,
                 code == CODE_OUT_OF_MEMORY ? "the device has too little memory left"
                                            : "a small computation on the device failed");
        return code;
    }
    /* 2X + XX */
    if (out[0] == 9 && out[1] == 14 && out[2] == 21 && out[3] == 30) return CODE_OK;
    snprintf(why, size, "the device computes wrong numbers");
    return CODE_DEVICE;
}

OFFERED const struct backend *gradcheckd_cuda_backend(enum dtype dtype, char *why, size_t size)
{
    if (gradcheckd_cuda_health(why, size) != CODE_OK) return NULL;
    return dtype == DTYPE_FLOAT64 || dtype == DTYPE_FLOAT32 ? &backends[dtype] : NULL;
}

OFFERED int gradcheckd_cuda_describe(struct gradcheckd_cuda_device *device)
{
    return device_describe(device);
}
