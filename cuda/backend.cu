/* The CUDA backend: one source, compiled by nvcc for the device and by g++ for the host stand-in (cuda/launcher.h). */
#include <float.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/launcher.h"
#include "cuda/trees.h"
#include "cuda/context.h"
#include "cuda/grids.h"
#include "cuda/crew.h"

/* ---- in both arithmetics ---- */

#define FORMULA DEVICE

#define REAL double
#define NAME(x) x##_f64
#define DTYPE DTYPE_FLOAT64
#define SMALLEST DBL_MIN
#include "core/backend/formulas.h"
#include "core/backend/updates.h"
#include "cuda/formulas_template.h"
#include "cuda/kernels_template.h"
#include "cuda/primitives_template.h"
#include "cuda/many_template.h"
#include "cuda/many_losses_template.h"
#include "cuda/many_passes_template.h"
#define WITH_LOSSES_OF_MANY
#include "cuda/many_calls_template.h"
#undef WITH_LOSSES_OF_MANY
#undef REAL
#undef NAME
#undef DTYPE
#undef SMALLEST

#define REAL float
#define NAME(x) x##_f32
#define DTYPE DTYPE_FLOAT32
#define SMALLEST FLT_MIN
#include "core/backend/formulas.h"
#include "core/backend/updates.h"
#include "cuda/formulas_template.h"
#include "cuda/kernels_template.h"
#include "cuda/primitives_template.h"
#include "cuda/many_template.h"
#include "cuda/many_passes_template.h"
#include "cuda/many_calls_template.h"

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

/* 2X + XX, X being 1 2 3 4 by rows. */
static int compute_a_little(const struct backend *b, double out[4])
{
    enum { N = 4 };
    const double in[N] = {1, 2, 3, 4};
    void *x = NULL, *y = NULL;
    int code = b->allocate(NULL, N, &x);
    if (code == CODE_OK) code = b->allocate(NULL, N, &y);
    if (code == CODE_OK) code = b->upload(N, in, x);
    if (code == CODE_OK) code = b->axpby(N, 2, x, 0, y);
    if (code == CODE_OK) code = b->gemm(false, false, 2, 2, 2, 1, x, x, 1, y);
    if (code == CODE_OK) code = b->download(N, y, out);
    if (y != NULL) b->release(y);
    if (x != NULL) b->release(x);
    return code;
}

OFFERED int gradcheckd_cuda_trial(char *why, size_t size)
{
    if (size > 0) why[0] = '\0';
    pthread_once(&backends_once, backends_fill_in);
    double out[4] = {0};
    int code = device_open(why, size);
    if (code != CODE_OK) return code;
    /* a thread that only asks keeps no stream and no scratch memory of the device for it */
    const bool only_asks = context_of_thread() == NULL;
    code = compute_a_little(&backends[DTYPE_FLOAT64], out);
    if (only_asks) context_give_up();
    if (code == CODE_OUT_OF_MEMORY)
        snprintf(why, size, "the device has too little memory left");
    else if (code != CODE_OK)
        snprintf(why, size, "a small computation on the device failed: %s", device_failure());
    if (code != CODE_OK) return code;
    if (out[0] == 9 && out[1] == 14 && out[2] == 21 && out[3] == 30) return CODE_OK;
    snprintf(why, size, "the device computes wrong numbers");
    return CODE_DEVICE;
}

OFFERED const char *gradcheckd_cuda_failure(void)
{
    return device_failure();
}

OFFERED const struct backend *gradcheckd_cuda_backend(enum dtype dtype, char *why, size_t size)
{
    if (gradcheckd_cuda_trial(why, size) != CODE_OK) return NULL;
    return dtype == DTYPE_FLOAT64 || dtype == DTYPE_FLOAT32 ? &backends[dtype] : NULL;
}

OFFERED int gradcheckd_cuda_describe(struct gradcheckd_cuda_device *device)
{
    return device_describe(device);
}
