/* Content-Encoding: bodies that were packed for their way. To add a coding, write its function and its line in the
 * table of encoding.c. */
#ifndef SERVER_BODY_ENCODING_H
#define SERVER_BODY_ENCODING_H

#include "server/body/reading.h"

/* The names of the codings that are known, by number: "gzip"; NULL behind the last. */
const char *encoding_name(size_t i);

/* Unpacks a body of one of these into the arena, at an address for doubles. What comes out takes of the reading's room;
 * CODE_BODY_TOO_LARGE where there is not enough, before more than that was unpacked. CODE_BAD_REQUEST for what is
 * damaged, cut off, or followed by something else. */
int encoding_read(struct reading *r, const char *coding, const char *bytes, size_t length, const char **unpacked,
                  size_t *unpacked_length);

#endif
