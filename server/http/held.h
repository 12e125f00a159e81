/* What all requests together hold of the memory: bodies on their way in, and what waits for clients to take their
 * answers. From any thread. */
#ifndef SERVER_HTTP_HELD_H
#define SERVER_HTTP_HELD_H

#include <stdbool.h>
#include <stddef.h>

struct options;

/* What the body of one request holds; all zero at first, and to be dropped before its connection closes. All but
 * `until` is under held.c's lock. */
struct held_body {
    size_t bytes;
    bool whole;    /* nothing more is to come from its client */
    bool given_up; /* its room went to another: it counts no more, and its connection was broken */
    double until;  /* clock_seconds(): so long its client has shown that it is still sending; 0: it never held any */
    int socket;    /* -1 where it is not known: then it is waited for */
    struct held_body *previous, *next; /* of those that hold something */
};

/* At the start of the process: the limits, by --max-body and --max-memory; and what GRADCHECKD_TEST_ANSWERS says in
 * place of LIMIT_ANSWERS, for tests. */
void held_start(const struct options *options);

/* Seconds that a client may stop in the middle of something while others wait for its place: LIMIT_CROWDED_SECONDS. */
double held_patience(void);

/* Whether a body of that length finds room among those in flight now; if need be that of bodies which have stopped on
 * their way: whose clients sent less of late than they would have to for all of it within LIMIT_BODY_SECONDS. One up to
 * LIMIT_LIGHT_BODY always does: LIMIT_CONNECTIONS times LIMIT_LIGHT_BODY is set aside for such. */
bool held_body_fits(size_t length);

/* A body over LIMIT_LIGHT_BODY holds so many bytes from now on, more than before. False, and it holds no more, where
 * there is no room for them, or its own was given to another. */
bool held_grow_body(struct held_body *body, int socket, size_t length);

/* The body is there. */
void held_end_body(struct held_body *body);

/* It holds nothing more. */
void held_drop_body(struct held_body *body);

/* Bytes that are there only until a client has taken its answer. */
void held_add_answer(size_t bytes);
void held_drop_answer(size_t bytes);

/* Whether such answers hold so much that no more work should be begun. Then room is wanted, as it is where somebody
 * says that there was no memory for his. */
bool held_answers_full(void);
void held_want_room(void);

/* Whether room was wanted a moment ago: clients who neither send nor take are in the way. */
bool held_is_wanted(void);

#endif
