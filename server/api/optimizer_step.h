/* POST /v1/optimizer_step. */
#ifndef SERVER_API_OPTIMIZER_STEP_H
#define SERVER_API_OPTIMIZER_STEP_H

#include "server/http/route.h"

route_measure api_optimizer_step_measure;
exchange_step api_optimizer_step_run;

#endif
