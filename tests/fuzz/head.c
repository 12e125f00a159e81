#include "tests/fuzz/head.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/api/static_files.h"
#include "server/limits.h"
#include "server/tokens.h"
#include "tests/fuzz/holds.h"

enum { TEXT_MAX = LIBRARY_HEAD_MAX + 1 };

/* ---- the grammar ---- */

bool span_is(struct span span, const char *text)
{
    return strlen(text) == span.length && strncasecmp(span.at, text, span.length) == 0;
}

static bool is_name(struct span span)
{
    for (size_t i = 0; i < span.length; i++) {
        unsigned char c = (unsigned char)span.at[i];
        if (c <= 0x20 || c >= 0x7F || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL) return false;
    }
    return span.length > 0;
}

/* What is odd within a target is refused in other words. */
static bool is_target(struct span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (memchr("\0\n ", span.at[i], 3) != NULL) return false;
    return span.length > 0;
}

static bool is_value(struct span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (span.at[i] != '\t' && iscntrl((unsigned char)span.at[i])) return false;
    return true;
}

/* What stands before the next of these bytes, and moves *rest behind it; false where there is none. */
static bool cut(struct span *rest, const char *mark, struct span *piece)
{
    size_t length = strlen(mark);
    const char *found = memmem(rest->at, rest->length, mark, length);
    if (found == NULL) return false;
    *piece = (struct span){rest->at, (size_t)(found - rest->at)};
    *rest = (struct span){found + length, rest->length - piece->length - length};
    return true;
}

static bool read_start(struct span line, struct head *head)
{
    if (!cut(&line, " ", &head->method) || !cut(&line, " ", &head->target)) return false;
    head->version = line;
    return is_name(head->method) && is_target(head->target) && line.length == 8;
}

bool head_read(const char *bytes, size_t length, struct head *head)
{
    struct span rest = {bytes, length}, line;
    head->count = 0;
    if (!cut(&rest, "\r\n", &line) || !read_start(line, head)) return false;
    while (cut(&rest, "\r\n", &line)) {
        if (line.length == 0) return rest.length == 0;
        struct span name;
        if (!cut(&line, ":", &name)) return false;
        while (line.length > 0 && (line.at[0] == ' ' || line.at[0] == '\t'))
            line = (struct span){line.at + 1, line.length - 1};
        if (!is_name(name) || !is_value(line)) return false;
        head->lines[head->count].name = name;
        head->lines[head->count++].value = line;
    }
    return false;
}

struct span head_header(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->count; i++)
        if (span_is(head->lines[i].name, name)) return head->lines[i].value;
    return (struct span){0};
}

static size_t count_of(const struct head *head, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < head->count; i++)
        count += span_is(head->lines[i].name, name);
    return count;
}

static bool is_method(const struct head *head, const char *method)
{
    return head->method.length == strlen(method) && memcmp(head->method.at, method, head->method.length) == 0;
}

/* ---- the length of the body ---- */

/* False where it is no number, or beyond 64 bits. */
static bool read_length(struct span value, uint64_t *length)
{
    char digits[TEXT_MAX], again[32];
    snprintf(digits, sizeof digits, "%.*s", (int)value.length, value.at);
    size_t zeros = strspn(digits, "0");
    if (value.length == 0 || strspn(digits, "0123456789") != value.length || value.length - zeros > 20) return false;
    unsigned long long number = 0;
    sscanf(digits, "%20llu", &number);
    if (zeros < value.length) sscanf(digits + zeros, "%20llu", &number);
    snprintf(again, sizeof again, "%llu", number);
    *length = number;
    return strcmp(again, zeros < value.length ? digits + zeros : "0") == 0;
}

/* What is wrong with the lines that say where the body ends, or with one of which there may be but one: the first of
 * these, since then nobody reads on. */
