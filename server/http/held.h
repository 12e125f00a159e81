/* What all requests together hold of the memory: bodies on their way in, and what waits for clients to take their
 * answers. From any thread. */
#ifndef SERVER_HTTP_HELD_H
#define SERVER_HTTP_HELD_H

#include <stdbool.h>
#include <stddef.h>

/* At the start of the process: what GRADCHECKD_TEST_ANSWERS says in place of LIMIT_ANSWERS, for tests; and --max-body,
 * of which LIMIT_BODIES_IN_FLIGHT may be held. */
void held_start(size_t max_body);

/* Whether a body of that length finds room among those in flight now. One up to LIMIT_LIGHT_BODY always does:
 * LIMIT_CONNECTIONS times LIMIT_LIGHT_BODY is set aside for such, so that large bodies that stall on their way cannot
 * keep them out. */
bool held_body_fits(size_t length);

/* A body over LIMIT_LIGHT_BODY holds so many bytes more; they count, until they are dropped, also where false says that
 * there was no room for them. */
bool held_add_body(size_t more);
void held_drop_body(size_t bytes);

/* Bytes that are there only until a client has taken its answer. */
void held_add_answer(size_t bytes);
void held_drop_answer(size_t bytes);

/* Whether such answers hold so much that no more work should be begun; and whether they hold so much that clients who
 * take nothing are in the way. */
bool held_answers_full(void);
bool held_answers_crowd(void);

#endif
