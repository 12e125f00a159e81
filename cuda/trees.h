/* Sums, least and largest over threads, in trees of fixed shape: the same numbers give the same bits. */
#ifndef CUDA_TREES_H
#define CUDA_TREES_H

#include "cuda/launcher.h"

/* Threads of a block wherever a kernel does not say otherwise; partial results of a sum over all elements. */
enum { BLOCK = 256, WARPS = BLOCK / WARP, PARTIALS_MAX = 1024 };

/* Before a loop whose body is long: four of it at once would take registers from the whole kernel. */
#ifdef __CUDACC__
#define NOT_UNROLLED _Pragma("unroll 1")
#else
#define NOT_UNROLLED
#endif

struct tree_sum {
    template <typename T> DEVICE_MEMBER static T of(T a, T b)
    {
        return a + b;
    }
};
struct tree_max { /* as the CPU's loop takes it: a NaN is passed over, here; its sum is NaN anyway */
    template <typename T> DEVICE_MEMBER static T of(T a, T b)
    {
        return b > a ? b : a;
    }
};
struct tree_min {
    template <typename T> DEVICE_MEMBER static T of(T a, T b)
    {
        return b < a ? b : a;
    }
};

/* Over each `width` neighbouring lanes (a power of two up to 32), to all of them. Sum and largest are commutative, so
 * that both sides of an exchange get the same. */
template <typename OP, typename T> DEVICE T lanes_reduce(T v, unsigned width)
{
    for (unsigned mask = width / 2; mask > 0; mask /= 2)
        v = OP::of(v, shuffle_xor(v, mask));
    return v;
}

/* Over the BLOCK threads of a block, to all of them; `shared` has room for WARPS values, and may be used again at once.
 */
template <typename OP, typename T> DEVICE T block_reduce(T v, T *shared)
{
    v = lanes_reduce<OP>(v, WARP);
    if (thread_index() % WARP == 0) shared[thread_index() / WARP] = v;
    barrier();
    v = shared[thread_index() % WARPS];
    barrier();
    return lanes_reduce<OP>(v, WARPS);
}

/* The threads that share the work on one row: the whole block, or `width` neighbouring lanes. All threads of a block go
 * through the same number of steps, with or without a row, since they meet in shuffles. */
struct team {
    size_t base, step; /* rows: the first of the block, and from one step to the next */
    size_t number;     /* which row from there is ours */
    unsigned lane, width;
};

template <bool WIDE> DEVICE struct team team_of(unsigned width)
{
    struct team t;
    unsigned teams = WIDE ? 1 : block_size() / width;
    t.base = (size_t)block_index() * teams;
    t.step = (size_t)grid_size() * teams;
    t.number = WIDE ? 0 : thread_index() / width;
    t.lane = WIDE ? thread_index() : thread_index() % width;
    t.width = WIDE ? block_size() : width;
    return t;
}

/* A thread that goes through a row by itself. */
DEVICE struct team team_alone()
{
    struct team t = {0, 0, 0, 0, 1};
    return t;
}

template <bool WIDE, typename OP, typename T> DEVICE T team_reduce(T v, unsigned width, void *shared)
{
    return WIDE ? block_reduce<OP>(v, static_cast<T *>(shared)) : lanes_reduce<OP>(v, width);
}

/* ---- kernels of the second step: from partial results to one ---- */

enum { REDUCE_SHARED = WARPS * sizeof(double) };

template <typename OP, typename T> KERNEL void finish_kernel(unsigned count, const T *partials, T nothing, T *result)
{
    T v = nothing;
    for (unsigned i = thread_index(); i < count; i += block_size())
        v = OP::of(v, partials[i]);
    v = block_reduce<OP>(v, shared_memory<T>());
    if (thread_index() == 0) *result = v;
}

#endif
