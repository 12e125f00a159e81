/* A diagnosis, written out. */
#ifndef SERVER_DIAGNOSIS_REPORT_H
#define SERVER_DIAGNOSIS_REPORT_H

#include "core/diagnosis/diagnose.h"
#include "server/text/text.h"

/* The member `diagnosis` of a report, into an open object; and as lines below the table. */
void diagnosis_report_json(struct json *json, const struct check *check, const struct diagnosis *diagnosis);
void diagnosis_report_text(struct text *text, const struct check *check, const struct diagnosis *diagnosis);

#endif
