/* JUnit's XML, by the rules of Jenkins' schema (junit-10.xsd): GitLab, Buildkite and others read that, too. */
#ifndef SERVER_REPORT_JUNIT_H
#define SERVER_REPORT_JUNIT_H

#include "server/report/verdicts.h"

/* FORMAT_SUITE: the suite's and the classes' name; FORMAT_FILE: the attribute `file` of each case, which GitLab reads
 * and Jenkins' schema has no place for. */
verdicts_writer junit_write;

#endif
