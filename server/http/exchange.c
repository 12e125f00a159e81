#include "server/http/exchange.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "server/http/turns.h"

static const char *find_word(const struct exchange_word *words, const char *name)
{
    for (; words != NULL && words->name != NULL; words++)
        if (strcasecmp(words->name, name) == 0) return words->value;
    return NULL;
}

bool exchange_has_query(const struct exchange *exchange)
{
    if (exchange->connection == NULL) return exchange->query != NULL;
    return MHD_get_connection_values_n(exchange->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0;
}

const char *exchange_query(const struct exchange *exchange, const char *name)
{
    if (exchange->connection == NULL) return find_word(exchange->query, name);
    const char *value = NULL;
    if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, NULL) !=
        MHD_YES)
        return NULL;
    return value != NULL ? value : "";
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    if (exchange->connection == NULL) return find_word(exchange->sent, name);
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const void *exchange_address(struct MHD_Connection *connection, int *family)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) return NULL;
    const void *address = info->client_addr;
    *family = info->client_addr->sa_family;
    if (*family == AF_INET) return &((const struct sockaddr_in *)address)->sin_addr;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(six)) return six;
    *family = AF_INET;
    return &six->s6_addr[sizeof *six - sizeof(struct in_addr)];
}

uint64_t exchange_client(struct MHD_Connection *connection)
{
    enum { NETWORK_OF_V6 = 8 };
    int family;
    const void *address = exchange_address(connection, &family);
    if (address == NULL) return 0;
    return turns_client(address, family == AF_INET6 ? NETWORK_OF_V6 : sizeof(struct in_addr));
}

void exchange_answer_header(struct exchange *exchange, const char *name, const char *value)
{
    if (exchange->header_count == EXCHANGE_HEADERS_MAX) return;
    exchange->headers[exchange->header_count].name = name;
    exchange->headers[exchange->header_count].value = value;
    exchange->header_count++;
}
