/* What check50 --output json prints. */
#ifndef SERVER_REPORT_CHECK50_H
#define SERVER_REPORT_CHECK50_H

#include "server/report/verdicts.h"

verdicts_writer check50_write;

#endif
