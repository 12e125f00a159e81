#include "tests/cuda/object.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the driver's interface, whose header is not there where this is compiled. */
enum { DRIVER_IS_A_STUB = 34, DRIVER_NO_DEVICE = 100 };
typedef int driver_init_function(unsigned flags);
typedef int driver_count_function(int *count);

__attribute__((noreturn, format(printf, 2, 3))) static void end(int status, const char *format, ...)
{
    va_list arguments;
    FILE *to = status == EXIT_SKIPPED ? stdout : stderr;
    fputs(status == EXIT_SKIPPED ? "SKIPPED: nothing was run on a GPU: " : "FAILED: ", to);
    va_start(arguments, format);
    vfprintf(to, format, arguments);
    va_end(arguments);
    fputc('\n', to);
    exit(status);
}

/* dlsym gives an object pointer; POSIX promises that it may be one to a function. */
static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void must_find(void *object, const char *name, void *function)
{
    if (!find(object, name, function)) end(EXIT_FAILURE, "the object lacks %s", name);
}

/* What this machine lacks that every backend needs; NULL where that is not the trouble. */
static const char *lacking(void)
{
    driver_init_function *init;
    driver_count_function *count_devices;
    int count = 0;
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (driver == NULL) return "there is no NVIDIA driver (libcuda.so.1)";
    if (!find(driver, "cuInit", &init) || !find(driver, "cuDeviceGetCount", &count_devices)) return NULL;
    int code = init(0);
    if (code == DRIVER_IS_A_STUB) return "there is no NVIDIA driver, libcuda.so.1 is a stub";
    if (code == DRIVER_NO_DEVICE) return "the NVIDIA driver finds no device";
    return code == 0 && count_devices(&count) == 0 && count == 0 ? "the NVIDIA driver counts no devices" : NULL;
}

void cuda_object_open(struct cuda_object *object)
{
    const char *path = getenv("GRADCHECKD_CUDA");
    if (path == NULL) path = "build/gradcheckd-cuda.so";
    if (access(path, F_OK) != 0) end(EXIT_SKIPPED, "no object was built, %s is not there", path);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) end(EXIT_FAILURE, "the object cannot be loaded: %s", dlerror());
    gradcheckd_cuda_interface_function *interface;
    gradcheckd_cuda_backend_function *backend;
    must_find(library, "gradcheckd_cuda_interface", &interface);
    must_find(library, "gradcheckd_cuda_backend", &backend);
    must_find(library, "gradcheckd_cuda_trial", &object->trial);
    must_find(library, "gradcheckd_cuda_describe", &object->describe);
    gradcheckd_cuda_failure_function *failure;
    must_find(library, "gradcheckd_cuda_failure", &failure);
    if (interface() != GRADCHECKD_CUDA_INTERFACE) end(EXIT_FAILURE, "the object belongs to another version");
    for (int dtype = 0; dtype < 2; dtype++) {
        char why[256] = "";
        object->backends[dtype] = backend((enum dtype)dtype, why, sizeof why);
        if (object->backends[dtype] != NULL) continue;
        const char *missing = lacking();
        if (missing != NULL) end(EXIT_SKIPPED, "%s", missing);
        end(EXIT_FAILURE, "the backend does not work here: %s", why);
    }
}
