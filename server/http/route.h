/* What a route is. The table of them is handed to http_start. */
#ifndef SERVER_HTTP_ROUTE_H
#define SERVER_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http/exchange.h"

struct route {
    const char *path;
    const char *method; /* "GET" (HEAD comes with it) or "POST"; OPTIONS is answered for every route */
    exchange_handler *handler;
    const char *accepts;           /* POST: the media type of the body */
    bool (*has)(const char *path); /* where many paths are its own: which; then `path` is a name for all of them */
};

struct routes {
    const struct route *list;
    size_t count;
};

#endif
