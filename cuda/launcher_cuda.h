/* The launcher on the CUDA runtime and cuBLAS. Described in cuda/launcher.h. */
#ifndef CUDA_LAUNCHER_CUDA_H
#define CUDA_LAUNCHER_CUDA_H

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL static __global__
#define DEVICE static __device__ __forceinline__
#define DEVICE_MEMBER __device__ __forceinline__

/* ---- for kernels ---- */

DEVICE unsigned thread_index()
{
    return threadIdx.x;
}
DEVICE unsigned block_index()
{
    return blockIdx.x;
}
DEVICE unsigned block_size()
{
    return blockDim.x;
}
DEVICE unsigned grid_size()
{
    return gridDim.x;
}

extern __shared__ __align__(16) unsigned char shared_bytes[];

template <typename T> DEVICE T *shared_memory()
{
    return reinterpret_cast<T *>(shared_bytes);
}

DEVICE void barrier()
{
    __syncthreads();
}

DEVICE void warp_barrier()
{
    __syncwarp();
}

template <typename T> DEVICE T shuffle_xor(T v, unsigned mask)
{
    return __shfl_xor_sync(0xffffffffu, v, (int)mask);
}

DEVICE double device_fma(double a, double b, double c)
{
    return fma(a, b, c);
}
DEVICE float device_fma(float a, float b, float c)
{
    return fmaf(a, b, c);
}

/* ---- for the host ---- */

static __thread char last_failure[160];

static const char *device_failure()
{
    return last_failure;
}

/* A failed call leaves its error behind, to be mistaken for the next launch's: taken back here. An error that ended
 * the device's work comes again at every later call. */
static int code_of(const char *call, cudaError_t error)
{
    if (error == cudaSuccess) return CODE_OK;
    (void)cudaGetLastError();
    snprintf(last_failure, sizeof last_failure, "%s (%s) from %s", cudaGetErrorName(error), cudaGetErrorString(error),
             call);
    return error == cudaErrorMemoryAllocation ? CODE_OUT_OF_MEMORY : CODE_DEVICE;
}

static int code_of(const char *call, cublasStatus_t status)
{
    if (status == CUBLAS_STATUS_SUCCESS) return CODE_OK;
    (void)cudaGetLastError();
    snprintf(last_failure, sizeof last_failure, "%s from %s", cublasGetStatusString(status), call);
    return status == CUBLAS_STATUS_ALLOC_FAILED ? CODE_OUT_OF_MEMORY : CODE_DEVICE;
}

/* The code of a call, whose name the message gets. */
#define CODE_OF(function, ...) code_of(#function, function(__VA_ARGS__))

struct queue {
    cudaStream_t stream;
    cublasHandle_t blas;
    void *workspace;
};

/* What cuBLAS may use for one product. With memory of its own for every stream a product's bits do not depend on what
 * other streams do. */
enum { WORKSPACE_BYTES = 8 << 20 };

/* With less than this the device is full. */
static const size_t FULL_BYTES = (size_t)64 << 20;

static int device_allocate(size_t bytes, void **memory)
{
    return CODE_OF(cudaMalloc, memory, bytes);
}

static int device_release(void *memory)
{
    return CODE_OF(cudaFree, memory);
}

static void device_fence(void *memory, size_t offset, size_t bytes)
{
    (void)memory, (void)offset, (void)bytes;
}

static void device_retire(struct queue *q, void *memory)
{
    (void)q, (void)memory;
}

static void device_renew(struct queue *q, void *memory)
{
    (void)q, (void)memory;
}

static int host_allocate(size_t bytes, void **memory)
{
    return CODE_OF(cudaHostAlloc, memory, bytes, cudaHostAllocDefault);
}

static int host_release(void *memory)
{
    return CODE_OF(cudaFreeHost, memory);
}

static int queue_wait(struct queue *q)
{
    return CODE_OF(cudaStreamSynchronize, q->stream);
}

static int queue_idle(struct queue *q, bool *idle)
{
    cudaError_t error = cudaStreamQuery(q->stream);
    *idle = error == cudaSuccess;
    if (error != cudaErrorNotReady) return code_of("cudaStreamQuery", error);
    (void)cudaGetLastError(); /* an answer and no error, though it is kept as one */
    return CODE_OK;
}

