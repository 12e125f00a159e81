#include "server/http/origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* A host and its port, as a target, a Host header or an origin has them: slices. */
struct authority {
    const char *host, *port; /* an IPv6 address without its brackets */
    size_t host_length, port_length;
    bool bracketed;
};

struct slice {
    const char *text;
    size_t length;
};

/* ---- reading ---- */

/* False where it is no host with or without a port. */
static bool read_authority(const char *text, size_t length, struct authority *authority)
{
    *authority = (struct authority){.host = text, .bracketed = length > 0 && text[0] == '['};
    const char *end = text + length, *behind;
    if (authority->bracketed) {
        behind = memchr(text, ']', length);
        if (behind == NULL) return false;
        authority->host = text + 1;
        authority->host_length = (size_t)(behind++ - authority->host);
    } else {
        const char *colon = memchr(text, ':', length);
        behind = colon != NULL ? colon : end;
        authority->host_length = (size_t)(behind - text);
    }
    if (authority->host_length == 0) return false;
    if (behind == end) return true;
    authority->port = behind + 1;
    authority->port_length = (size_t)(end - authority->port);
    return *behind == ':' && authority->port_length <= 5 &&
           strspn(authority->port, "0123456789") >= authority->port_length;
}

/* What follows a scheme: of "https://host:1/path" that is host:1. */
static bool read_behind_scheme(const char *text, struct slice *found, const char **default_port)
{
    static const struct {
        const char *scheme, *port;
    } schemes[] = {{"http://", "80"}, {"https://", "443"}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i].scheme);
        if (strncasecmp(text, schemes[i].scheme, length) != 0) continue;
        *found = (struct slice){text + length, strcspn(text + length, "/?#")};
        *default_port = schemes[i].port;
        return true;
    }
    return false;
}

/* The authority that a request is meant for; false where it has none. */
static bool asked_for(const struct exchange *exchange, const char *target, struct slice *authority)
{
    const char *unused, *host = exchange_header(exchange, "Host");
    if (target != NULL && read_behind_scheme(target, authority, &unused)) return true;
    if (host != NULL) *authority = (struct slice){host, strlen(host)};
    return host != NULL;
}

/* ---- whose it is ---- */

static bool is_text(const char *text, size_t length, const char *wanted)
{
    return length == strlen(wanted) && strncasecmp(text, wanted, length) == 0;
}

/* Whether a list of names, each of which may be several with commas between, has that one. */
static bool lists(const struct option_list *list, const char *text, size_t length)
{
    for (size_t i = 0; i < list->count; i++)
        for (const char *name = list->values[i]; *name != '\0';) {
            size_t n = strcspn(name, ",");
            if (n == length && strncasecmp(name, text, n) == 0) return true;
            name += n + (name[n] == ',');
        }
    return false;
}

/* Whether a numeric address is the one that is listened on, or that is all of them. */
static bool is_listened_on(const struct options *options, const char *host)
{
    static const unsigned char any[16];
    unsigned char address[16], ours[16];
    int family = options_read_address(host, address), our_family = options_read_address(options->host, ours);
    if (family == 0) return false;
    if (memcmp(ours, any, our_family == AF_INET ? 4 : 16) == 0) return true;
    return family == our_family && memcmp(address, ours, family == AF_INET ? 4 : 16) == 0;
}

static bool is_ours(const struct options *options, const struct authority *authority)
{
    char host[256];
    if (authority->host_length >= sizeof host) return false;
    memcpy(host, authority->host, authority->host_length);
    host[authority->host_length] = '\0';
    if (authority->bracketed != (strchr(host, ':') != NULL)) return false; /* brackets are for IPv6 */
    return options_is_loopback(host) || is_listened_on(options, host) ||
           lists(&options->hosts, host, authority->host_length);
}

int origin_check_host(const struct exchange *exchange, const char *target, struct error *error)
{
    struct slice asked;
    struct authority authority;
    if (!asked_for(exchange, target, &asked)) return CODE_OK;
    if (read_authority(asked.text, asked.length, &authority) && is_ours(exchange->options, &authority)) return CODE_OK;
    return error_set(error, CODE_MISDIRECTED,
                     "This is not %.*s: start the daemon with --host NAME where it is reached by that name.",
                     asked.length < 100 ? (int)asked.length : 100, asked.text);
}

/* ---- pages ---- */

/* Whether two authorities are the same, where what has no port has the scheme's. */
static bool are_same(struct slice a, struct slice b, const char *default_port)
{
    struct authority x, y;
    if (!read_authority(a.text, a.length, &x) || !read_authority(b.text, b.length, &y)) return false;
    if (x.host_length != y.host_length || strncasecmp(x.host, y.host, x.host_length) != 0) return false;
    if (x.port_length == 0 && y.port_length == 0) return true;
    if (x.port_length == 0) return is_text(y.port, y.port_length, default_port);
    if (y.port_length == 0) return is_text(x.port, x.port_length, default_port);
    return x.port_length == y.port_length && memcmp(x.port, y.port, x.port_length) == 0;
}

int origin_check_page(const struct exchange *exchange, const char *target, const char **allowed, struct error *error)
{
    const char *origin = exchange_header(exchange, "Origin"), *port;
    struct slice page, asked;
    *allowed = NULL;
    if (origin == NULL) return CODE_OK;
    const struct option_list *cors = &exchange->options->cors;
    /* One that is empty is nobody's, and cannot be told back. */
    if (*origin != '\0' && (lists(cors, origin, strlen(origin)) || lists(cors, "*", 1))) {
        *allowed = origin;
        return CODE_OK;
    }
    bool same = read_behind_scheme(origin, &page, &port) && page.text[page.length] == '\0' &&
                asked_for(exchange, target, &asked) && are_same(page, asked, port);
    if (same) return CODE_OK;
    return error_set(error, CODE_FOREIGN_ORIGIN,
                     "A page of %.100s may not use this daemon: start it with --cors ORIGIN to let it.", origin);
}
