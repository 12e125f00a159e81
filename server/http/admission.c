#include "server/http/admission.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/http/access.h"
#include "server/http/framing.h"
#include "server/http/held.h"
#include "server/http/media_type.h"
#include "server/http/origin.h"
#include "server/http/problem.h"
#include "server/http/request.h"
#include "server/http/route.h"
#include "server/limits.h"

static const char *const known_methods[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                            "CONNECT", "OPTIONS", "TRACE", "PATCH", NULL};

static const char *find_method(const char *method)
{
    size_t i = 0;
    while (known_methods[i] != NULL && strcmp(known_methods[i], method) != 0)
        i++;
    return known_methods[i];
}

const char *admission_method(const char *method)
{
    const char *known = find_method(method);
    return known != NULL ? known : "other";
}

/* The path of a target: "/a" of "/a" and of "http://host/a". The query is gone already. */
static const char *path_of(const char *url)
{
    const char *rest = NULL;
    if (strncasecmp(url, "http://", 7) == 0) rest = url + 7;
    if (strncasecmp(url, "https://", 8) == 0) rest = url + 8;
    if (rest == NULL) return url;
    const char *slash = strchr(rest, '/');
    return slash != NULL ? slash : "/";
}

/* The route of a path: the one for the method, else any of them (*fits says which); NULL where nothing is
 * there. `allow` becomes the value of the Allow header. */
static const struct route *find_route(const struct routes *routes, const char *path, const char *method, bool *fits,
                                      char *allow, size_t size)
{
    const struct route *found = NULL;
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    allow[0] = '\0';
    *fits = false;
    for (size_t i = 0; i < routes->count; i++) {
        const struct route *route = &routes->list[i];
        if (route->has != NULL ? !route->has(path) : strcmp(route->path, path) != 0) continue;
        bool match = strcmp(route->method, wanted) == 0;
        if (found == NULL || (match && !*fits)) found = route;
        *fits = *fits || match;
        if (strstr(allow, route->method) != NULL) continue;
        strncat(allow, strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method, size - strlen(allow) - 1);
        strncat(allow, ", ", size - strlen(allow) - 1);
    }
    if (allow[0] != '\0') strncat(allow, "OPTIONS", size - strlen(allow) - 1);
    return found;
}

enum { LIST_MAX = 256 };

/* What a route takes, in words: "application/json or application/zip". */
static void list_names(const char *(*name)(size_t i), const char *between, char list[LIST_MAX])
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; name(i) != NULL && used < LIST_MAX; i++) {
        int n = snprintf(list + used, LIST_MAX - used, "%s%s", i > 0 ? between : "", name(i));
        used += n > 0 ? (size_t)n : 0;
    }
}

static int check_coding(struct exchange *exchange, struct error *error)
{
    const char *coding = exchange_header(exchange, "Content-Encoding");
    const struct route *route = exchange->route;
    if (coding == NULL || strcasecmp(coding, "identity") == 0) return CODE_OK;
    for (size_t i = 0; route->codings(i) != NULL; i++) {
        exchange->coding = route->codings(i);
        if (strcasecmp(coding, exchange->coding) == 0) return CODE_OK;
    }
    char known[LIST_MAX];
    list_names(route->codings, ", ", known);
    return error_set(error, CODE_UNSUPPORTED_MEDIA_TYPE,
                     "The body must come as it is, or in one of the content codings %s.", known);
}

static int check_type(struct exchange *exchange, struct error *error)
{
    const char *type = exchange_header(exchange, "Content-Type");
    const struct route *route = exchange->route;
    if (type == NULL)
        return error_set(error, CODE_UNSUPPORTED_MEDIA_TYPE,
                         "The request does not say what its body is: use curl --json, or add -H 'Content-Type: %s'.",
                         route->accepts(0));
    for (size_t i = 0; route->accepts(i) != NULL; i++) {
        exchange->media_type = route->accepts(i);
        if (media_type_is(type, exchange->media_type)) return CODE_OK;
    }
    char wanted[LIST_MAX];
    list_names(route->accepts, " or ", wanted);
    return error_set(error, CODE_UNSUPPORTED_MEDIA_TYPE, "The body must be %s, but Content-Type is %.100s.", wanted,
                     type);
}

/* What can be wrong with a body before it is read. */
static int check_body(struct exchange *exchange, const struct framing *framing, struct error *error)
{
    const struct options *options = exchange->options;
    if (strcmp(exchange->route->method, "POST") != 0) {
        if (!framing->chunked && framing->length == 0) return CODE_OK;
        return error_set(error, CODE_BAD_REQUEST, "%s takes no body.", exchange->method);
    }
    if (!framing->chunked && !framing->has_length)
        return error_set(error, CODE_LENGTH_REQUIRED, "A POST needs a Content-Length, or Transfer-Encoding: chunked.");
    if (framing->length > options->max_body)
        return error_set(error, CODE_BODY_TOO_LARGE, "The body has %llu bytes; %zu are allowed.",
                         (unsigned long long)framing->length, options->max_body);
    if (check_coding(exchange, error) != CODE_OK || check_type(exchange, error) != CODE_OK) return error->code;
    if (!held_body_fits((size_t)framing->length))
        return error_set(error, CODE_OVERLOADED,
                         "The bodies of other requests take all the memory there is for them; try again.");
    return CODE_OK;
}

