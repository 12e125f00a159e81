/* A diagnosis, written out. */
#ifndef SERVER_REPORT_DIAGNOSIS_H
#define SERVER_REPORT_DIAGNOSIS_H

#include "core/diagnosis/diagnose.h"
#include "server/text/text.h"

/* The member `diagnosis` of a report, into an open object; and as lines below the table. */
void diagnosis_report_json(struct json *json, const struct check *check, const struct diagnosis *diagnosis);
void diagnosis_report_text(struct text *text, const struct check *check, const struct diagnosis *diagnosis);

/* Where no mistake, or not all of them, explains what is wrong: sentences that say so, and where it may come from; a
 * line each, nothing where all is explained. */
void diagnosis_report_rest(struct text *text, const struct check *check, const struct diagnosis *diagnosis);

#endif
