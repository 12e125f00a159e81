/* Gradescope's results.json: https://gradescope-autograders.readthedocs.io/en/latest/specs/ */
#ifndef SERVER_REPORT_GRADESCOPE_H
#define SERVER_REPORT_GRADESCOPE_H

#include "server/report/verdicts.h"

/* FORMAT_VISIBILITY: who sees it; FORMAT_HINTS: who sees what was done wrong, where that is somebody else. */
verdicts_writer gradescope_write;

#endif
