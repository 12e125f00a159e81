/* The launcher without a GPU: the host stand-in. Described in cuda/launcher.h; how it works is in launcher_host.cpp. */
#ifndef CUDA_LAUNCHER_HOST_H
#define CUDA_LAUNCHER_HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL static
#define DEVICE static inline
#define DEVICE_MEMBER inline

/* ---- for kernels ---- */

/* Where the running kernel is. */
struct standin_place {
    unsigned thread, block, threads, blocks;
    void *shared;
};
extern __thread struct standin_place standin_here;

DEVICE unsigned thread_index()
{
    return standin_here.thread;
}
DEVICE unsigned block_index()
{
    return standin_here.block;
}
DEVICE unsigned block_size()
{
    return standin_here.threads;
}
DEVICE unsigned grid_size()
{
    return standin_here.blocks;
}
template <typename T> DEVICE T *shared_memory()
{
    return static_cast<T *>(standin_here.shared);
}

void standin_barrier();
/* The slot of another lane, after all lanes of the warp have put in their own. */
const void *standin_exchange(const void *mine, size_t bytes, unsigned mask);

DEVICE void barrier()
{
    standin_barrier();
}

DEVICE void warp_barrier()
{
    char nothing = 0; /* a shuffle is one */
    standin_exchange(&nothing, sizeof nothing, 0);
}

template <typename T> DEVICE T shuffle_xor(T v, unsigned mask)
{
    T other;
    memcpy(&other, standin_exchange(&v, sizeof v, mask), sizeof other);
    return other;
}

DEVICE double device_fma(double a, double b, double c)
{
    return a * b + c;
}
DEVICE float device_fma(float a, float b, float c)
{
    return a * b + c;
}

/* ---- for the host ---- */

struct queue;

int queue_new(struct queue **made);
void queue_free(struct queue *q);
int queue_wait(struct queue *q);
int queue_idle(struct queue *q, bool *idle);
int device_allocate(size_t bytes, void **memory);
int device_release(void *memory);
void device_fence(void *memory, size_t offset, size_t bytes);
void device_retire(struct queue *q, void *memory);
void device_renew(struct queue *q, void *memory);
int host_allocate(size_t bytes, void **memory);
int host_release(void *memory);
int copy_in(struct queue *q, void *to, const void *from, size_t bytes);
int copy_out(struct queue *q, void *to, const void *from, size_t bytes);
int product(struct queue *q, bool ta, bool tb, size_t m, size_t n, size_t k, double alpha, const double *A,
            const double *B, double beta, double *C);
int product(struct queue *q, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *A,
            const float *B, float beta, float *C);
int device_describe(struct gradcheckd_cuda_device *d);
int device_open(char *why, size_t size);
const char *device_failure();

int standin_launch(struct queue *q, unsigned blocks, unsigned threads, size_t shared, void (*body)(void *),
                   void *closure);

template <typename F> static void standin_call(void *closure)
{
    (*static_cast<F *>(closure))();
}

template <typename... P, typename... A>
static int launch(struct queue *q, unsigned blocks, unsigned threads, size_t shared, void (*kernel)(P...),
                  A... arguments)
{
    auto body = [&]() { kernel(static_cast<P>(arguments)...); };
    return standin_launch(q, blocks, threads, shared, standin_call<decltype(body)>, &body);
}

#endif
