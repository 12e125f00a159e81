/* "Did you mean W1?", for names in a report. */
#ifndef SERVER_REPORT_NEAREST_H
#define SERVER_REPORT_NEAREST_H

#include "core/check/check.h"

/* Gives unexpected names of the report the missing one that each is most likely a slip of. False when memory is short.
 */
bool nearest_find(struct arena *arena, const struct check *check, struct report *report);

#endif
