/* Text that grows in an arena, and JSON written into it. */
#ifndef SERVER_TEXT_TEXT_H
#define SERVER_TEXT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/base/arena.h"

struct text {
    struct arena *arena;
    char *data; /* not terminated; NULL while empty */
    size_t length, capacity;
    bool failed; /* memory was short: the text is incomplete; whatever is added later is dropped */
};

void text_init(struct text *text, struct arena *arena);
void text_bytes(struct text *text, const char *bytes, size_t length);
void text_add(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a client named, for a terminal: what would steer that, or is no UTF-8 or no character, becomes "?". */
void text_shown(struct text *text, const char *string);

/* A number as JSON would have it; NaN and infinities are null. */
void text_number(struct text *text, double value);

/* Text within XML or HTML, in an attribute or between tags: & < > " and ' are escaped, and what XML does not allow, or
 * is no UTF-8, becomes "?". Line feeds stay. */
void text_markup(struct text *text, const char *string);

/* The length of the UTF-8 sequence at `at` (1 to 4), 0 where the bytes up to `end` start with none. */
size_t text_utf8(const char *at, const char *end);

/* ---- JSON. Commas and colons are put by the writer. (json_string and json_null are jansson's names.) ----
 */

enum { JSON_DEPTH_MAX = 64 };

struct json {
    struct text *text;
    size_t depth;
    bool filled[JSON_DEPTH_MAX]; /* by depth: something stands there already, a comma comes first */
    bool after_key;
};

void json_init(struct json *json, struct text *text);
void json_open(struct json *json, char bracket);  /* '{' or '[' */
void json_close(struct json *json, char bracket); /* '}' or ']' */
/* A key; a string. Any bytes: what is not UTF-8 becomes U+FFFD. Control characters, '"' and '\' are escaped. */
void json_key_bytes(struct json *json, const char *name, size_t length);
void json_text_bytes(struct json *json, const char *bytes, size_t length);
/* The shortest decimal that reads back as the same float64; NaN and infinities are null. */
void json_number(struct json *json, double value);
void json_size(struct json *json, size_t value);
void json_bool(struct json *json, bool value);
void json_nothing(struct json *json); /* null */
/* Numbers as nested arrays, row-major: data of shape dim[0] x ... x dim[rank-1]; rank 0 is one number. */
void json_tensor(struct json *json, size_t rank, const size_t *dim, const double *data);

/* The same of what is terminated. They stand here as most names are literals, whose length a compiler knows. */
static inline void json_key(struct json *json, const char *name)
{
    json_key_bytes(json, name, strlen(name));
}

static inline void json_text(struct json *json, const char *string)
{
    json_text_bytes(json, string, strlen(string));
}

/* A key and its value. */
static inline void json_member_text(struct json *json, const char *name, const char *value)
{
    json_key(json, name);
    json_text(json, value);
}

static inline void json_member_number(struct json *json, const char *name, double value)
{
    json_key(json, name);
    json_number(json, value);
}

static inline void json_member_size(struct json *json, const char *name, size_t value)
{
    json_key(json, name);
    json_size(json, value);
}

static inline void json_member_bool(struct json *json, const char *name, bool value)
{
    json_key(json, name);
    json_bool(json, value);
}

static inline void json_member_nothing(struct json *json, const char *name)
{
    json_key(json, name);
    json_nothing(json);
}

#endif
