/* TAP, the Test Anything Protocol: https://testanything.org/tap-version-13-specification.html */
#ifndef SERVER_REPORT_TAP_H
#define SERVER_REPORT_TAP_H

#include "server/report/verdicts.h"

/* Version 13: readers of 14 take that as well, and Perl's prove takes no other. */
verdicts_writer tap_write;

#endif
