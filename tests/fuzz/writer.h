/* JSON as clients write it: with NaN and Infinity, and numbers that are strings. */
#ifndef TESTS_FUZZ_WRITER_H
#define TESTS_FUZZ_WRITER_H

#include "server/text/text.h"

void write_number(struct text *text, double value);

/* Printable characters and UTF-8; quotes and backslashes are escaped. */
void write_string(struct text *text, const char *string);

/* Nested arrays, row-major. */
void write_nested(struct text *text, size_t rank, const size_t *dim, const double *data);

/* A member's name and the colon, after a comma where something stands before it in the object. */
void write_key(struct text *text, const char *name);

#endif