static const char *check_lines(const struct head *head, uint64_t *length)
{
    static const char *const single[] = {"Content-Length", "Transfer-Encoding", "Content-Type", "Host"};
    bool old = span_is(head->version, "HTTP/1.0");
    for (size_t i = 0; i < head->count; i++) {
        struct span name = head->lines[i].name, value = head->lines[i].value;
        for (size_t k = 0; k < sizeof single / sizeof *single; k++)
            for (size_t j = 0; j < i && span_is(name, single[k]); j++)
                if (span_is(head->lines[j].name, single[k])) return "bad_request";
        if (span_is(name, "Content-Length") && !read_length(value, length)) return "bad_request";
        if (span_is(name, "Transfer-Encoding") && (old || !span_is(value, "chunked"))) return "bad_request";
        if (span_is(name, "Expect") && !old && !span_is(value, "100-continue")) return "expectation_failed";
    }
    bool both = count_of(head, "Content-Length") + count_of(head, "Transfer-Encoding") == 2;
    return both || (!old && count_of(head, "Host") == 0) ? "bad_request" : NULL;
}

/* ---- for whom it is, and from whom ---- */

/* A host with the port behind it, in small letters, as "name:80" or "[::1]:80": without a port it gets that one. */
static void write_authority(struct span span, const char *port, char text[TEXT_MAX])
{
    size_t length = 0;
    for (; length < span.length; length++)
        text[length] = (char)tolower((unsigned char)span.at[length]);
    text[length] = '\0';
    const char *bracket = strrchr(text, ']'), *colon = strchr(bracket != NULL ? bracket : text, ':');
    snprintf(text + length, TEXT_MAX - length, "%s%s", colon == NULL ? ":" : "",
             colon == NULL || colon[1] == '\0' ? port : "");
}

/* Splits what write_authority has written; false where it is no host and port. */
static bool read_authority(char text[TEXT_MAX], char **host)
{
    char *colon = strrchr(text, ':');
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0') return false;
    *colon = '\0';
    bool brackets = text[0] == '[';
    if (brackets != (strchr(text, ':') != NULL)) return false;
    if (!brackets) return (*host = text)[0] != '\0';
    if (colon[-1] != ']') return false;
    colon[-1] = '\0';
    *host = text + 1;
    return strchr(*host, ']') == NULL;
}

static bool is_in_list(const struct option_list *list, const char *text)
{
    char all[TEXT_MAX], wanted[TEXT_MAX + 2];
    snprintf(wanted, sizeof wanted, ",%s,", text);
    for (size_t i = 0; i < list->count; i++) {
        snprintf(all, sizeof all, ",%s,", list->values[i]);
        if (strchr(text, ',') == NULL && strcasestr(all, wanted) != NULL) return true;
    }
    return false;
}

/* An IPv4 address as people write it: what is read of it, written again, is the same. */
static bool is_ipv4(const char *text, unsigned parts[4])
{
    char again[32];
    if (sscanf(text, "%3u.%3u.%3u.%3u", &parts[0], &parts[1], &parts[2], &parts[3]) != 4) return false;
    for (int i = 0; i < 4; i++)
        if (parts[i] > 255) return false;
    snprintf(again, sizeof again, "%u.%u.%u.%u", parts[0], parts[1], parts[2], parts[3]);
    return strcmp(again, text) == 0;
}

static bool is_ours(const char *host, const struct options *options)
{
    unsigned parts[4];
    unsigned char bytes[16], listened[16];
    bool any = strcmp(options->host, "0.0.0.0") == 0 || strcmp(options->host, "::") == 0;
    if (is_in_list(&options->hosts, host)) return true;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "localhost.") == 0) return true;
    if (is_ipv4(host, parts)) return any || parts[0] == 127 || strcmp(host, options->host) == 0;
    if (inet_pton(AF_INET6, host, bytes) != 1) return false;
    if (any || (inet_pton(AF_INET6, "::1", listened) == 1 && memcmp(bytes, listened, 16) == 0)) return true;
    return inet_pton(AF_INET6, options->host, listened) == 1 && memcmp(bytes, listened, 16) == 0;
}

