/* Where in a document something is wrong, as a JSON pointer. */
#ifndef SERVER_TEXT_POINTER_H
#define SERVER_TEXT_POINTER_H

#include "core/base/error.h"
#include "server/text/text.h"

/* Adds the way to what is wrong (RFC 6901): "/network/layers/3"; nothing where that is the whole. */
void pointer_write(struct text *text, const struct error *error);

#endif
