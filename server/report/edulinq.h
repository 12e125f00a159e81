/* edulinq's /autograder/output/result.json. */
#ifndef SERVER_REPORT_EDULINQ_H
#define SERVER_REPORT_EDULINQ_H

#include "server/report/verdicts.h"

verdicts_writer edulinq_write;

#endif
