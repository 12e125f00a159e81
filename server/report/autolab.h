/* Autolab's last two lines of output: https://docs.autolabproject.com/lab/ */
#ifndef SERVER_REPORT_AUTOLAB_H
#define SERVER_REPORT_AUTOLAB_H

#include "server/report/verdicts.h"

/* FORMAT_SCORES: one problem, "Gradients", in place of one for each name. */
verdicts_writer autolab_write;

#endif
