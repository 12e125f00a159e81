/* libcuda.so.1 as far as tests/cuda/object.c asks it: cuInit returns $FAKE_INIT, and there are $FAKE_DEVICES devices.
 */
#include <stdlib.h>

int cuInit(unsigned flags);
int cuDeviceGetCount(int *count);

static int number(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? (int)strtol(value, NULL, 10) : 0;
}

int cuInit(unsigned flags)
{
    (void)flags;
    return number("FAKE_INIT");
}

int cuDeviceGetCount(int *count)
{
    *count = number("FAKE_DEVICES");
    return 0;
}
