/* Which thread works on a request, and when: the route measures it, and by what it says the request is done at once or
 * waits for a worker. `measure`, `run` and what `run` leaves are each called once, one after the other. */
#ifndef SERVER_HTTP_DISPATCH_H
#define SERVER_HTTP_DISPATCH_H

#include <stdbool.h>

struct request;

/* The whole request is there; called on the thread of its connection. False where the answer is, too. True where a
 * worker has it: it may even be done with it by now, so that the request is not to be touched any more until the
 * library calls again. */
bool dispatch_request(struct request *request);

/* A worker's part, for workers_start; brief: this worker takes no long work. */
void dispatch_work(struct request *request, bool brief);

/* The sweeper no longer looks at its work, where it has; on the thread of its connection. */
void dispatch_unwatch(struct request *request);

#endif
