/* POST /v1/check. */
#ifndef SERVER_CHECK_H
#define SERVER_CHECK_H

#include "server/exchange.h"

exchange_handler check_handle;

/* Whether an Accept header asks for text rather than for JSON, by its qualities. */
bool check_prefers_text(const char *accept);

extern const char *const check_formats[]; /* of its answer, by name; ends with NULL */

#endif
