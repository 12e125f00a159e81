/* A request as the HTTP side keeps it: the exchange that endpoints see, and what is nobody else's business.
 */
#ifndef SERVER_HTTP_REQUEST_H
#define SERVER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/codes.h"
#include "server/http/exchange.h"
#include "server/http/held.h"
#include "server/http/request_id.h"

struct connection;

/* Who works on it: the thread of its connection, any worker, or any but the one that is kept free of long work. */
enum weight { WEIGHT_LIGHT, WEIGHT_HEAVY, WEIGHT_LONG };

enum stage {
    STAGE_HEADERS,   /* the request line is there, the headers are coming */
    STAGE_BODY,      /* admitted; the body is coming */
    STAGE_WORKING,   /* the connection is suspended, a worker has the exchange */
    STAGE_STREAMING, /* the worker has begun to write the answer; its head is to be sent */
    STAGE_READY,     /* the exchange holds the answer */
    STAGE_SENT       /* the answer is on its way */
};

/* What a request has where its answer is sent while it is made; all but `begun` under stream.c's lock. */
struct stream {
    bool begun;  /* by the worker */
    bool asleep; /* there was nothing to send: the connection is suspended */
    bool ended;  /* nothing will be added */
    bool left;   /* the worker has returned from the route, or the connection is done with the request */
    bool parked; /* no worker has it: the client has to take something before it goes on */
    char *bytes; /* malloc'ed, LIMIT_STREAM: what waits to be sent, */
    size_t begin, length;
    const char *last; /* the last piece: what is left of it */
    size_t last_length;
    size_t sent;
};

struct request {
    struct exchange exchange; /* first: an exchange of ours is its request */
    struct connection *connection;
    struct request *next;        /* in the workers' queue or among the spare ones */
    char id[REQUEST_ID_MAX + 1]; /* "" until the headers are there */
    uint64_t client;             /* whose turn it takes: who has brought a token, or an address */
    double work;                 /* of what it asks, as far as that is known */
    double turn;                 /* in the workers' queue: where it begins (turns.h), */
    double charged;              /* and what its client was charged for it there */
    enum stage stage;
    enum weight weight;    /* as far as it is known: a large body is measured by a worker */
    bool measured;         /* its route has said how much it is */
    bool watched;          /* by the sweeper, while a worker has it */
    size_t target_length;  /* of the request's target as it was sent */
    bool many_arguments;   /* more than LIMIT_ARGUMENTS in the target */
    bool odd_target;       /* the request's target holds bytes that no target may hold */
    const char *cors;      /* the origin of a page of another site that may read the answer; NULL where there is none */
    double started;        /* clock_seconds() when the request line was read */
    char *body;            /* malloc'ed */
    size_t body_capacity;  /* of body */
    struct held_body held; /* what body holds of the room for all */
    size_t answer_counted; /* bytes of its arena in the total of answers in flight */
    struct error body_fault; /* the body was refused on the way: what still comes is dropped */
    struct stream stream;
};

/* A request in STAGE_HEADERS; NULL when memory is short. Spare ones are used again, so that a light request
 * takes nothing from the system. request_free also gives back what request_take_body has taken. Both from any
 * thread. */
struct request *request_new(const struct options *options);
void request_free(struct request *request);

/* Adds a piece to the body, or drops it where the body was refused already or is now: larger than --max-body,
 * or no memory left for it (body_fault says so). exchange.body is kept up to date. */
void request_take_body(struct request *request, const char *piece, size_t length);

/* The body is complete. */
void request_end_body(struct request *request);

/* From now on what the request's arena holds is there only until its client has taken the answer: it counts among such.
 * Once, from a worker; request_free takes it back. */
void request_hold_answer(struct request *request);

/* At the end of the process: the spare ones. */
void request_free_spare(void);

#endif
