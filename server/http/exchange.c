#include "server/http/exchange.h"

#include <microhttpd.h>
#include <string.h>

const char *exchange_query(const struct exchange *exchange, const char *name)
{
    if (exchange->connection == NULL) return NULL;
    const char *value = NULL;
    if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, NULL) !=
        MHD_YES)
        return NULL;
    return value != NULL ? value : "";
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    if (exchange->connection == NULL) return NULL;
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

void exchange_answer_header(struct exchange *exchange, const char *name, const char *value)
{
    if (exchange->header_count == EXCHANGE_HEADERS_MAX) return;
    exchange->headers[exchange->header_count].name = name;
    exchange->headers[exchange->header_count].value = value;
    exchange->header_count++;
}
