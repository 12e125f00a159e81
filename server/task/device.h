/* What there is to compute on: the CPU always, a CUDA device where its shared object and a card are there. */
#ifndef SERVER_TASK_DEVICE_H
#define SERVER_TASK_DEVICE_H

#include <stdbool.h>

#include "core/backend/backend.h"
#include "server/codes.h"
#include "server/options.h"

/* `auto` takes a CUDA device for so many floating-point operations in all (some twenty milliseconds of one core,
 * beside which copies do not count), where a step has so many (some two hundred microseconds; a step takes a dozen
 * launches or two, of some microseconds each, however little it computes). */
#define DEVICE_WORK 2e9
#define DEVICE_STEP_WORK 2e7

/* Once, before any request: looks for gradcheckd-cuda.so beside the program, or in ../lib/gradcheckd; where it does not
 * serve, its line in the table says why. */
void device_start(void);

/* A device that there may be; its name is in device_names. To add one, write where its backend comes from, and its line
 * in the table. */
struct device {
    const char *title; /* "CUDA device" */
    bool (*is_there)(void);
    const char *(*why)(void); /* why it is not there */
    const struct backend *(*backend)(enum dtype dtype);
    /* NULL, or whether `auto` takes it for so many floating-point operations in so many steps */
    bool (*worth)(double work, double steps);
    bool waits;      /* a thread that gives it something to do waits for it, however little that is */
    bool own_memory; /* what it computes is not in host memory */
};

extern const struct device devices[]; /* the CPU first; ends where is_there is NULL */

/* The device that a request asks for by name, or the operator for it; NULL: none, and its size decides. */
const struct device *device_asked(struct device_choice choice);

/* Whether there is one that has memory of its own. */
bool device_with_own_memory(void);

/* The backend for a request; work: its floating-point operations, in `steps` steps one after the other. CODE_DEVICE
 * where it asks for a device by name that has failed since it was read. */
int device_backend(struct device_choice choice, enum dtype dtype, double work, double steps,
                   const struct backend **backend, struct error *error);

/* A computation on that backend ended with that code. A CUDA device that does not compute any more is taken out of
 * service. Returns the CPU's backend where it is worth doing it again with that: the device failed or was full, and the
 * request did not name it; else NULL. */
const struct backend *device_instead(const struct backend *backend, struct device_choice choice, int code);

#endif
