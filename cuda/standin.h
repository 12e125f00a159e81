/* The CUDA backend on the host stand-in, for tests. C. */
#ifndef CUDA_STANDIN_H
#define CUDA_STANDIN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/backend/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In which order blocks, warps and lanes run: results must not depend on it. Ascending, or descending. */
void standin_descending(bool descending);

/* The n-th call from now that could fail on a device (an allocation, a copy, a launch, a product, a wait) fails with
 * this code, and with `sick` all later ones do; 0 takes it back. Tells how many such calls are left to go.
 * Tests of another process write "n device" or "n memory", and perhaps " sick", to the file that
 * GRADCHECKD_TEST_STANDIN_FAIL names; it is removed once it is read. */
void standin_fail_in(size_t calls, int code, bool sick);
size_t standin_fail_left(void);

/* How much memory the device has; 0 for 16 GiB, as in the beginning. */
void standin_device_bytes(size_t bytes);

/* What the calling thread has run so far, and how many of its copies have not been waited for. */
struct standin_counts {
    size_t launches, blocks, threads, barriers, shuffles, products, waits, pending;
};
struct standin_counts standin_count(void);

#ifdef __cplusplus
}
#endif

#endif
