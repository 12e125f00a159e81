/* The main job: a student's gradients against the reference's, parameter by parameter. */
#ifndef CORE_CHECK_CHECK_H
#define CORE_CHECK_CHECK_H

#include "core/check/report.h"

/* Floating-point operations that a check takes, at most; with central differences, or without. */
double check_work(const struct network *network, bool differences);

/* Those of them that the check's backend does where it is a device: all, but the differences of networks that it cannot
 * evaluate many at a time, which the CPU does. */
double check_device_work(const struct network *network, bool differences);

/* Runs it. The report and all it points to come from the arena. Whatever is wrong with what the student
 * handed in is in the report; errors are the pass's: CODE_NOT_FINITE, CODE_OUT_OF_RANGE, CODE_OUT_OF_MEMORY,
 * CODE_CANCELLED, CODE_DEVICE. */
int check_run(struct arena *arena, const struct check *check, struct report *report, struct error *error);

#endif
