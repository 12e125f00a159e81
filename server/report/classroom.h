/* GitHub Classroom's reporter, version 1, which wants it as base64 in `<ID>_RESULTS`; and its successor Classroom 50,
 * `classroom50/result/v1` without what the runner's environment adds. */
#ifndef SERVER_REPORT_CLASSROOM_H
#define SERVER_REPORT_CLASSROOM_H

#include "server/report/verdicts.h"

verdicts_writer classroom_write;

/* Scores are whole numbers there: fractions are cut off, and such a test tells the exact ones, too. */
verdicts_writer classroom50_write;

#endif
