/* POST /v1/train. */
#ifndef SERVER_API_TRAIN_H
#define SERVER_API_TRAIN_H

#include "server/http/route.h"

route_measure api_train_measure;
exchange_step api_train_run;

#endif
