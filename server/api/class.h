/* POST /v1/check with a body of many: a check a line, an answer a line. */
#ifndef SERVER_API_CLASS_H
#define SERVER_API_CLASS_H

#include "server/http/route.h"

/* Whether the request is one. */
bool api_class_is(const struct exchange *exchange);

int api_class_measure(struct exchange *exchange, struct load *load, struct error *error);
int api_class_run(struct exchange *exchange, struct error *error);

#endif
