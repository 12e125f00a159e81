#include "tests/fuzz/clock.h"

#include <time.h>

enum { SECOND = 1000000000 };

static long long now, each = 1000;

/* The linker puts it in the place of the system's (--wrap). */
int __wrap_clock_gettime(clockid_t which, struct timespec *time);

int __wrap_clock_gettime(clockid_t which, struct timespec *time)
{
    (void)which;
    now += each;
    time->tv_sec = (time_t)(now / SECOND);
    time->tv_nsec = (long)(now % SECOND);
    return 0;
}

void fuzz_clock_reset(long look)
{
    now = 0;
    each = look;
}
