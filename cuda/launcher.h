/* What the CUDA backend stands on, and all of it: threads, barriers and shuffles for its kernels; memory, copies,
 * launches and products for the host. Implemented twice: by launcher_cuda.h for nvcc, on the CUDA runtime and
 * cuBLAS; by launcher_host.h and launcher_host.cpp for any C++ compiler, with fibers, malloc and CBLAS, so that the
 * very same kernels run on the CPU in tests. Everything below is written in terms of this list.
 *
 * For kernels:
 *
 *     KERNEL void name(...)     a kernel; DEVICE a function that kernels call, DEVICE_MEMBER one in a struct
 *     thread_index() block_index() block_size() grid_size()       all in one dimension
 *     T *shared_memory<T>()     what the launch gave the block, 16-byte aligned, contents undefined
 *     barrier()                 of all threads of the block
 *     warp_barrier()            of the 32 lanes of the warp
 *     shuffle_xor(v, mask)      the v of the lane whose number within its warp is ours xor mask; all 32 lanes call it
 *     device_fma(a, b, c)       a * b + c rounded once
 *
 * For the host; every function returns a code of core/base/error.h:
 *
 *     struct queue              one stream and what cuBLAS needs for it; calls on one queue are done in order
 *     queue_new(&q) queue_free(q)
 *     queue_wait(q)             until all is done; the only place where the host waits, but for device_release
 *     queue_idle(q, &idle)      whether all is done by now, without waiting; also of another thread's queue
 *     device_allocate(bytes, &p) device_release(p)    memory of the device
 *     device_fence(p, offset, bytes)    nobody may write there until the memory is given back
 *     device_retire(q, p)       the memory is given back, to be used again: q may still be at work on it
 *     device_renew(q, p)        it is used again, by q: what is in it is undefined. These three are checks of the
 *                               stand-in's, and nothing for a device
 *     host_allocate(bytes, &p) host_release(p)        page-locked memory of the host
 *     copy_in(q, to, from, bytes) copy_out(q, to, from, bytes)    between the two; wait before touching host memory
 *     launch(q, blocks, threads, shared, kernel, arguments...)    threads is a multiple of 32
 *     product(q, ta, tb, m, n, k, alpha, A, B, beta, C)           as backend->gemm; for double and for float
 *     device_describe(&description) device_open(why, size)
 *     device_failure()          what the calling thread's last failed call said of itself, for people
 */
#ifndef CUDA_LAUNCHER_H
#define CUDA_LAUNCHER_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include "core/backend/backend.h"
#include "core/pass/fused.h"
#include "core/base/error.h"
#include "core/backend/plugin.h"
}

enum { WARP = 32 };

#ifdef __CUDACC__
#include "cuda/launcher_cuda.h"
#else
#include "cuda/launcher_host.h"
#endif

#endif
