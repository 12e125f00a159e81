/* GET /metrics: the counters in Prometheus' text format. */
#ifndef SERVER_API_METRICS_H
#define SERVER_API_METRICS_H

#include "server/http/exchange.h"

exchange_step api_metrics;

#endif
