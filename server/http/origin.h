/* Whom a request is meant for, and from whose page it comes: a page of another site must neither reach this daemon by a
 * name that its owner has pointed here (DNS rebinding) nor have it work for the page. */
#ifndef SERVER_HTTP_ORIGIN_H
#define SERVER_HTTP_ORIGIN_H

#include "server/http/exchange.h"

/* Whether the request is meant for us: its target's host, or else its Host header, is a name or an address of loopback,
 * the address listened on (any address where that is all of them), or one of --host; without either (HTTP/1.0) it is.
 * The port is not looked at: it may have been forwarded. CODE_MISDIRECTED. */
int origin_check_host(const struct exchange *exchange, const char *target, struct error *error);

/* Whether the page that a request comes from, if it says so, may send it: one of the same host and port, or one of
 * --cors; then *allowed is its origin, as the header has it, else NULL. CODE_FOREIGN_ORIGIN. */
int origin_check_page(const struct exchange *exchange, const char *target, const char **allowed, struct error *error);

#endif
