/* An object that is loaded and does not work, for tests of who loads it: it finds the device wrong, or belongs to
 * another version where $FAKE_OBJECT says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/plugin.h"
#include "core/base/error.h"

unsigned long gradcheckd_cuda_interface(void)
{
    const char *kind = getenv("FAKE_OBJECT");
    return kind != NULL && strcmp(kind, "version") == 0 ? 1 : GRADCHECKD_CUDA_INTERFACE;
}

int gradcheckd_cuda_trial(char *why, size_t size)
{
    snprintf(why, size, "the device computes wrong numbers");
    return CODE_DEVICE;
}

const struct backend *gradcheckd_cuda_backend(enum dtype dtype, char *why, size_t size)
{
    (void)dtype;
    (void)gradcheckd_cuda_trial(why, size);
    return NULL;
}

int gradcheckd_cuda_describe(struct gradcheckd_cuda_device *device)
{
    *device = (struct gradcheckd_cuda_device){0};
    return CODE_DEVICE;
}

const char *gradcheckd_cuda_failure(void)
{
    return "";
}
