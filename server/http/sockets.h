/* What the system tells of a connection's socket, and how a connection is broken. From any thread, while the socket is
 * open. */
#ifndef SERVER_HTTP_SOCKETS_H
#define SERVER_HTTP_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the client has left. A socket that we have closed for reading always looks so: `closing`. */
bool socket_left(int socket, bool closing);

/* Whether something that the client has sent is still to be read; something for it still to be taken. */
bool socket_unread(int socket);
bool socket_unsent(int socket);

/* Bytes that the client has sent and has taken so far; 0 where the system does not tell. */
uint64_t socket_moved(int socket);

/* Ends the connection, at once; whose thread finds that out. */
void socket_break(int socket);

#endif
