/* The answer of POST /v1/landscape. */
#ifndef SERVER_REPORT_LANDSCAPE_JSON_H
#define SERVER_REPORT_LANDSCAPE_JSON_H

#include "server/task/landscape_task.h"
#include "server/text/text.h"

/* What came out. */
struct plotted {
    double *losses; /* [counts[1], counts[0]] */
    double *path;   /* [path_points, 2] */
    size_t path_points;
    double explained[2]; /* of principal components */
};

/* Where memory runs short, text->failed says so. */
void landscape_report(struct text *text, const struct landscape_task *request, const struct plotted *plotted);

#endif
