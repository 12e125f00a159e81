/* The table of routes. */
#ifndef SERVER_API_ROUTES_H
#define SERVER_API_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http/exchange.h"

struct route {
    const char *path;
    const char *method; /* "GET" (HEAD comes with it) or "POST"; OPTIONS is answered for every route */
    exchange_handler *handler;
    const char *accepts; /* POST: the media type of the body */
};

extern const struct route routes[];
extern const size_t route_count;

/* Files of the static directory are served by this one; its path stands for all of theirs. */
extern const struct route static_route;

#endif
