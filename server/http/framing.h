/* What the HTTP library lets pass of a request's head and we don't: whatever two readers of the same bytes
 * could take for two different requests. What the library itself refuses (a Content-Length that is no number, a chunk
 * extension beyond its memory) never comes here: it answers with a page of its own, in 0.9.75 at times with its head
 * sent twice, and closes the connection. */
#ifndef SERVER_HTTP_FRAMING_H
#define SERVER_HTTP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/codes.h"

struct MHD_Connection;

struct framing {
    bool chunked;
    bool has_length; /* a Content-Length stands there */
    uint64_t length; /* its value; 0 without one */
};

/* Walks all headers of the request and checks its head: `method` and `version`, where the library has them, and the
 * length of its target as it was sent. Fails with CODE_BAD_REQUEST or CODE_EXPECTATION_FAILED; the connection has to be
 * closed then, since nobody knows where the next request begins. */
int framing_read(struct MHD_Connection *connection, const char *method, size_t target_length, const char *version,
                 struct framing *framing, struct error *error);

/* Whether a request's target, as it was sent, holds only what a target may hold. */
bool framing_target_fits(const char *target);

#endif
