/* One request and its answer: what lies between the HTTP side (http.c) and the endpoints. */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "server/codes.h"
#include "server/options.h"
#include "server/text/text.h"
#include "server/tokens.h"

struct exchange;
struct route;
struct MHD_Connection;

enum { EXCHANGE_HEADERS_MAX = 8 };

/* A part of the work on a request: it fills in the answer and returns CODE_OK, or fails, and http answers with the
 * problem. */
typedef int exchange_step(struct exchange *exchange, struct error *error);

/* A member of the query, or a header, of a request that did not come over a connection. */
struct exchange_word {
    const char *name, *value; /* NULL behind the last one */
};

struct exchange {
    const struct options *options;
    const struct route *route;         /* NULL where no route fits */
    struct MHD_Connection *connection; /* for exchange_query and exchange_header only; NULL where it came otherwise: */
    const struct exchange_word *query, *sent; /* then what these give; NULL: nothing */
    struct arena arena;                       /* freed with the exchange */
    const char *method;
    const char *path; /* of the request's target, percent-decoded */
    const char *body; /* complete when the route is called; not terminated */
    size_t body_length;
    enum role role;    /* what its sender may do, */
    const char *token; /* and the token that says so, not terminated; NULL without one */
    size_t token_length;
    const char *media_type; /* of the body: the one of route->accepts that it is */
    const char *coding;     /* of the body: the one of route->codings that it is in; NULL where it came as it is */
    size_t line, column;    /* where it breaks off, from 1, if it is malformed JSON; a problem tells them */
    atomic_bool cancelled;  /* the client left or time is up: long work looks at it and stops (CODE_CANCELLED) */
    atomic_bool overdue;    /* it was the time: LIMIT_WORK_SECONDS are over. Set before `cancelled` */
    bool again;             /* a device failed, and the CPU has begun anew, in what was left of the time */
    void *state;            /* the route's own, in the arena: from its `measure` to its `run` */
    void (*dispose)(void *state); /* what the route keeps outside of the arena: called with it when the exchange ends */
    bool on_worker;               /* `run` is called on a worker, not on a thread that serves other connections, too */
    exchange_step *rest; /* what `run`, on a connection's thread, finds to take longer than that thread can be kept for,
                            and leaves without an answer to a worker, who calls this once */

    /* the answer, filled in by the route */
    int status;
    const char *content_type;
    const char *problem; /* the code of the problem that the answer is; NULL where it is none */
    struct text answer;  /* its data in the arena, or static */
    struct {
        const char *name, *value; /* static or in the arena */
    } headers[EXCHANGE_HEADERS_MAX];
    size_t header_count;
};

/* Whether the request's target has a query with anything in it. */
bool exchange_has_query(const struct exchange *exchange);

/* The value of a query parameter (?name=value; "" for ?name), or of a request header; NULL where absent. */
const char *exchange_query(const struct exchange *exchange, const char *name);
const char *exchange_header(const struct exchange *exchange, const char *name);

/* A client's address: its bytes, and its family, AF_INET (also where it came as one of IPv6's that stand for those) or
 * AF_INET6; NULL where the system does not tell. */
const void *exchange_address(struct MHD_Connection *connection, int *family);

/* A number for a client by its address; of IPv6 by the part that a network has, since the rest is anybody's choice. 0
 * where the system does not tell. */
uint64_t exchange_client(struct MHD_Connection *connection);

/* Adds a header to the answer; both strings live as long as the exchange. More than EXCHANGE_HEADERS_MAX are dropped.
 */
void exchange_answer_header(struct exchange *exchange, const char *name, const char *value);

#endif
