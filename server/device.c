#include "server/device.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/backend_object.h"
#include "core/status.h"

enum { WHY_MAX = 256 };

static struct {
    const struct backend *backends[2]; /* by dtype; NULL where there is no device */
    gradcheckd_cuda_health_function *health;
    atomic_bool sick;
    char why[WHY_MAX];
} cuda = {.why = "gradcheckd was built without it"};

/* dlsym gives an object pointer; POSIX promises that it may be one to a function. */
static bool find_symbol(void *object, const char *name, void *function)
{
    void *symbol = dlsym(object, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void *open_object(void)
{
    static const char *const places[] = {"gradcheckd-cuda.so", "../lib/gradcheckd/gradcheckd-cuda.so"};
    const char *chosen = getenv("GRADCHECKD_TEST_CUDA_OBJECT");
    if (chosen != NULL) return dlopen(chosen, RTLD_NOW | RTLD_LOCAL);
    char program[PATH_MAX - 64];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return NULL;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL) *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", program, places[i]);
        void *object = access(path, R_OK) == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
        if (object != NULL) return object;
        if (access(path, R_OK) == 0) snprintf(cuda.why, WHY_MAX, "the CUDA libraries that it needs are not there");
    }
    return NULL;
}

void device_start(void)
{
    gradcheckd_cuda_interface_function *interface;
    gradcheckd_cuda_backend_function *backend;
    void *object = open_object();
    if (object == NULL) return;
    if (!find_symbol(object, "gradcheckd_cuda_interface", &interface) || interface() != GRADCHECKD_CUDA_INTERFACE ||
        !find_symbol(object, "gradcheckd_cuda_backend", &backend) ||
        !find_symbol(object, "gradcheckd_cuda_health", &cuda.health)) {
        snprintf(cuda.why, WHY_MAX, "its shared object belongs to another version");
        dlclose(object);
        return;
    }
    char why[WHY_MAX] = "no device can be used";
    for (int dtype = 0; dtype < 2; dtype++)
        cuda.backends[dtype] = backend((enum dtype)dtype, why, sizeof why);
    if (!device_has_cuda()) memcpy(cuda.why, why, sizeof why);
    /* The object stays loaded: its threads' streams end with the process. */
}

bool device_has_cuda(void)
{
    return cuda.backends[0] != NULL && cuda.backends[1] != NULL && !atomic_load(&cuda.sick);
}

const char *device_why(void)
{
    return atomic_load(&cuda.sick) ? "the device has failed" : cuda.why;
}

int device_backend(enum device_choice choice, enum dtype dtype, double work, const struct backend **backend,
                   struct error *error)
{
    bool there = device_has_cuda(), wanted = choice == DEVICE_CUDA || (choice == DEVICE_AUTO && work >= DEVICE_WORK);
    *backend = wanted && there ? cuda.backends[dtype] : backend_cpu(dtype);
    if (choice == DEVICE_CUDA && !there) return error_set(error, CODE_DEVICE, "%s", device_why());
    return CODE_OK;
}

const struct backend *device_instead(const struct backend *backend, enum device_choice choice, int code)
{
    char why[WHY_MAX] = "";
    if (backend != cuda.backends[backend->dtype] || (code != CODE_DEVICE && code != CODE_OUT_OF_MEMORY)) return NULL;
    if (code == CODE_DEVICE && cuda.health(why, sizeof why) == CODE_DEVICE && !atomic_exchange(&cuda.sick, true))
        fprintf(stderr, "gradcheckd: the CUDA device is out of service: %s\n", why);
    return choice == DEVICE_AUTO ? backend_cpu(backend->dtype) : NULL;
}
