/* Media types in headers: what a client sends, and what it would like to get. */
#ifndef SERVER_HTTP_MEDIA_TYPE_H
#define SERVER_HTTP_MEDIA_TYPE_H

#include <stdbool.h>

/* Accept: whether it would rather have `type` than `usual`, by the qualities of the ranges that fit them most closely.
 * Both like "text/plain"; parameters of theirs do not matter. */
bool media_type_prefers(const char *accept, const char *type, const char *usual);

/* Content-Type: whether `value` is `type`, in any case and with any parameters behind it: "Application/JSON;
 * charset=utf-8". */
bool media_type_is(const char *value, const char *type);

#endif
