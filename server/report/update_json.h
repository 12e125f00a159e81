/* The answer of POST /v1/optimizer_step. */
#ifndef SERVER_REPORT_UPDATE_JSON_H
#define SERVER_REPORT_UPDATE_JSON_H

#include "server/task/update_task.h"
#include "server/text/text.h"

/* Where memory runs short, text->failed says so. */
void update_report_json(struct text *text, const struct update_task *request, const struct update_report *report);

#endif
