/* The answer of POST /v1/train. */
#ifndef SERVER_REPORT_TRAIN_JSON_H
#define SERVER_REPORT_TRAIN_JSON_H

#include "server/text/text.h"
#include "server/task/train_task.h"

/* The whole answer. boundary: the network's outputs over the grid, row by row of y; NULL where it was not asked for.
 * Where memory runs short, text->failed says so. */
void train_report(struct text *text, const struct train_task *request, const struct trained *trained,
                  const double *boundary);

/* One point of the curve, the latest, for the event stream; brief: without norms and remarks. */
void train_report_point(struct text *text, const struct train_task *request, const struct trained *trained, bool brief);

#endif
