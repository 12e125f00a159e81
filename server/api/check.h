/* POST /v1/check. */
#ifndef SERVER_API_CHECK_H
#define SERVER_API_CHECK_H

#include "server/http/route.h"

route_measure api_check_measure;
exchange_step api_check_run;

/* The media types of its bodies, by number: those of one check, and that of many. */
const char *api_check_media_type(size_t i);

#endif
