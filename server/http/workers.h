/* Threads for work that would keep a connection's thread from its other connections. */
#ifndef SERVER_HTTP_WORKERS_H
#define SERVER_HTTP_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct request;

/* Starts `count` threads, each of which calls `run` for one request after the other. With two or more, one of them,
 * the brief one, takes no request that is known to be long (WEIGHT_LONG): the others need not wait until long ones end.
 * False when not all could be started; those that were are stopped again. */
bool workers_start(unsigned count, void (*run)(struct request *request, bool brief));

/* Puts a request into the queue, whose clients (request->client) take turns by the work that they ask for
 * (request->work). Once it is in, it belongs to the workers until `run` gives it away. Where LIMIT_QUEUE are waiting,
 * one has to go: the one whose turn comes last, which is returned to be refused, be it this one or another; NULL else.
 * From any thread. */
struct request *workers_submit(struct request *request);

/* From within `run`: so much work was done for a request, whatever was said of it; its client's next turns come by
 * that.
 */
void workers_charge(const struct request *request, double work);

/* From within `run` of the brief worker: the request turned out to be long. It waits again, in its old turn, for
 * another one. */
void workers_return(struct request *request);

/* Puts a request back whose answer has begun: it takes its client's next turn, and is not turned away. From any thread.
 */
void workers_resume(struct request *request);

/* Requests in the queue. */
size_t workers_waiting(void);

/* Runs what is in the queue to its end, then ends the threads. */
void workers_stop(void);

#endif
