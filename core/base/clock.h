/* Time that only goes forward: everybody's, and what a thread has computed. */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <time.h>

/* Seconds since some moment; CLOCK_MONOTONIC. */
static inline double clock_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Seconds that the calling thread has been computing; CLOCK_THREAD_CPUTIME_ID. What is bounded by it ends at about
 * the same place however busy the machine is. */
static inline double clock_thread_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif
