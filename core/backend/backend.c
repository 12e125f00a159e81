#include "core/backend/backend.h"

#include "core/base/error.h"

const char *const dtype_names[] = {"float64", "float32", NULL};

int backend_error(const struct backend *backend, int code, struct error *error)
{
    if (code == CODE_OK) return CODE_OK;
    if (code == CODE_OUT_OF_MEMORY) return error_set(error, code, "the device %s is short of memory", backend->device);
    return error_set(error, code, "the device %s failed", backend->device);
}
