/* One request and its answer: what lies between the HTTP side (http.c) and the endpoints. */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "server/options.h"
#include "server/text/text.h"

struct route;
struct MHD_Connection;

enum { EXCHANGE_HEADERS_MAX = 8 };

struct exchange {
    const struct options *options;
    const struct route *route;         /* NULL where no route fits */
    struct MHD_Connection *connection; /* for exchange_query and exchange_header only; NULL in unit tests */
    struct arena arena;                /* freed with the exchange */
    const char *method;
    const char *path; /* of the request's target, percent-decoded */
    const char *body; /* complete when the handler is called; not terminated */
    size_t body_length;
    atomic_bool cancelled; /* the client left or time is up: long work looks at it and stops (CODE_CANCELLED) */
    atomic_bool overdue;   /* it was the time: LIMIT_WORK_SECONDS are over. Set before `cancelled` */
    bool again;            /* a device failed, and the CPU has begun anew, in what was left of the time */
    void *state;           /* the handler's own, in the arena, kept between its calls */
    double work; /* floating-point operations, as the handler estimates them before it returns OUTCOME_HEAVY; 0
                    as long as nobody knows */

    /* the answer, filled in by the handler */
    int status;
    const char *content_type;
    struct text answer; /* its data in the arena, or static */
    struct {
        const char *name, *value; /* static or in the arena */
    } headers[EXCHANGE_HEADERS_MAX];
    size_t header_count;
};

enum outcome { OUTCOME_ANSWERED, OUTCOME_HEAVY, OUTCOME_STREAMED };

/* An endpoint. It fills in the answer and returns OUTCOME_ANSWERED. Called on a thread that serves connections with
 * heavy = false, it may instead return OUTCOME_HEAVY without an answer: it is then called again on a worker with heavy
 * = true (a body over LIMIT_LIGHT_BODY goes to a worker at once). A worker may be one that is kept free of long work:
 * a handler that finds there for the first time that its work is more than LIMIT_LONG_WORK sets `work` and returns
 * OUTCOME_HEAVY once more. Failures are answered too: problem_answer(). A worker's
 * handler that has sent its answer by server/http/stream.h returns OUTCOME_STREAMED. */
typedef enum outcome exchange_handler(struct exchange *exchange, bool heavy);

/* The value of a query parameter (?name=value; "" for ?name), or of a request header; NULL where absent. */
const char *exchange_query(const struct exchange *exchange, const char *name);
const char *exchange_header(const struct exchange *exchange, const char *name);

/* Adds a header to the answer; both strings live as long as the exchange. More than EXCHANGE_HEADERS_MAX are dropped.
 */
void exchange_answer_header(struct exchange *exchange, const char *name, const char *value);

/* Where work was cancelled because it takes too long, and not because the client left: turns CODE_CANCELLED into
 * CODE_TOO_MUCH_WORK, since trying again would not help; or into CODE_DEVICE where it would, since a device's failure
 * took part of the time. what: "check". */
void exchange_explain_cancelled(const struct exchange *exchange, const char *what, struct error *error);

#endif
