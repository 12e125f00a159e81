/* A backend that lies in a shared object of its own, which a program may load when it is there:
 * build/gradcheckd-cuda.so.
 *
 * The object is built from the same sources as the program: gradcheckd_cuda_interface() tells whether it was. Any
 * thread may call it; which one may work on which memory is said in core/backend/backend.h, at allocate. A thread gets
 * a stream of its own when it first computes, and leaves it to another when it ends. */
#ifndef CORE_BACKEND_PLUGIN_H
#define CORE_BACKEND_PLUGIN_H

#include <stddef.h>

#include "core/backend/backend.h"

struct gradcheckd_cuda_device {
    char name[256];
    int major, minor; /* compute capability */
    int multiprocessors;
    size_t memory, free_memory;  /* bytes */
    double flops_f64, flops_f32; /* the card's peak a second without tensor cores; 0 where unknown */
};

/* To be compared with GRADCHECKD_CUDA_INTERFACE, as seen by who loads it, before anything else is called: a checksum of
 * the headers that both sides share, which the Makefile takes. */
unsigned long gradcheckd_cuda_interface(void);

/* The backend for one arithmetic; NULL, with a sentence in why, where no device can be used. To be called before any
 * other work; takes a second or two the first time. */
const struct backend *gradcheckd_cuda_backend(enum dtype dtype, char *why, size_t size);

/* Does a small computation and looks at the result. CODE_OK; CODE_OUT_OF_MEMORY; or CODE_DEVICE, with a sentence in
 * why, for a device to be taken out of service. The thread that asks keeps nothing of the device for it. */
int gradcheckd_cuda_trial(char *why, size_t size);

/* What failed last on the calling thread: the call and CUDA's or cuBLAS's name for it; "" where nothing has. Valid
 * until something fails again. */
const char *gradcheckd_cuda_failure(void);

int gradcheckd_cuda_describe(struct gradcheckd_cuda_device *device);

/* Types for dlsym's results. */
typedef unsigned long gradcheckd_cuda_interface_function(void);
typedef const struct backend *gradcheckd_cuda_backend_function(enum dtype dtype, char *why, size_t size);
typedef int gradcheckd_cuda_trial_function(char *why, size_t size);
typedef const char *gradcheckd_cuda_failure_function(void);
typedef int gradcheckd_cuda_describe_function(struct gradcheckd_cuda_device *device);

#endif
