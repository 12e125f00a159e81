#include "server/http/exchange.h"

#include <microhttpd.h>
#include <netinet/in.h>
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

const void *exchange_client(const struct exchange *exchange, int *family)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) return NULL;
    const void *address = info->client_addr;
    *family = info->client_addr->sa_family;
    return *family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                               : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
}

void exchange_answer_header(struct exchange *exchange, const char *name, const char *value)
{
    if (exchange->header_count == EXCHANGE_HEADERS_MAX) return;
    exchange->headers[exchange->header_count].name = name;
    exchange->headers[exchange->header_count].value = value;
    exchange->header_count++;
}