/* Of "http://host/path" and "https://host/path" what stands behind the scheme, which gets the port; else NULL. */
static const char *behind_scheme(const char *text, const char **port)
{
    bool safe = strncasecmp(text, "https:", 6) == 0;
    *port = safe ? "443" : "80";
    if (!safe && strncasecmp(text, "http:", 5) != 0) return NULL;
    text = strchr(text, ':') + 1;
    return strncmp(text, "//", 2) == 0 ? text + 2 : NULL;
}

static bool may_page(struct span origin, struct span asked, const struct options *options, bool *listed)
{
    char text[TEXT_MAX], page[TEXT_MAX], here[TEXT_MAX];
    const char *port;
    snprintf(text, sizeof text, "%.*s", (int)origin.length, origin.at);
    *listed = origin.length > 0 && (is_in_list(&options->cors, text) || is_in_list(&options->cors, "*"));
    if (*listed) return true;
    const char *authority = behind_scheme(text, &port);
    if (authority == NULL || strpbrk(authority, "/?#") != NULL || asked.at == NULL) return false;
    write_authority((struct span){authority, strlen(authority)}, port, page);
    write_authority(asked, port, here);
    return strcmp(page, here) == 0;
}

/* ---- what it wants ---- */

/* The target without its query, its escapes resolved. */
static void write_path(struct span target, char path[TEXT_MAX])
{
    size_t length = 0;
    for (size_t i = 0; i < target.length && target.at[i] != '?'; i++) {
        const char *at = target.at + i;
        char hex[3] = {0};
        if (target.length - i >= 3) memcpy(hex, at + 1, 2);
        bool escape = *at == '%' && isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]);
        unsigned byte = (unsigned char)*at;
        if (escape) sscanf(hex, "%2x", &byte), i += 2;
        path[length++] = (char)byte;
    }
    path[length] = '\0';
}

static bool is_odd(struct span target)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "%.*s", (int)target.length, target.at);
    for (size_t i = 0; i < target.length; i++)
        if (iscntrl((unsigned char)text[i])) return true;
    return strstr(text, "%00") != NULL;
}

static bool has_many_arguments(struct span target)
{
    size_t count = 1;
    const char *query = memchr(target.at, '?', target.length);
    for (const char *at = query; at != NULL && at < target.at + target.length; at++)
        count += *at == '&';
    return query != NULL && count > LIMIT_ARGUMENTS;
}

static const struct place {
    const char *path, *method;
    enum role role;
} places[] = {
    {"/v1/check", "POST", ROLE_CHECK},
    {"/v1/train", "POST", ROLE_CHECK},
    {"/v1/capabilities", "GET", ROLE_NONE},
    {"/healthz", "GET", ROLE_NONE},
    {"/readyz", "GET", ROLE_NONE},
    {"/metrics", "GET", ROLE_STAFF},
    {"/v1/optimizer_step", "POST", ROLE_CHECK},
    {"/v1/landscape", "POST", ROLE_CHECK},
    {"/v1/svd", "POST", ROLE_CHECK},
};

static const struct place *find_place(const char *path)
{
    static const struct place page = {"", "GET", ROLE_NONE};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].path, path) == 0) return &places[i];
    return static_files_has(path) ? &page : NULL;
}

static const char *check_token(struct span value, enum role wanted, const struct options *options)
{
    char scheme[TEXT_MAX] = "", token[TEXT_MAX] = "", text[TEXT_MAX];
    snprintf(text, sizeof text, "%.*s", (int)value.length, value.at);
    if (options->tokens[0] == '\0' || wanted == ROLE_NONE) return NULL;
    sscanf(text, "%[^ \t]%*[ ]%[^ \t]", scheme, token);
    if (strcasecmp(scheme, "Bearer") != 0) return "unauthorized";
    bool staff = strcmp(token, TOKEN_STAFF) == 0, check = strcmp(token, TOKEN_CHECK) == 0;
    if (!staff && !check) return "unauthorized";
    return check && wanted == ROLE_STAFF ? "forbidden" : NULL;
}

