/* A range of numbers. */
#ifndef SERVER_TASK_READ_RANGE_H
#define SERVER_TASK_READ_RANGE_H

#include "server/body/members.h"

/* Two finite numbers, the first less than the second, into range; where they are not given, it is left as it is. */
int read_range(struct members *r, const json_t *object, const char *name, double range[2]);

#endif
