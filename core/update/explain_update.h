/* Which mistakes an update that is wrong was made with. */
#ifndef CORE_UPDATE_EXPLAIN_UPDATE_H
#define CORE_UPDATE_EXPLAIN_UPDATE_H

#include "core/update/update_report.h"

/* Replays the step of every parameter that has failing entries with each slip, then with two at once; names those that
 * reproduce all that was handed in for it: to the tolerance, and to so many digits of what is wrong that chance has no
 * part in it. Where several do, the likelier is named and the others are alternatives. Sets found and explained of the
 * report. */
int explain_update(struct arena *arena, const struct update_check *check, struct update_report *report,
                   struct error *error);

#endif
