/* POST /v1/landscape. */
#ifndef SERVER_API_LANDSCAPE_H
#define SERVER_API_LANDSCAPE_H

#include "server/http/route.h"

route_measure api_landscape_measure;
exchange_step api_landscape_run;

#endif
