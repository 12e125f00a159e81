/* A second look at what is outside the tolerance: right work differs from the reference where sums were taken in
 * another order, where it was computed in float32, and where that put an element on the other side of a kink. */
#ifndef CORE_CHECK_ROUNDING_H
#define CORE_CHECK_ROUNDING_H

#include "core/check/report.h"

/* Looks again at the report's mismatches, and lets pass what rounding explains. `pass` is the one they were judged by;
 * the report keeps it, or one in float64 on the CPU that is made here, with kinks on the student's side. Nothing is
 * done where nothing mismatches. Errors are the pass's. */
int rounding_look(struct arena *arena, const struct check *check, struct pass *pass, struct report *report,
                  struct error *error);

#endif
