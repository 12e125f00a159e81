/* A body on its way to a document: what all readers of files share. Values that they make are jansson's, in the arena.
 */
#ifndef SERVER_BODY_READING_H
#define SERVER_BODY_READING_H

#include "core/base/tensor.h"
#include "server/body/document.h"

struct inflater;

struct reading {
    struct arena *arena;
    const atomic_bool *cancelled; /* may be NULL */
    struct document *document;
    struct error *error;
    size_t capacity;   /* rows that the document's table has room for; what it came with is not grown in place */
    size_t most, room; /* bytes that what is packed may come to, and that are left of these */
    struct inflater *inflater; /* made when it is first needed (inflater.h) */
};

/* Takes `bytes` of the room before they are unpacked. CODE_BODY_TOO_LARGE where there is no such room. */
int reading_unpack(struct reading *r, size_t bytes);

/* CODE_CANCELLED once nobody waits any more. */
int reading_look(struct reading *r);

int reading_out_of_memory(struct reading *r);

/* What is wrong with a file, as a clause: "its header is cut off" (CODE_MALFORMED_FILE); why it is not read here
 * (CODE_UNSUPPORTED_FILE); and any other code. Bytes of the file that are no UTF-8, or no characters to be seen, are
 * told as question marks. */
int reading_fault(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
int reading_unsupported(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
int reading_refuse(struct reading *r, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Whether it is UTF-8 without a NUL. */
bool reading_is_text(const char *at, size_t length);

/* So much of a name is shown to a person. */
int reading_shown(size_t length);

/* The tensor as a member's value. The tensor is copied, its data, which lives as long as the request, is not. A single
 * number becomes what it would be in JSON. */
int reading_tensor(struct reading *r, const struct tensor *tensor, json_t **value);

/* An object without members. */
int reading_object(struct reading *r, json_t **object);

/* Gives `object` a member. One that is there already is CODE_OUT_OF_RANGE; a name that is no UTF-8, or holds a NUL, is
 * CODE_MALFORMED_FILE. */
int reading_put(struct reading *r, json_t *object, const char *name, size_t length, json_t *value);

/* Reads a JSON text beside the document, and adds its rows to the document's. Errors as of document_read. */
int reading_json(struct reading *r, const char *text, size_t length, json_t **value);

#endif
