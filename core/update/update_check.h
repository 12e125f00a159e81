/* An optimizer's update that was made by hand, against the reference's: parameters and state, and what went wrong. */
#ifndef CORE_UPDATE_UPDATE_CHECK_H
#define CORE_UPDATE_UPDATE_CHECK_H

#include "core/update/update_report.h"

/* Numbers in memory, and operations, that it takes for so many parameters with so many elements together. */
double update_check_elements(double elements);
double update_check_work(double parameters, double elements);

/* Judges and explains it. The report and what it points to come from the arena. Whatever is wrong with what was handed
 * in is in the report; errors are CODE_OUT_OF_MEMORY, CODE_CANCELLED, and CODE_NOT_FINITE where the right step
 * overflows. */
int update_check_run(struct arena *arena, const struct update_check *check, struct update_report *report,
                     struct error *error);

#endif
