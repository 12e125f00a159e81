#ifndef TESTS_FUZZ_REQUIRE_H
#define TESTS_FUZZ_REQUIRE_H

#include <stdbool.h>

/* Ends the process with a line on standard error, and so is seen by a fuzzer, where `right` is false. */
void require(bool right, const char *what);

#endif
