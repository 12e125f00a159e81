/* GET /healthz and GET /readyz: is the process alive, and does it want requests. */
#ifndef SERVER_HTTP_PROBES_H
#define SERVER_HTTP_PROBES_H

#include <stdbool.h>

#include "server/http/exchange.h"

exchange_step probes_health;
exchange_step probes_ready;

/* From now on readyz says 503, and answers close their connections. */
void probes_drain(void);
bool probes_draining(void);

#endif
