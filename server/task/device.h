/* What there is to compute on: the CPU always, a CUDA device where its shared object and a card are there. */
#ifndef SERVER_TASK_DEVICE_H
#define SERVER_TASK_DEVICE_H

#include <stdbool.h>

#include "core/backend/backend.h"
#include "server/codes.h"
#include "server/options.h"

/* `auto` takes the CUDA device for so many floating-point operations in all (some twenty milliseconds of one core,
 * beside which copies do not count), where a step has so many (some two hundred microseconds; a step takes a dozen
 * launches or two, of some microseconds each, however little it computes). */
#define DEVICE_WORK 2e9
#define DEVICE_STEP_WORK 2e7

/* Once, before any request: looks for gradcheckd-cuda.so beside the program, or in ../lib/gradcheckd; where it does not
 * serve, device_why() says why. */
void device_start(void);

/* A device that there may be. To add one, write where its backend comes from, and its line in the table. */
struct device {
    const char *name;
    bool (*is_there)(void);
    const struct backend *(*backend)(enum dtype dtype);
};

extern const struct device devices[]; /* the CPU first; ends with a NULL name */

bool device_has_cuda(void);

/* Whether a request goes to the device whatever its size. */
bool device_is_cuda(enum device_choice choice);

const char *device_why(void);

/* The backend for a request; work: its floating-point operations, in `steps` steps one after the other. CODE_DEVICE
 * where it asks for a device by name that has failed since it was read. */
int device_backend(enum device_choice choice, enum dtype dtype, double work, double steps,
                   const struct backend **backend, struct error *error);

/* A computation on that backend ended with that code. A CUDA device that does not compute any more is taken out of
 * service. Returns the CPU's backend where it is worth doing it again with that: the device failed or was full, and the
 * request did not name it; else NULL. */
const struct backend *device_instead(const struct backend *backend, enum device_choice choice, int code);

#endif
