/* The Accept header. */
#ifndef SERVER_HTTP_MEDIA_TYPE_H
#define SERVER_HTTP_MEDIA_TYPE_H

#include <stdbool.h>

/* Whether it would rather have `type` than `usual`, by the qualities of the ranges that fit them most closely; both
 * like "text/plain". */
bool media_type_prefers(const char *accept, const char *type, const char *usual);

#endif
