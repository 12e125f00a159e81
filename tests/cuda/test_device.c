/* The conformance suite on the CUDA backend as the daemon loads it, on a real GPU. `make test-cuda` runs it; what it
 * does where there is none is in tests/cuda/object.h. */
#include "tests/core/conformance.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "tests/cuda/object.h"

static struct cuda_object object;

/* The free memory of the device. */
static size_t free_memory(void)
{
    struct gradcheckd_cuda_device device;
    ck_assert_int_eq(object.describe(&device), CODE_OK);
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
    ck_assert_int_eq(object.trial(why, sizeof why), CODE_OK);
}
END_TEST

Suite *test_suite(void)
{
    cuda_object_open(&object);
    conformance = (struct conformance){.backends = {object.backends[0], object.backends[1]}, .count = 2};
    struct gradcheckd_cuda_device device;
    if (object.describe(&device) == CODE_OK)
        printf("on %s, compute capability %d.%d\n", device.name, device.major, device.minor);
    fflush(stdout);
    setenv("CK_FORK", "no", 1); /* a device's context does not outlive a fork */
    Suite *suite = conformance_suite("cuda on a device");
    conformance_add_small_primitives(suite);
    TCase *tcase = tcase_create("leaks");
    tcase_set_timeout(tcase, 600);
    tcase_add_loop_test(tcase, no_leak, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