static void queue_free(struct queue *q)
{
    if (q == NULL) return;
    if (q->blas != NULL) (void)CODE_OF(cublasDestroy, q->blas);
    if (q->workspace != NULL) (void)device_release(q->workspace);
    if (q->stream != NULL) (void)CODE_OF(cudaStreamDestroy, q->stream);
    free(q);
}

/* The code of a call of cuBLAS that failed with `code` and said no more: the device's own error where it has one, or
 * for want of memory where it is full. */
static int code_by_memory(const char *what, int code)
{
    size_t left = 0, all = 0;
    cudaError_t error = cudaMemGetInfo(&left, &all);
    if (error != cudaSuccess) return code_of(what, error);
    return left < FULL_BYTES ? CODE_OUT_OF_MEMORY : code;
}

/* cuBLAS says of everything that it is not initialized, be it that there is no memory for a handle. */
static int blas_new(cublasHandle_t *made)
{
    cublasStatus_t status = cublasCreate(made);
    int code = code_of("cublasCreate", status);
    return status == CUBLAS_STATUS_NOT_INITIALIZED ? code_by_memory("a cuBLAS handle", code) : code;
}

static int queue_new(struct queue **made)
{
    struct queue *q = static_cast<struct queue *>(calloc(1, sizeof *q));
    if (q == NULL) return CODE_OUT_OF_MEMORY;
    int code = CODE_OF(cudaStreamCreateWithFlags, &q->stream, cudaStreamNonBlocking);
    if (code == CODE_OK) code = blas_new(&q->blas);
    if (code == CODE_OK) code = device_allocate(WORKSPACE_BYTES, &q->workspace);
    if (code == CODE_OK) code = CODE_OF(cublasSetStream, q->blas, q->stream);
    /* after cublasSetStream, which would take the workspace away again */
    if (code == CODE_OK) code = CODE_OF(cublasSetWorkspace, q->blas, q->workspace, WORKSPACE_BYTES);
    /* float32 is float32: no TF32, no emulation; sums are not made by atomics */
    cublasMath_t mode = (cublasMath_t)(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
    if (code == CODE_OK) code = CODE_OF(cublasSetMathMode, q->blas, mode);
    if (code == CODE_OK) code = CODE_OF(cublasSetAtomicsMode, q->blas, CUBLAS_ATOMICS_NOT_ALLOWED);
    if (code == CODE_OK) code = CODE_OF(cublasSetPointerMode, q->blas, CUBLAS_POINTER_MODE_HOST);
    if (code != CODE_OK) {
        queue_free(q);
        return code;
    }
    *made = q;
    return CODE_OK;
}

static int copy_in(struct queue *q, void *to, const void *from, size_t bytes)
{
    return CODE_OF(cudaMemcpyAsync, to, from, bytes, cudaMemcpyHostToDevice, q->stream);
}

static int copy_out(struct queue *q, void *to, const void *from, size_t bytes)
{
    return CODE_OF(cudaMemcpyAsync, to, from, bytes, cudaMemcpyDeviceToHost, q->stream);
}

template <typename... P, typename... A>
static int launch(struct queue *q, unsigned blocks, unsigned threads, size_t shared, void (*kernel)(P...),
                  A... arguments)
{
    kernel<<<blocks, threads, shared, q->stream>>>(static_cast<P>(arguments)...);
    return code_of("a launch", cudaGetLastError());
}

/* The code of a product. A kernel of cuBLAS is loaded when it is first wanted, and where there is no memory for that,
 * cuBLAS says only that it failed: so it is where the stream is well and the device is full. */
static int code_of_product(struct queue *q, const char *call, cublasStatus_t status)
{
    int code = code_of(call, status);
    if (status != CUBLAS_STATUS_EXECUTION_FAILED && status != CUBLAS_STATUS_INTERNAL_ERROR) return code;
    cudaError_t error = cudaStreamSynchronize(q->stream);
    return error == cudaSuccess ? code_by_memory("a product", code) : code_of("a product", error);
}

/* Of a stored matrix; at least 1, which cuBLAS wants even where there are no elements. */
static int64_t row_length(bool transposed, size_t rows, size_t columns)
{
    size_t length = transposed ? rows : columns;
    return length > 0 ? (int64_t)length : 1;
}

/* cuBLAS stores by columns: what it takes for the [n,m] matrix op(B)^T op(A)^T is our [m,n] op(A) op(B). */
static int product(struct queue *q, bool ta, bool tb, size_t m, size_t n, size_t k, double alpha, const double *A,
                   const double *B, double beta, double *C)
{
    return code_of_product(q, "cublasDgemm",
                           cublasDgemm_64(q->blas, tb ? CUBLAS_OP_T : CUBLAS_OP_N, ta ? CUBLAS_OP_T : CUBLAS_OP_N,
                                          (int64_t)n, (int64_t)m, (int64_t)k, &alpha, B, row_length(tb, k, n), A,
                                          row_length(ta, m, k), &beta, C, (int64_t)n));
}

static int product(struct queue *q, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *A,
                   const float *B, float beta, float *C)
{
    return code_of_product(q, "cublasSgemm",
                           cublasSgemm_64(q->blas, tb ? CUBLAS_OP_T : CUBLAS_OP_N, ta ? CUBLAS_OP_T : CUBLAS_OP_N,
                                          (int64_t)n, (int64_t)m, (int64_t)k, &alpha, B, row_length(tb, k, n), A,
                                          row_length(ta, m, k), &beta, C, (int64_t)n));
}

/* ---- the device ---- */

/* CUDA_VISIBLE_DEVICES chooses another. */
enum { DEVICE_NUMBER = 0, CAPABILITY_MIN = 75 /* CUDA 13 builds for no older ones */ };

static int attribute_of(cudaDeviceAttr attribute)
{
    int value = 0;
    return CODE_OF(cudaDeviceGetAttribute, &value, attribute, DEVICE_NUMBER) == CODE_OK ? value : 0;
}

static int device_describe(struct gradcheckd_cuda_device *d)
{
    *d = gradcheckd_cuda_device{};
    cudaDeviceProp properties;
    int code = CODE_OF(cudaGetDeviceProperties, &properties, DEVICE_NUMBER);
    if (code == CODE_OK) code = CODE_OF(cudaMemGetInfo, &d->free_memory, &d->memory);
    if (code != CODE_OK) return code;
    snprintf(d->name, sizeof d->name, "%s", properties.name);
    d->major = properties.major;
    d->minor = properties.minor;
    d->multiprocessors = properties.multiProcessorCount;
    /* float32 units of a multiprocessor: 64 in 7.x and 8.0, 128 since */
    double units = d->major < 8 || (d->major == 8 && d->minor == 0) ? 64 : 128;
    double hertz = 1e3 * attribute_of(cudaDevAttrClockRate);
    int ratio = attribute_of(cudaDevAttrSingleToDoublePrecisionPerfRatio);
    d->flops_f32 = 2 * units * hertz * d->multiprocessors;
    d->flops_f64 = ratio > 0 ? d->flops_f32 / ratio : 0;
    return CODE_OK;
}

static int device_open(char *why, size_t size)
{
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaSuccess && count == 0) error = cudaErrorNoDevice;
    if (error == cudaSuccess) error = cudaSetDevice(DEVICE_NUMBER);
    int major = 0, minor = 0;
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, DEVICE_NUMBER);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, DEVICE_NUMBER);
    if (error == cudaSuccess && 10 * major + minor < CAPABILITY_MIN) {
        snprintf(why, size, "the device has compute capability %d.%d, and at least %d.%d is needed", major, minor,
                 CAPABILITY_MIN / 10, CAPABILITY_MIN % 10);
        return CODE_DEVICE;
    }
    if (error == cudaSuccess) error = cudaFree(NULL); /* makes the device's context */
    if (error != cudaSuccess) snprintf(why, size, "%s", cudaGetErrorString(error));
    return code_of("the start of the device", error);
}

#endif
