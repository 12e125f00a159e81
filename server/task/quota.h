/* Whether a request may take what it will take. */
#ifndef SERVER_TASK_QUOTA_H
#define SERVER_TASK_QUOTA_H

#include "server/codes.h"
#include "server/options.h"

/* To write a number out takes as long as so many operations of a large product, some hundred of which are done in a
 * nanosecond on one core. */
#define WORK_PER_NUMBER_WRITTEN 500.0

/* 422 CODE_TOO_MUCH_WORK where the work is beyond --max-work. work: floating-point operations; what: "check". */
int quota_work(const struct options *options, const char *what, double work, struct error *error);

/* The same for the bytes that it needs at once, of which a request's arena may hold options_request_memory: half of
 * that, since where a device fails all is done once more. */
int quota_memory(const struct options *options, const char *what, double bytes, struct error *error);

#endif
