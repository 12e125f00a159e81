/* POST /v1/train. */
#ifndef SERVER_API_TRAIN_H
#define SERVER_API_TRAIN_H

#include "server/http/exchange.h"

enum outcome train_handle(struct exchange *exchange, bool heavy);

#endif
