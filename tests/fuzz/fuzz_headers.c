/* libFuzzer over what reads strangers' heads: server/http/http.c and all that it asks about a head, behind a library
 * that is none (tests/fuzz/library.h). The first byte says how the daemon was started, and the others are the head;
 * with a '#' before them they are a file of tokens. FUZZ_SHOW=1 in the environment prints heads and answers. */
#include <ctype.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/api/routes.h"
#include "server/api/static_files.h"
#include "server/body/document.h"
#include "server/codes.h"
#include "server/http/http.h"
#include "server/http/media_type.h"
#include "server/limits.h"
#include "tests/fuzz/accept.h"
#include "tests/fuzz/head.h"
#include "tests/fuzz/holds.h"
#include "tests/fuzz/library.h"
#include "tests/fuzz/token_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* ---- how it was started ---- */

static const struct options starts[] = {
    {.host = "127.0.0.1", .max_body = LIMIT_BODY},
    {.host = "127.0.0.1", .max_body = 1000, .tokens = "yes"},
    {.host = "0.0.0.0", .max_body = LIMIT_BODY, .tokens = "yes", .hosts = {{"grader.example"}, 1}},
    {.host = "::", .max_body = LIMIT_BODY, .open = true, .cors = {{"https://course.example"}, 1}},
    {.host = "192.0.2.7",
     .max_body = LIMIT_BODY,
     .tokens = "yes",
     .hosts = {{"grader.example,other.example", "third.example"}, 2},
     .cors = {{"https://course.example,http://a.example:8080", "https://b.example"}, 2}},
    {.host = "127.0.0.2", .max_body = 1, .cors = {{"*"}, 1}},
    {.host = "2001:db8::7", .max_body = LIMIT_BODY, .open = true, .hosts = {{"[2001:db8::8],x"}, 1}},
    {.host = "192.0.2.7", .max_body = LIMIT_BODY, .tokens = "yes", .cors = {{"https://course.example", "*"}, 2}},
};

enum { STARTS = sizeof starts / sizeof *starts, FLIPPED = 8 /* the bit that asks for the same head once more */ };

static struct options options; /* those of now; http.c has its address */

static void set_up(void)
{
    static bool ready;
    char address[LISTENER_ADDRESS_MAX];
    if (ready) return;
    ready = true;
    document_setup();
    options = starts[0];
    token_lines_reset();
    require(static_files_load("static"), "no static files");
    require(http_start(&options, &routes, address), "it does not start");
}

/* ---- answers ---- */

static bool is_clean(const char *text)
{
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text) && *text != '\t') return false;
    return true;
}

static bool is_id(struct span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (!isalnum((unsigned char)span.at[i]) && strchr("._-", span.at[i]) == NULL) return false;
    return span.length >= 1 && span.length <= 64;
}

