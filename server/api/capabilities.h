/* GET /v1/capabilities. */
#ifndef SERVER_API_CAPABILITIES_H
#define SERVER_API_CAPABILITIES_H

#include "server/http/exchange.h"

exchange_step api_capabilities;

#endif
