/* POST /v1/check. */
#ifndef SERVER_API_CHECK_H
#define SERVER_API_CHECK_H

#include "server/http/route.h"

route_measure api_check_measure;
exchange_step api_check_run;

#endif
