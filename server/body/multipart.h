/* multipart/form-data (RFC 7578, RFC 2046) that is in memory already. (libmicrohttpd's MHD_PostProcessor takes bodies
 * piece by piece from a connection and copies each byte of a file into a buffer of its own; here the parts stay where
 * they are.) */
#ifndef SERVER_BODY_MULTIPART_H
#define SERVER_BODY_MULTIPART_H

#include "server/body/parts.h"

/* Splits a body into its parts, of which names alone may be copied. `content_type` is the header that holds the
 * boundary. CODE_BAD_REQUEST for what is no such body, more than LIMIT_PARTS, and parts with a
 * Content-Transfer-Encoding. */
int multipart_split(struct reading *r, const char *content_type, const char *bytes, size_t length, struct part **parts,
                    size_t *count);

/* The same, read. */
int multipart_read(struct reading *r, const char *content_type, const char *bytes, size_t length);

#endif
