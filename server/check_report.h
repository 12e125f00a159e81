/* The report of a check, written out. */
#ifndef SERVER_CHECK_REPORT_H
#define SERVER_CHECK_REPORT_H

#include "core/check.h"
#include "server/text.h"

/* As JSON, and as a table for a terminal. */
void check_report_json(struct text *text, const struct check *check, const struct report *report);
void check_report_text(struct text *text, const struct check *check, const struct report *report);

/* One sentence on an entry that did not pass or was not expected: what is wrong, in the request's shapes; ""
 * for the others. In the arena; NULL when memory is short. */
const char *check_report_detail(struct arena *arena, const struct entry *entry);

#endif
