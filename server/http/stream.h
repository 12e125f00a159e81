/* An answer that is sent while it is made: a worker writes, the connection's thread sends. */
#ifndef SERVER_HTTP_STREAM_H
#define SERVER_HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct exchange;
struct request;

/* ---- for routes, on a worker, whose `run` returns CODE_OK once it has begun ---- */

/* Sends the head of the answer, with the exchange's status, content_type and headers. From then on exchange->answer is
 * of no use. False when memory is short. */
bool stream_begin(struct exchange *exchange);

/* Adds to what is to be sent; false, and none of it is, where the client takes it so slowly that LIMIT_STREAM bytes
 * would wait. */
bool stream_write(struct exchange *exchange, const char *bytes, size_t length);

/* Adds as much of it as there is room for; how much that was. A route whose answer does not all find room leaves
 * exchange->rest and returns: it is gone on with when the client has taken some of it. */
size_t stream_offer(struct exchange *exchange, const char *bytes, size_t length);

/* The last piece, of any length. It is sent from where it is: memory of the exchange's arena, or static. */
void stream_end(struct exchange *exchange, const char *bytes, size_t length);

/* ---- for the HTTP side ---- */

/* MHD's content reader; the context is the request. */
ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t size);

/* From the worker that has returned from a route with exchange->rest: true where the request is out of its hands until
 * the client takes something, or is gone; false where it is to be gone on with at once. */
bool stream_park(struct request *request);

/* One of the two sides has done with a request whose stream has begun. True for the second: the request is its to free.
 */
bool stream_leave(struct request *request);

#endif
