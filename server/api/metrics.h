/* Counters, and GET /metrics in Prometheus' text format. The counting functions take no lock; any thread may
 * call them. */
#ifndef SERVER_API_METRICS_H
#define SERVER_API_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/ops/mistake.h"
#include "server/http/exchange.h"

/* A request begins; it ends with an answer of that status, or with 0 where the connection broke before one
 * was complete. Bytes are those of the bodies. */
void metrics_request_begins(void);
void metrics_request_ends(const struct route *route, int status, double seconds, size_t received, size_t sent);

/* A check was graded. */
void metrics_check(bool passed);

/* A mistake was named in a diagnosis. */
void metrics_mistake(const struct mistake *mistake);

/* A request's computation on the CUDA device failed, or found too little memory there. */
void metrics_device_failure(bool memory);

exchange_handler metrics_handle;

#endif
