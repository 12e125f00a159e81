/* POST /v1/svd. */
#ifndef SERVER_API_SVD_H
#define SERVER_API_SVD_H

#include "server/http/route.h"

route_measure api_svd_measure;
exchange_step api_svd_run;

#endif
