/* Commands that a step of GitHub's workflows prints: annotations at a commit. */
#ifndef SERVER_REPORT_GITHUB_H
#define SERVER_REPORT_GITHUB_H

#include "server/report/verdicts.h"

/* FORMAT_FILE: the file that they stand at; FORMAT_SUITE: the title of the notice. */
verdicts_writer github_write;

#endif
