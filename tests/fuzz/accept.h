/* What an Accept header prefers, by RFC 9110, 12.5.1: to compare with server/http/media_type.c. */
#ifndef TESTS_FUZZ_ACCEPT_H
#define TESTS_FUZZ_ACCEPT_H

#include <stdbool.h>

/* Whether `type` is preferred to `usual`. False where the header is not well-formed, and so prefers nothing. */
bool accept_prefers(const char *accept, const char *type, const char *usual, bool *preferred);

#endif