static void answer_options(struct exchange *exchange, const char *allow)
{
    exchange->status = 204;
    text_init(&exchange->answer, &exchange->arena);
    exchange_answer_header(exchange, "Allow", allow);
}

/* What a 415 tells of the codings that would do. */
static void tell_codings(struct exchange *exchange)
{
    char list[LIST_MAX];
    const struct route *route = exchange->route;
    if (route == NULL || route->codings == NULL) return;
    list_names(route->codings, ", ", list);
    const char *value = arena_text(&exchange->arena, list, strlen(list));
    if (value != NULL) exchange_answer_header(exchange, "Accept-Encoding", value);
}

/* Answers with the error; `allow` goes with a 405, and in the arena; the challenge with a 401 or 403. */
static void refuse(struct exchange *exchange, const struct error *error, const char *allow, const char *challenge)
{
    problem_answer(exchange, error);
    if (challenge != NULL) exchange_answer_header(exchange, "WWW-Authenticate", challenge);
    if (error->code == CODE_METHOD_NOT_ALLOWED) exchange_answer_header(exchange, "Allow", allow);
    if (error->code == CODE_UNSUPPORTED_MEDIA_TYPE) tell_codings(exchange);
}

/* Finds the route. True where the answer is there already: OPTIONS. */
static bool choose(struct exchange *exchange, const struct routes *routes, const char **allow, struct error *error)
{
    char methods[64];
    bool fits;
    bool asks = strcmp(exchange->method, "OPTIONS") == 0;
    exchange->route = find_route(routes, exchange->path, exchange->method, &fits, methods, sizeof methods);
    if (asks && strcmp(exchange->path, "*") == 0) strcpy(methods, "GET, HEAD, POST, OPTIONS");
    if (methods[0] == '\0') {
        error_set(error, CODE_NOT_FOUND, "There is nothing here.");
        return false;
    }
    *allow = arena_text(&exchange->arena, methods, strlen(methods));
    if (*allow == NULL) {
        error_set(error, CODE_OUT_OF_MEMORY, "Out of memory.");
    } else if (asks) {
        answer_options(exchange, *allow);
        return true;
    } else if (!fits) {
        error_set(error, CODE_METHOD_NOT_ALLOWED, "%.20s is not possible here.", exchange->method);
    }
    return false;
}

/* What a browser asks for a page of another site before it sends it. */
static void answer_preflight(struct exchange *exchange)
{
    if (exchange_header(exchange, "Access-Control-Request-Method") == NULL) return;
    exchange_answer_header(exchange, "Access-Control-Allow-Methods", "GET, HEAD, POST");
    exchange_answer_header(exchange, "Access-Control-Allow-Headers",
                           "Content-Type, Authorization, X-Request-Id, Idempotency-Key");
    exchange_answer_header(exchange, "Access-Control-Max-Age", "600");
}

/* Whether it is for us, and from where it may come: a page of another site may read what anybody may, if its browser
 * lets it, but have nothing done. */
static int check_sender(struct request *request, const char *url, struct error *error)
{
    const struct exchange *exchange = &request->exchange;
    int code = origin_check_host(exchange, url, error);
    if (code != CODE_OK) return code;
    code = origin_check_page(exchange, url, &request->cors, error);
    if (code == CODE_OK || strcmp(exchange->method, "POST") == 0) return code;
    *error = (struct error){0};
    return CODE_OK;
}

/* What is wrong with the head itself; then it is not sure where the next request begins. */
static int check_head(const struct request *request, const char *version, struct framing *framing, struct error *error)
{
    const struct exchange *exchange = &request->exchange;
    if (request->odd_target)
        return error_set(error, CODE_BAD_REQUEST,
                         "The request's target holds a character that has to be escaped, or a NUL.");
    if (request->many_arguments)
        return error_set(error, CODE_TARGET_TOO_LONG, "The request's target has more than %d arguments.",
                         LIMIT_ARGUMENTS);
    return framing_read(exchange->connection, exchange->method, request->target_length, version, framing, error);
}

enum admission admission_decide(struct request *request, const struct routes *routes, const char *url,
                                const char *method, const char *version)
{
    struct exchange *exchange = &request->exchange;
    struct framing framing = {0};
    struct error error;
    const char *allow = NULL, *challenge = NULL;
    error_init(&error);
    exchange->method = method;
    exchange->path = path_of(url);
    if (check_head(request, version, &framing, &error) != CODE_OK) {
        refuse(exchange, &error, NULL, NULL);
        return ADMISSION_REFUSED_NOW;
    }
    bool answered = false;
    if (check_sender(request, url, &error) != CODE_OK)
        answered = false;
    else if (find_method(method) == NULL)
        error_set(&error, CODE_NOT_IMPLEMENTED, "That method is not known here.");
    else
        answered = choose(exchange, routes, &allow, &error);
    if (answered && request->cors != NULL) answer_preflight(exchange);
    if (!answered && error.code == CODE_OK) access_check(exchange, &challenge, &error);
    if (!answered && error.code == CODE_OK) check_body(exchange, &framing, &error);
    if (!answered && error.code == CODE_OK) return ADMISSION_GRANTED;
    if (!answered) refuse(exchange, &error, allow, challenge);
    return framing.chunked || framing.length > 0 ? ADMISSION_REFUSED_NOW : ADMISSION_ANSWERED;
}
