/* A request's body, whatever its format: a document and a table of numbers. To add a format, write its reader and its
 * line in the table of body.c. */
#ifndef SERVER_BODY_BODY_H
#define SERVER_BODY_BODY_H

#include "server/body/document.h"

/* The media types that are understood, by number: the first is that of a body whose sender does not say; NULL behind
 * the last. */
const char *body_media_type(size_t i);

/* Reads a body of one of these types. The rest is as of document_read, which is JSON's reader. */
int body_read(const char *media_type, struct arena *arena, const char *bytes, size_t length,
              const atomic_bool *cancelled, struct document *document, struct error *error);

#endif
