/* A request's body, whatever its format: a document and a table of numbers. To add a format, write its reader and its
 * line in the table of body.c. */
#ifndef SERVER_BODY_BODY_H
#define SERVER_BODY_BODY_H

#include "server/body/document.h"

/* The media types that are understood, by number: the first is that of a body whose sender does not say; NULL behind
 * the last. */
const char *body_media_type(size_t i);

/* The content codings that are understood; NULL behind the last. */
const char *body_coding(size_t i);

/* A body as it came; all of it outlives the document. */
struct body {
    const char *media_type;   /* one of those above */
    const char *content_type; /* the header that says so, with its parameters; NULL where there is none */
    const char *coding;       /* one of those above, NULL where it came as it is */
    const char *bytes;
    size_t length;
    size_t most; /* bytes that may come out where it is packed, or holds what is */
};

/* Its bytes as they were before they were packed. Codes as in encoding.h. */
int body_unpack(const struct body *body, struct arena *arena, const atomic_bool *cancelled, const char **bytes,
                size_t *length, struct error *error);

/* Reads it. Numbers may stay in the body's own bytes. The rest is as of document_read, which is JSON's reader; codes of
 * the other readers are in encoding.h, multipart.h, form.h and parts.h. */
int body_read(const struct body *body, struct arena *arena, const atomic_bool *cancelled, struct document *document,
              struct error *error);

#endif