/* The code of the problem that an answer is, after a look at all of it; "" where it is none. */
static const char *holds_problem(const struct reply *reply)
{
    static char code[64];
    const char *type = reply_header(reply, "Content-Type");
    code[0] = '\0';
    if (type == NULL || strcmp(type, "application/problem+json") != 0) return code;
    require(reply->body_length <= REPLY_BODY_MAX, "a long problem");
    json_t *problem = json_loads(reply->body, 0, NULL); /* nothing but UTF-8 */
    const char *name = json_string_value(json_object_get(problem, "code"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *title = json_string_value(json_object_get(problem, "title"));
    require(name != NULL && detail != NULL && detail[0] != '\0' && title != NULL && title[0] != '\0',
            "a problem that lacks something");
    require(json_integer_value(json_object_get(problem, "status")) == (json_int_t)reply->status, "another status");
    bool known = false;
    for (int i = 1; i < CODE_END; i++)
        known = known || (strcmp(codes_entry(i)->name, name) == 0 && codes_entry(i)->status == (int)reply->status);
    require(known, "a status that is not the code's");
    snprintf(code, sizeof code, "%s", name);
    json_decref(problem);
    return code;
}

static void holds_headers(const struct reply *reply)
{
    for (size_t i = 0; i < reply->header_count; i++)
        require(is_clean(reply->headers[i].name) && is_clean(reply->headers[i].value),
                "a header with a control character");
    const char *id = reply_header(reply, "X-Request-Id");
    require(id != NULL && is_id((struct span){id, strlen(id)}), "an answer without a name");
    const struct {
        unsigned status;
        const char *name;
    } needed[] = {{204, "Allow"}, {401, "WWW-Authenticate"}, {405, "Allow"}, {308, "Location"}, {503, "Retry-After"}};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        require(reply->status != needed[i].status || reply_header(reply, needed[i].name) != NULL,
                "a header that is missing beside its status");
}

/* Of what the daemon has not refused: what the route says to a body that is no request, or to a query that is odd; or
 * that a body whose length was not told is too large after all. */
static void holds_granted(const struct head *head, const struct reply *reply, const char *code)
{
    static const char *const routes_own[] = {"missing_member", "malformed_json", "out_of_range"};
    bool post = head->method.at[0] == 'P', own = false; /* of GET, HEAD and POST */
    /* Two braces are no parts, no form and nothing packed. */
    if (!head_is_plain(head)) own = strcmp(code, "bad_request") == 0 || strcmp(code, "unsupported_media_type") == 0;
    for (size_t i = 0; i < sizeof routes_own / sizeof *routes_own; i++)
        own = own || strcmp(routes_own[i], code) == 0;
    bool chunked = head_header(head, "Transfer-Encoding").at != NULL;
    own = own || (chunked && options.max_body < LIBRARY_BODY && strcmp(code, "body_too_large") == 0);
    require(!reply->at_once, "an answer before the body");
    require(post ? own : reply->status == 200 || reply->status == 304 || reply->status == 308,
            "another answer than the route's");
}

static void holds_reading(const struct head *head, const struct expected *expected, const struct reply *reply)
{
    struct span origin = head_header(head, "Origin");
    const char *allowed = reply_header(reply, "Access-Control-Allow-Origin");
    require((allowed != NULL) == expected->reads, "who may read the answer");
    if (allowed == NULL) return;
    require(strlen(allowed) == origin.length && memcmp(allowed, origin.at, origin.length) == 0, "another origin");
    bool asks = expected->options && head_header(head, "Access-Control-Request-Method").at != NULL;
    require((reply_header(reply, "Access-Control-Allow-Methods") != NULL) == asks, "an answer to what was not asked");
}

static void holds_id(const struct head *head, const struct reply *reply)
{
    struct span asked = head_header(head, "X-Request-Id");
    const char *id = reply_header(reply, "X-Request-Id");
    if (asked.at == NULL || !is_id(asked)) return;
    require(strlen(id) == asked.length && memcmp(id, asked.at, asked.length) == 0, "another name than the request's");
}

/* Of a head that is one. */
static void holds_head(const struct head *head, const struct reply *reply, const char *code)
{
    struct expected expected = head_expect(head, &options);
    bool refused = expected.code != NULL;
    if (refused)
        require(strcmp(code, expected.code) == 0 &&
                    (reply->status != 415 || reply_header(reply, "Accept-Encoding") != NULL),
                "another answer than a refusal");
    else if (expected.options)
        require(reply->status == 204 && reply->body_length == 0, "OPTIONS");
    else
        holds_granted(head, reply, code);
    struct span length = head_header(head, "Content-Length");
    bool more = head_header(head, "Transfer-Encoding").at != NULL ||
                (length.at != NULL && memchr(length.at, '0', length.length) != length.at);
    if (refused || expected.options) require(!more || reply->at_once, "a body that is waited for");
    holds_reading(head, &expected, reply);
    holds_id(head, reply);
}

/* Of what is no head: nobody knows where the next request begins. */
static void holds_no_head(const struct reply *reply, const char *code)
{
    bool refused = strcmp(code, "bad_request") == 0 || strcmp(code, "target_too_long") == 0 ||
                   strcmp(code, "expectation_failed") == 0;
    require(refused && reply->at_once, "a head that is none is taken");
    require(reply_header(reply, "Access-Control-Allow-Origin") == NULL, "a page may read what came of no head");
}

/* ---- once more, with the names of the headers in other letters ---- */

static void flip(const struct head *head, const char *from, char *to)
{
    for (size_t i = 0; i < head->count; i++)
        for (size_t k = 0; k < head->lines[i].name.length; k++) {
            size_t at = (size_t)(head->lines[i].name.at - from) + k;
            if (isalpha((unsigned char)to[at])) to[at] ^= 0x20;
        }
}

static void ask_flipped(const struct head *head, char *text, size_t length, const struct reply *first, const char *code)
{
    static struct reply second;
    static char flipped[LIBRARY_HEAD_MAX];
    char before[64];
    snprintf(before, sizeof before, "%s", code);
    memcpy(flipped, text, length);
    flip(head, text, flipped);
    library_ask(flipped, length, &second);
    require(second.status == first->status && strcmp(holds_problem(&second), before) == 0 &&
                second.header_count == first->header_count,
            "other letters, another answer");
}

/* ---- one input ---- */

/* Where the library ends a line or a head elsewhere, and all that it tells of looks as if a carriage return and a line
 * feed stood there: a NUL before a line feed or before the end of the head, and a line that is a colon or a NUL.
 * (server/http/framing.c) */
static bool cannot_be_seen(const char *text, size_t length)
{
    static const struct span marks[] = {{"\0\n", 2}, {"\n:\n", 3}, {"\n:\r\n", 4}, {"\n\0\r\n", 4}, {"\0\r\n\n", 4}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (memmem(text, length, marks[i].at, marks[i].length) != NULL) return true;
    return false;
}

static void holds_accept(const struct head *head)
{
    static const char *const pairs[][2] = {{"text/plain; charset=utf-8", "application/json"},
                                           {"application/json", "text/plain"},
                                           {"text/event-stream", "application/json"}};
    char accept[LIBRARY_HEAD_MAX];
    struct span value = head_header(head, "Accept");
    bool preferred;
    if (value.at == NULL) return;
    snprintf(accept, sizeof accept, "%.*s", (int)value.length, value.at);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (accept_prefers(accept, pairs[i][0], pairs[i][1], &preferred))
            require(media_type_prefers(accept, pairs[i][0], pairs[i][1]) == preferred, "another type is preferred");
}

static void fuzz_head(unsigned start, const uint8_t *bytes, size_t length)
{
    static struct reply reply;
    static struct head head;
    static char text[LIBRARY_HEAD_MAX];
    static const char end[] = "\r\n\r\n";
    if (length > sizeof text - strlen(end)) return;
    memcpy(text, bytes, length);
    memcpy(text + length, end, strlen(end));
    length += strlen(end);
    options = starts[start % STARTS];
    library_ask(text, length, &reply);
    if (getenv("FUZZ_SHOW") != NULL)
        fprintf(stderr, "%.*s%u %s\n\n", (int)length, text, reply.status, reply.body_length < 1000 ? reply.body : "");
    if (!reply.taken) return;
    require(reply.answers == 1, "as many answers as requests");
    const char *code = holds_problem(&reply);
    require((reply.status >= 400) == (code[0] != '\0'), "a problem that is none");
    holds_headers(&reply);
    if (!head_read(text + reply.begin, reply.length, &head)) {
        if (!cannot_be_seen(text + reply.begin, reply.length)) holds_no_head(&reply, code);
        return;
    }
    holds_head(&head, &reply, code);
    holds_accept(&head);
    if (start & FLIPPED) ask_flipped(&head, text, length, &reply, code);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    set_up();
    if (length > 0 && bytes[0] == '#')
        token_lines_check((const char *)bytes + 1, length - 1);
    else if (length > 0)
        fuzz_head(bytes[0], bytes + 1, length - 1);
    return 0;
}
