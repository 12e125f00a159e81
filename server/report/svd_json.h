/* The answer of POST /v1/svd. */
#ifndef SERVER_REPORT_SVD_JSON_H
#define SERVER_REPORT_SVD_JSON_H

#include "server/task/svd_task.h"
#include "server/text/text.h"

/* Where memory runs short, text->failed says so. */
void svd_report(struct text *text, const struct svd_task *request);

#endif
