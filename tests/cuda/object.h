/* The CUDA backend as the daemon loads it, for the programs that run it on a GPU. */
#ifndef TESTS_CUDA_OBJECT_H
#define TESTS_CUDA_OBJECT_H

#include "core/backend/plugin.h"

struct cuda_object {
    const struct backend *backends[2]; /* by dtype */
    gradcheckd_cuda_trial_function *trial;
    gradcheckd_cuda_describe_function *describe;
};

/* The exit status of a program that had nothing to run on; automake's tests and others say it the same way. */
enum { EXIT_SKIPPED = 77 };

/* Loads $GRADCHECKD_CUDA, else build/gradcheckd-cuda.so, and its backends. Or ends the program:
 *
 * - with EXIT_SKIPPED and a line that begins with SKIPPED where no object was built, or where it has no device and the
 *   machine has none either: no NVIDIA driver (libcuda.so.1 cannot be loaded, or is the toolkit's stub), or one that
 *   finds no device;
 * - with EXIT_FAILURE for everything else: an object that cannot be loaded, GPU or not, that lacks something or is of
 *   another version, and one that does not work although there is a device. */
void cuda_object_open(struct cuda_object *object);

#endif
