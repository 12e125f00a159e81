/* What the query of POST /v1/check asks for: the form of the answer. */
#ifndef SERVER_API_CHECK_QUERY_H
#define SERVER_API_CHECK_QUERY_H

#include "server/http/exchange.h"
#include "server/report/formats.h"

struct check_query {
    const struct format *format;
    const char *options[FORMAT_OPTIONS]; /* NULL of what was not asked */
    bool strict;                         /* what did not pass is answered by a status of its own */
};

/* ?format=, else Accept; what the format takes; ?strict=. CODE_QUERY_OUT_OF_RANGE, CODE_OUT_OF_MEMORY. */
int check_query_read(struct exchange *exchange, struct check_query *query, struct error *error);

#endif
