/* POST /v1/check. */
#ifndef SERVER_API_CHECK_H
#define SERVER_API_CHECK_H

#include "server/http/exchange.h"

exchange_handler check_handle;

extern const char *const check_formats[]; /* of its answer, by name; ends with NULL */

#endif
