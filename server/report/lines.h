/* The lines of a student's code in a report, each with its mark. */
#ifndef SERVER_REPORT_LINES_H
#define SERVER_REPORT_LINES_H

#include "core/backward/backward.h"
#include "server/text/text.h"

/* "lines": [...], as a member of the object that is open. */
void lines_report_json(struct json *json, const struct backward *backward);

/* A table for a terminal. */
void lines_report_text(struct text *text, const struct backward *backward);

#endif
