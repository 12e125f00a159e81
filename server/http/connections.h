/* The open connections: how long each may take over what it is doing, whether its client is still there, and
 * how they end. A thread of its own, the sweeper, looks at all of them several times a second. */
#ifndef SERVER_HTTP_CONNECTIONS_H
#define SERVER_HTTP_CONNECTIONS_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

struct connection;
struct exchange;
struct request;

enum phase {
    PHASE_HEADER, /* between two requests, or in the middle of a head */
    PHASE_BODY,
    PHASE_WORK,
    PHASE_ANSWER
};

bool connections_start(unsigned threads); /* the sweeper, beside so many threads; false where it cannot be started */
void connections_stop(void);              /* when no connection is left */

/* For MHD_OPTION_NOTIFY_CONNECTION: registers and forgets connections. */
void connections_notify(void *unused, struct MHD_Connection *connection, void **socket_context,
                        enum MHD_ConnectionNotificationCode code);

/* The registered one; NULL where memory was short when it opened (it is closed at once). The next four
 * functions do nothing with NULL, and are to be called from the connection's own thread. */
struct connection *connections_find(struct MHD_Connection *connection);

/* The request that it is at from now on, NULL for none. Returns the one that it was at. */
struct request *connections_hold(struct connection *connection, struct request *request);

/* What it does from now on; the deadline of that phase begins. */
void connections_enter(struct connection *connection, enum phase phase);

/* A worker begins with `exchange` (its `cancelled` will be set when the client leaves or LIMIT_WORK_SECONDS
 * are over), or is done (NULL). */
void connections_watch(struct connection *connection, struct exchange *exchange);

/* When the connection closes, what the client still sends is read and thrown away for a while. A client that
 * is still busy sending would otherwise get a reset, and never see the answer that refuses its body. */
void connections_linger(struct connection *connection);

/* Its socket; -1 for NULL. */
int connections_socket(const struct connection *connection);

/* How many may be open: LIMIT_CONNECTIONS, or fewer where the process may not have so many open files. */
size_t connections_most(void);

/* Connections opened since the start, and those open now, lingering ones included. */
size_t connections_opened(void);
size_t connections_count(void);

/* From now on a connection that waits for a request, with nothing unread in its socket, is closed. */
void connections_drain(void);

/* Cancels all work and breaks all connections. */
void connections_abort(void);

#endif
