/* What a route is. The table of them is handed to http_start. */
#ifndef SERVER_HTTP_ROUTE_H
#define SERVER_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http/exchange.h"

/* How much a request is, as far as can be said before it is worked on. http decides by it whether it is light, and done
 * on the thread that serves its connection; heavy, and a worker's; or long, and not for the worker that is kept free of
 * such work. */
struct load {
    double work; /* floating-point operations */
    bool later;  /* to say that takes more than a moment: `measure` is to be asked again, by a worker */
    bool waits;  /* it is no work for a connection's thread, however little it is: it waits for a device, or streams */
};

/* Reads from a request what says how much it is, and puts into exchange->state what `run` goes on from. Errors are
 * answered by http. */
typedef int route_measure(struct exchange *exchange, struct load *load, struct error *error);

struct route {
    const char *path;
    enum role role;                   /* who may use it, where there are tokens */
    const char *method;               /* "GET" (HEAD comes with it) or "POST"; OPTIONS is answered for every route */
    bool (*has)(const char *path);    /* where many paths are its own: which; then `path` is a name for all of them */
    route_measure *measure;           /* NULL: it is always light */
    exchange_step *run;               /* fills in the answer, or sends it by server/http/stream.h */
    bool lasts;                       /* it goes on for as long as it may: the drain cancels it */
    const char *what;                 /* a request of it, in words: "check"; NULL where `measure` is */
    const char *(*accepts)(size_t i); /* POST: the media types of its bodies, by number; NULL behind the last */
    const char *(*codings)(size_t i); /* POST: the content codings of its bodies, in the same way */
};

struct routes {
    const struct route *list;
    size_t count;
};

#endif
