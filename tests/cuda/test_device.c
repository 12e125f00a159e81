/* The conformance suite on the CUDA backend as the daemon loads it, on a real GPU. `make test-cuda` runs it; where
 * there is no object or no device it says SKIPPED. */
#include "tests/core/conformance.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/status.h"
#include "cuda/gradcheckd_cuda.h"

static gradcheckd_cuda_health_function *health;
static gradcheckd_cuda_describe_function *describe;

static void skip(const char *why)
{
    printf("SKIPPED: the CUDA backend was not run on a device: %s\n", why);
    exit(EXIT_SUCCESS);
}

static void *find(void *object, const char *name)
{
    void *symbol = dlsym(object, name);
    if (symbol != NULL) return symbol;
    fprintf(stderr, "the object lacks %s\n", name);
    exit(EXIT_FAILURE);
}

/* The free memory of the device. */
static size_t free_memory(void)
{
    struct gradcheckd_cuda_device device;
    ck_assert_int_eq(describe(&device), CODE_OK);
    return device.free_memory;
}

/* What a request does with the device's memory, ten thousand times: nothing is lost. */
START_TEST(no_leak)
{
    const struct backend *b = conformance.backends[_i];
    enum { REQUESTS = 10000, N = 5000 };
    static double values[N];
    size_t before = 0;
    for (int i = 0; i < REQUESTS; i++) {
        void *x = NULL, *y = NULL;
        double sum = 0;
        ck_assert(b->allocate(NULL, N + (size_t)i % 97, &x) == CODE_OK && b->allocate(NULL, N, &y) == CODE_OK);
        ck_assert(b->upload(N, values, x) == CODE_OK && b->map(MAP_tanh, 0, N, x, y) == CODE_OK);
        ck_assert_int_eq(b->dot(N, x, y, &sum), CODE_OK);
        b->release(x);
        b->release(y);
        if (i == 100) before = free_memory();
    }
    size_t after = free_memory();
    ck_assert_msg(after + ((size_t)8 << 20) >= before, "%zu bytes were free, now %zu are", before, after);
    char why[256];
    ck_assert_int_eq(health(why, sizeof why), CODE_OK);
}
END_TEST

Suite *test_suite(void)
{
    const char *path = getenv("GRADCHECKD_CUDA");
    void *object = dlopen(path != NULL ? path : "build/gradcheckd-cuda.so", RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) skip(dlerror());
    gradcheckd_cuda_interface_function *interface;
    gradcheckd_cuda_backend_function *backend;
    *(void **)&interface = find(object, "gradcheckd_cuda_interface");
    *(void **)&backend = find(object, "gradcheckd_cuda_backend");
    *(void **)&health = find(object, "gradcheckd_cuda_health");
    *(void **)&describe = find(object, "gradcheckd_cuda_describe");
    if (interface() != GRADCHECKD_CUDA_INTERFACE) {
        fprintf(stderr, "the object is of another version\n");
        exit(EXIT_FAILURE);
    }
    char why[256] = "";
    conformance = (struct conformance){
        .backends = {backend(DTYPE_FLOAT64, why, sizeof why), backend(DTYPE_FLOAT32, why, sizeof why)}, .count = 2};
    if (conformance.backends[0] == NULL || conformance.backends[1] == NULL) skip(why);
    struct gradcheckd_cuda_device device;
    if (describe(&device) == CODE_OK)
        printf("on %s, compute capability %d.%d\n", device.name, device.major, device.minor);
    fflush(stdout);
    setenv("CK_FORK", "no", 1); /* a device's context does not outlive a fork */
    Suite *suite = conformance_suite("cuda on a device");
    TCase *tcase = tcase_create("leaks");
    tcase_set_timeout(tcase, 600);
    tcase_add_loop_test(tcase, no_leak, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
