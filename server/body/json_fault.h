/* Where and how a text breaks JSON's grammar, told to a person. Only ever run over texts that were refused.
 */
#ifndef SERVER_BODY_JSON_FAULT_H
#define SERVER_BODY_JSON_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "server/limits.h"

enum { JSON_FAULT_MAX = 160 };

struct json_fault {
    size_t offset;              /* of the fault; without one, of the last token that begins before `stop` */
    char fault[JSON_FAULT_MAX]; /* a sentence on what is wrong there; "" where nothing is */
    size_t depth;
    struct json_step {
        bool object;
        bool inside;     /* at the member or element that the step names, not between two */
        const char *key; /* as it stands between its quotes */
        size_t key_length, index;
    } path[LIMIT_DEPTH];
};

/* Walks through the text up to its first fault, or to `stop`. Its grammar is document_read's: JSON with NaN,
 * Infinity and -Infinity as values, LIMIT_DEPTH levels, and an object or an array as the whole. */
void json_fault_find(const char *text, size_t length, size_t stop, struct json_fault *place);

/* Line and column of the place, from 1, in characters. */
void json_fault_position(const char *text, const struct json_fault *place, size_t *line, size_t *column);

/* Puts the way to the place into an error that has been set. */
void json_fault_tell(const struct json_fault *place, struct error *error);

/* A key as it stands between its quotes, unescaped, for quoting: cut at a character where it is longer than
 * `size` - 1. */
void json_fault_key(const char *key, size_t length, char *text, size_t size);

#endif
