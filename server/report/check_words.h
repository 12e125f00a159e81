/* The report of a check, written out. */
#ifndef SERVER_REPORT_CHECK_WORDS_H
#define SERVER_REPORT_CHECK_WORDS_H

#include "core/check/check.h"
#include "core/diagnosis/diagnose.h"
#include "server/text/text.h"

/* As JSON, as a table for a terminal, and as JSON with that table as the member `text`, for a program that shows
 * reports to people; diagnosis is NULL where there is none. */
void check_report_json(struct text *text, const struct check *check, const struct report *report,
                       const struct diagnosis *diagnosis);
void check_report_text(struct text *text, const struct check *check, const struct report *report,
                       const struct diagnosis *diagnosis);
void check_report_client(struct text *text, const struct check *check, const struct report *report,
                         const struct diagnosis *diagnosis);

/* An entry as JSON; `line` is that of the program which made what is graded, 0 without one; `state` what of an
 * optimizer's state it is, NULL of none. */
void check_report_entry(struct json *json, const struct check *check, const struct entry *entry, bool graded,
                        unsigned line, const char *state);

/* `tolerance`, the rule that was asked for: "auto", or an object as in the request. */
void check_report_rule(struct json *json, const struct tolerance_rule *rule);

/* One sentence on an entry that did not pass or was not expected: what is wrong, in the request's shapes; ""
 * for the others. In the arena; NULL when memory is short. */
const char *check_report_detail(struct arena *arena, const struct check *check, const struct entry *entry);

/* The name to show for an entry: where a client made it up, at most LIMIT_NAME bytes of it and "...". In the arena;
 * NULL when memory is short. */
const char *check_report_name(struct arena *arena, const struct entry *entry);

#endif
