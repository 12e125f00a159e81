/* Whether somebody may use a route: `Authorization: Bearer TOKEN` (RFC 6750), where there are tokens. */
#ifndef SERVER_HTTP_ACCESS_H
#define SERVER_HTTP_ACCESS_H

#include "server/http/exchange.h"

/* Finds out what the request's sender may do (exchange->role), and whether that is what its route asks for: without
 * --tokens anybody may do all. CODE_UNAUTHORIZED, CODE_FORBIDDEN; *challenge is what WWW-Authenticate says then, else
 * NULL. */
int access_check(struct exchange *exchange, const char **challenge, struct error *error);

#endif
