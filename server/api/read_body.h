/* From the bytes of a request to its document. */
#ifndef SERVER_API_READ_BODY_H
#define SERVER_API_READ_BODY_H

#include "server/body/document.h"
#include "server/http/exchange.h"

/* Reads the body by its media type. Where it is malformed the exchange gets line and column, for the problem. */
int read_body(struct exchange *exchange, struct document *document, struct error *error);

/* The body without its Content-Encoding, for what is no document. */
int read_body_bytes(struct exchange *exchange, const char **bytes, size_t *length, struct error *error);

#endif
