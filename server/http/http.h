/* HTTP: from the listening socket to the endpoints and back. */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include <stdbool.h>

#include "server/http/listener.h"
#include "server/options.h"

struct routes;

/* Opens the port, starts all threads and serves these routes. `options` and `routes` must outlive the service; address
 * gets "http://ADDR:PORT". False, with one line on standard error, when something cannot be started. */
bool http_start(const struct options *options, const struct routes *routes, char address[LISTENER_ADDRESS_MAX]);

/* Takes no new connections, answers what has been asked, and stops all threads; LIMIT_DRAIN_SECONDS at most.
 * What is unfinished then is cancelled. False when some work did not let itself be cancelled: the process has
 * to be ended as it is. */
bool http_drain(void);

#endif
