/* What a request computes on: `device` and `dtype`. */
#ifndef SERVER_TASK_READ_DEVICE_H
#define SERVER_TASK_READ_DEVICE_H

#include "core/backend/backend.h"
#include "server/options.h"
#include "server/body/members.h"

/* 400 CODE_OUT_OF_RANGE for a device that is not there. */
int read_device(struct members *r, const json_t *root, const struct options *options, struct device_choice *device,
                enum dtype *dtype);

#endif
