/* A diagnosis, written out. */
#ifndef SERVER_REPORT_DIAGNOSIS_H
#define SERVER_REPORT_DIAGNOSIS_H

#include "core/diagnosis/diagnose.h"
#include "server/text/text.h"

/* The member `diagnosis` of a report, into an open object; and as lines below the table. */
void diagnosis_report_json(struct json *json, const struct check *check, const struct diagnosis *diagnosis);
void diagnosis_report_text(struct text *text, const struct check *check, const struct diagnosis *diagnosis);

#endif
