/* PrairieLearn's /grade/results/results.json: https://docs.prairielearn.com/externalGrading/ */
#ifndef SERVER_REPORT_PRAIRIELEARN_H
#define SERVER_REPORT_PRAIRIELEARN_H

#include "server/report/verdicts.h"

/* At most 1 MB of it is read: where there are very many tests, the last one stands for the rest. */
verdicts_writer prairielearn_write;

#endif