/* A media type without what stands behind it. */
static struct span bare_type(struct span type)
{
    const char *semicolon = type.at != NULL ? memchr(type.at, ';', type.length) : NULL;
    if (semicolon != NULL) type.length = (size_t)(semicolon - type.at);
    while (type.length > 0 && (type.at[type.length - 1] == ' ' || type.at[type.length - 1] == '\t'))
        type.length--;
    return type;
}

static bool is_one_of(struct span span, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (span_is(span, names[i])) return true;
    return false;
}

bool head_is_plain(const struct head *head)
{
    struct span coding = head_header(head, "Content-Encoding"), type = head_header(head, "Content-Type");
    return (coding.at == NULL || span_is(coding, "identity")) && span_is(bare_type(type), "application/json");
}

static const char *check_body(const struct head *head, uint64_t length, const struct options *options)
{
    bool chunked = head_header(head, "Transfer-Encoding").at != NULL;
    if (!is_method(head, "POST")) return chunked || length > 0 ? "bad_request" : NULL;
    if (!chunked && head_header(head, "Content-Length").at == NULL) return "length_required";
    if (length > options->max_body) return "body_too_large";
    struct span coding = head_header(head, "Content-Encoding"), type = head_header(head, "Content-Type");
    static const char *const types[] = {"application/json", "multipart/form-data", "application/x-www-form-urlencoded",
                                        NULL};
    static const char *const codings[] = {"identity", "gzip", "x-gzip", "deflate", "zstd", NULL};
    bool known = coding.at == NULL || is_one_of(coding, codings);
    return known && type.at != NULL && is_one_of(bare_type(type), types) ? NULL : "unsupported_media_type";
}

static const char *check_place(const struct head *head, const char *path, uint64_t length,
                               const struct options *options, bool *answered)
{
    static const char *const methods[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                          "CONNECT", "OPTIONS", "TRACE", "PATCH", NULL};
    size_t method = 0;
    while (methods[method] != NULL && !is_method(head, methods[method]))
        method++;
    if (methods[method] == NULL) return "not_implemented";
    const struct place *place = find_place(path);
    *answered = is_method(head, "OPTIONS") && (place != NULL || strcmp(path, "*") == 0);
    if (*answered) return NULL;
    if (place == NULL) return "not_found";
    if (!is_method(head, place->method) && !(is_method(head, "HEAD") && strcmp(place->method, "GET") == 0))
        return "method_not_allowed";
    const char *code = check_token(head_header(head, "Authorization"), place->role, options);
    return code != NULL ? code : check_body(head, length, options);
}

struct expected head_expect(const struct head *head, const struct options *options)
{
    char path[TEXT_MAX], authority[TEXT_MAX], *host;
    uint64_t length = 0;
    struct expected expected = {.code = NULL};
    if (is_odd(head->target)) return (struct expected){.code = "bad_request"};
    if (has_many_arguments(head->target)) return (struct expected){.code = "target_too_long"};
    expected.code = check_lines(head, &length);
    if (expected.code != NULL) return expected;

    const char *port, *place = path;
    write_path(head->target, path);
    struct span asked = head_header(head, "Host"), origin = head_header(head, "Origin");
    const char *absolute = behind_scheme(path, &port);
    if (absolute != NULL) {
        asked = (struct span){absolute, strcspn(absolute, "/?#")};
        place = strchr(absolute, '/') != NULL ? strchr(absolute, '/') : "/";
    }
    if (asked.at != NULL) {
        write_authority(asked, "80", authority);
        if (!read_authority(authority, &host) || !is_ours(host, options))
            return (struct expected){.code = "misdirected_request"};
    }
    bool foreign = origin.at != NULL && !may_page(origin, asked, options, &expected.reads);
    if (foreign && is_method(head, "POST"))
        expected.code = "foreign_origin";
    else
        expected.code = check_place(head, place, length, options, &expected.options);
    return expected;
}
