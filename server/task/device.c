#include "server/task/device.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/backend/plugin.h"
#include "core/base/clock.h"
#include "server/paths.h"
#include "server/counters.h"

enum { WHY_MAX = 256, TELL_SECONDS = 60 };

static struct {
    const struct backend *backends[2]; /* by dtype; NULL where there is no device */
    gradcheckd_cuda_trial_function *trial;
    gradcheckd_cuda_failure_function *failure;
    atomic_bool sick;
    _Atomic double told; /* when, of a failure */
    char why[WHY_MAX];
} cuda = {.why = "gradcheckd was built without it", .told = -TELL_SECONDS};

/* dlsym gives an object pointer; POSIX promises that it may be one to a function. */
static bool find_symbol(void *object, const char *name, void *function)
{
    void *symbol = dlsym(object, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* The CUDA libraries take a tenth of a second and a hundred megabytes, which a machine without the driver is spared. */
static bool has_driver(void)
{
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver == NULL) snprintf(cuda.why, WHY_MAX, "no NVIDIA driver is installed");
    return driver != NULL;
}

/* Whether the file is as long as it says: of one that was cut short the loader would let the process die. */
static bool is_whole(const char *path)
{
    Elf64_Ehdr head;
    struct stat status;
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    bool whole = fread(&head, sizeof head, 1, file) == 1 && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
                 fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) &&
                 head.e_shoff <= (Elf64_Off)status.st_size &&
                 (Elf64_Off)status.st_size - head.e_shoff >= (Elf64_Off)head.e_shnum * head.e_shentsize;
    fclose(file);
    return whole;
}

static void *open_object(void)
{
    static const char *const places[2] = {"gradcheckd-cuda.so", "../lib/gradcheckd/gradcheckd-cuda.so"};
    /* Whatever the environment says for other programs: what is graded in float32 is computed in float32. */
    static const char *const reductions[] = {"NVIDIA_TF32_OVERRIDE", "CUBLAS_EMULATE_SINGLE_PRECISION",
                                             "CUBLAS_EMULATE_DOUBLE_PRECISION"};
    char path[PATH_MAX];
    const char *chosen = getenv("GRADCHECKD_TEST_CUDA_OBJECT");
    if (chosen != NULL)
        snprintf(path, sizeof path, "%s", chosen);
    else if (!paths_find(places, false, path, sizeof path) || !has_driver())
        return NULL;
    if (!is_whole(path)) {
        snprintf(cuda.why, WHY_MAX, "its shared object is no object, or not whole");
        return NULL;
    }
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++)
        setenv(reductions[i], "0", 1);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object != NULL) return object;
    snprintf(cuda.why, WHY_MAX, "its shared object or a library that it needs cannot be loaded");
    fprintf(stderr, "gradcheckd: no CUDA: %s\n", dlerror());
    return NULL;
}

static bool has_cuda(void)
{
    return cuda.backends[0] != NULL && cuda.backends[1] != NULL && !atomic_load(&cuda.sick);
}

void device_start(void)
{
    gradcheckd_cuda_interface_function *interface;
    gradcheckd_cuda_backend_function *backend;
    void *object = open_object();
    if (object == NULL) return;
    if (!find_symbol(object, "gradcheckd_cuda_interface", &interface) || interface() != GRADCHECKD_CUDA_INTERFACE ||
        !find_symbol(object, "gradcheckd_cuda_backend", &backend) ||
        !find_symbol(object, "gradcheckd_cuda_trial", &cuda.trial) ||
        !find_symbol(object, "gradcheckd_cuda_failure", &cuda.failure)) {
        snprintf(cuda.why, WHY_MAX, "its shared object belongs to another version");
        dlclose(object);
        return;
    }
    char why[WHY_MAX] = "no device can be used";
    for (int dtype = 0; dtype < 2; dtype++)
        cuda.backends[dtype] = backend((enum dtype)dtype, why, sizeof why);
    if (!has_cuda()) memcpy(cuda.why, why, sizeof why);
    /* The object stays loaded: its threads' streams end with the process. */
}

static bool is_always_there(void)
{
    return true;
}

static const struct backend *cuda_backend(enum dtype dtype)
{
    return cuda.backends[dtype];
}

static const char *why_no_cuda(void)
{
    return atomic_load(&cuda.sick) ? "the device has failed" : cuda.why;
}

static bool is_worth_cuda(double work, double steps)
{
    return work >= DEVICE_WORK && work / steps >= DEVICE_STEP_WORK;
}

/* In the order of device_names. */
const struct device devices[] = {
    {.title = "CPU", .is_there = is_always_there, .backend = backend_cpu},
    {.title = "CUDA device",
     .is_there = has_cuda,
     .why = why_no_cuda,
     .backend = cuda_backend,
     .worth = is_worth_cuda,
     .waits = true,
     .own_memory = true},
    {0},
};

const struct device *device_asked(struct device_choice choice)
{
    return choice.which != DEVICE_AUTO ? &devices[choice.which - 1] : NULL;
}

bool device_with_own_memory(void)
{
    for (const struct device *d = devices; d->is_there != NULL; d++)
        if (d->own_memory && d->is_there()) return true;
    return false;
}

/* What `auto` takes. */
static const struct device *device_worth(double work, double steps)
{
    for (const struct device *d = devices; d->is_there != NULL; d++)
        if (d->worth != NULL && d->worth(work, steps) && d->is_there()) return d;
    return devices;
}

int device_backend(struct device_choice choice, enum dtype dtype, double work, double steps,
                   const struct backend **backend, struct error *error)
{
    const struct device *asked = device_asked(choice), *device = asked != NULL ? asked : device_worth(work, steps);
    bool there = device->is_there();
    *backend = (there ? device : devices)->backend(dtype);
    if (asked != NULL && !there && !choice.usually) return error_set(error, CODE_DEVICE, "%s", device->why());
    return CODE_OK;
}

/* An operator wants to know, but not a thousand times. */
static void tell_failure(const char *what)
{
    double now = clock_seconds(), last = atomic_load(&cuda.told);
    if (now - last >= TELL_SECONDS && atomic_compare_exchange_strong(&cuda.told, &last, now))
        fprintf(stderr, "gradcheckd: the CUDA device failed in a request: %s\n", what);
}

const struct backend *device_instead(const struct backend *backend, struct device_choice choice, int code)
{
    char why[WHY_MAX] = "";
    if (backend != cuda.backends[backend->dtype] || (code != CODE_DEVICE && code != CODE_OUT_OF_MEMORY)) return NULL;
    counters_device_failure(code == CODE_OUT_OF_MEMORY);
    if (code == CODE_DEVICE) tell_failure(cuda.failure());
    if (code == CODE_DEVICE && cuda.trial(why, sizeof why) == CODE_DEVICE && !atomic_exchange(&cuda.sick, true))
        fprintf(stderr, "gradcheckd: the CUDA device is out of service: %s\n", why);
    bool asked_by_name = choice.which != DEVICE_AUTO && !choice.usually;
    return asked_by_name ? NULL : backend_cpu(backend->dtype);
}
