/* What a combinator template grader of CodeRunner (Moodle) prints. */
#ifndef SERVER_REPORT_CODERUNNER_H
#define SERVER_REPORT_CODERUNNER_H

#include "server/report/verdicts.h"

/* What `reveal` asks for stands in instructorhtml, which students do not see. */
verdicts_writer coderunner_write;

#endif
