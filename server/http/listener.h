/* The listening socket and the thread that accepts from it. */
#ifndef SERVER_HTTP_LISTENER_H
#define SERVER_HTTP_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "server/options.h"

enum { LISTENER_ADDRESS_MAX = 128 };

/* Takes over an accepted socket, or closes it. */
typedef void listener_deliver(int socket, const void *address, size_t address_length);

/* Opens the socket and writes "http://ADDR:PORT" into address. False, with one line on standard error, when
 * that fails. */
bool listener_open(const struct options *options, char address[LISTENER_ADDRESS_MAX]);

/* Starts accepting. False when the thread cannot be started. */
bool listener_start(listener_deliver *deliver);

/* Lets no new connection begin, accepts all that the kernel holds, and closes the socket. Returns when all
 * that is done; every client whose connect() succeeded has then been delivered, unless there was no room for it until
 * `until` (clock_seconds()). May be called once. */
void listener_drain(double until);

#endif
