/* Submitty's validation_results.json of a custom validator. */
#ifndef SERVER_REPORT_SUBMITTY_H
#define SERVER_REPORT_SUBMITTY_H

#include "server/report/verdicts.h"

verdicts_writer submitty_write;

#endif
