/* What a file of tokens says, read in another way than server/tokens.c does. */
#ifndef TESTS_FUZZ_TOKEN_LINES_H
#define TESTS_FUZZ_TOKEN_LINES_H

#include <stddef.h>

/* Loads the file with the two tokens of tests/fuzz/head.h. */
void token_lines_reset(void);

/* Loads a file, and compares. In the end the two tokens are those of the file above. */
void token_lines_check(const char *bytes, size_t length);

#endif
