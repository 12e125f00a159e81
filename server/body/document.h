/* A JSON body, read once: numbers in arrays go straight into float64 storage, the small rest becomes a
 * jansson document. */
#ifndef SERVER_BODY_DOCUMENT_H
#define SERVER_BODY_DOCUMENT_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "server/codes.h"
#include "server/body/numbers.h"

struct document {
    json_t *root;
    struct numbers *table;
    size_t count;
    size_t line, column; /* of a text that was refused as malformed: where, from 1, in characters; 0 elsewhere */
};

/* Reads a complete JSON text. In the document every `struct numbers` stands as an array of one integer, its
 * row in the table; since arrays of numbers never reach jansson otherwise, nothing that a client sends can be
 * mistaken for it.
 *
 * All memory, jansson's too, comes from the arena: nothing is to be decref'd. Duplicate keys, bad UTF-8, more
 * than LIMIT_DEPTH levels, anything behind the value and everything else that JSON forbids (but see above) is
 * CODE_MALFORMED_JSON with line and column in the document and, as far as it can be told, the way to the
 * place. More than DOCUMENT_VALUES_MAX values are CODE_OUT_OF_RANGE. The root is an object or an
 * array: the caller's to check. Nothing is kept of `text`. Once `cancelled` (it may be NULL) is set, the reading ends
 * with CODE_CANCELLED. */
int document_read(struct arena *arena, const char *text, size_t length, const atomic_bool *cancelled,
                  struct document *document, struct error *error);

/* The numbers that `value` stands for; NULL where it is something else. */
const struct numbers *document_numbers(const struct document *document, const json_t *value);

/* Once, before any thread starts: jansson's allocator and hash seed. */
void document_setup(void);

#endif
