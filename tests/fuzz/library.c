#include "tests/fuzz/library.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/base/arena.h"
#include "server/blas_setup.h"
#include "server/http/connections.h"
#include "server/http/listener.h"
#include "server/http/workers.h"
#include "server/limits.h"
#include "tests/fuzz/holds.h"

enum { PAIRS_MAX = LIBRARY_HEAD_MAX };

struct pair {
    enum MHD_ValueKind kind;
    const char *name, *value; /* value: NULL of an argument without = */
};

struct MHD_Connection {
    struct pair pairs[PAIRS_MAX];
    size_t pair_count;
    void *socket_context;
    struct reply *reply;
    bool resumed; /* by a worker: the request is asked for its answer once more */
};

struct MHD_Response {
    struct {
        const char *name, *value;
    } headers[REPLY_HEADERS_MAX];
    size_t header_count, length;
    const char *data;
};

/* What http.c has asked to be called. */
static struct {
    MHD_AccessHandlerCallback on_request;
    void *request_context;
    void *(*on_target)(void *context, const char *target, struct MHD_Connection *connection);
    void *target_context;
    MHD_RequestCompletedCallback on_completed;
    void *completed_context;
    MHD_NotifyConnectionCallback on_connection;
    void *connection_context;
} callbacks;

static struct MHD_Connection the_connection;
static struct MHD_Response lasting, passing; /* what http_start has made, and that of now */
static struct arena kept = {.limit = LIMIT_MIB},
                    for_ever = {.limit = LIMIT_MIB}; /* the copies that the library makes, of a request and else */

/* ---- no sockets and no threads ---- */

/* The linker puts it in the place of connections.c's (--wrap), whose other functions are wanted. */
bool __wrap_connections_start(unsigned threads);

bool __wrap_connections_start(unsigned threads)
{
    (void)threads;
    return true;
}

bool listener_open(const struct options *options, char address[LISTENER_ADDRESS_MAX])
{
    (void)options;
    address[0] = '\0';
    return true;
}

bool listener_start(listener_deliver *deliver)
{
    (void)deliver;
    return true;
}

void listener_drain(double until)
{
    (void)until;
}

/* The one worker is the thread that submits: what is for a worker is done at once. */
static void (*do_work)(struct request *request, bool brief);

bool workers_start(unsigned count, void (*run)(struct request *request, bool brief))
{
    (void)count;
    do_work = run;
    return true;
}

struct request *workers_submit(struct request *request)
{
    do_work(request, false);
    return NULL;
}

void workers_charge(const struct request *request, double done)
{
    (void)request;
    (void)done;
}

void workers_return(struct request *request)
{
    (void)request;
}

void workers_resume(struct request *request)
{
    (void)request;
}

size_t workers_waiting(void)
{
    return 0;
}

void workers_stop(void) {}

void blas_settle(void) {}

/* ---- what http.c calls to start and to answer ---- */

struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback accept,
                                    void *accept_context, MHD_AccessHandlerCallback handler, void *context, ...)
{
    static char any;
    va_list options;
    (void)flags, (void)port, (void)accept, (void)accept_context;
    callbacks.on_request = handler;
    callbacks.request_context = context;
    va_start(options, context);
    for (int option; (option = va_arg(options, int)) != MHD_OPTION_END;) {
        if (option == MHD_OPTION_URI_LOG_CALLBACK) {
            callbacks.on_target = va_arg(options, void *(*)(void *, const char *, struct MHD_Connection *));
            callbacks.target_context = va_arg(options, void *);
        } else if (option == MHD_OPTION_NOTIFY_COMPLETED) {
            callbacks.on_completed = va_arg(options, MHD_RequestCompletedCallback);
            callbacks.completed_context = va_arg(options, void *);
        } else if (option == MHD_OPTION_NOTIFY_CONNECTION) {
            callbacks.on_connection = va_arg(options, MHD_NotifyConnectionCallback);
            callbacks.connection_context = va_arg(options, void *);
        } else if (option == MHD_OPTION_EXTERNAL_LOGGER) {
            (void)va_arg(options, MHD_LogCallback);
            (void)va_arg(options, void *);
        } else if (option == MHD_OPTION_CONNECTION_MEMORY_LIMIT || option == MHD_OPTION_THREAD_STACK_SIZE) {
            (void)va_arg(options, size_t);
        } else {
            (void)va_arg(options, unsigned);
        }
    }
    va_end(options);
    return (struct MHD_Daemon *)(void *)&any;
}

void MHD_stop_daemon(struct MHD_Daemon *daemon)
{
    (void)daemon;
}

enum MHD_Result MHD_add_connection(struct MHD_Daemon *daemon, MHD_socket socket, const struct sockaddr *address,
                                   socklen_t length)
{
    (void)daemon, (void)socket, (void)address, (void)length;
    return MHD_NO;
}

void MHD_suspend_connection(struct MHD_Connection *connection)
{
    (void)connection;
}

void MHD_resume_connection(struct MHD_Connection *connection)
{
    connection->resumed = true;
}

/* One beside the one for when memory is short is enough: it is sent before the next is made. */
struct MHD_Response *MHD_create_response_from_buffer(size_t length, void *data, enum MHD_ResponseMemoryMode mode)
{
    (void)mode;
    struct MHD_Response *response = lasting.data == NULL ? &lasting : &passing;
    *response = (struct MHD_Response){.data = data, .length = length};
    return response;
}

struct MHD_Response *MHD_create_response_from_callback(uint64_t size, size_t block, MHD_ContentReaderCallback read,
                                                       void *context, MHD_ContentReaderFreeCallback free_context)
{
    (void)size, (void)block, (void)read, (void)context, (void)free_context;
    require(false, "a stream to a body of two bytes");
    return NULL;
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *response, const char *name, const char *value)
{
    require(response->header_count < REPLY_HEADERS_MAX, "too many headers");
    if (name[0] == '\0' || value[0] == '\0' || strpbrk(name, "\t\r\n") != NULL || strpbrk(value, "\r\n") != NULL)
        return MHD_NO;
    struct arena *arena = response == &lasting ? &for_ever : &kept;
    response->headers[response->header_count].name = arena_text(arena, name, strlen(name));
    response->headers[response->header_count++].value = arena_text(arena, value, strlen(value));
    return MHD_YES;
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
    struct reply *reply = connection->reply;
    size_t length = response->length < REPLY_BODY_MAX ? response->length : REPLY_BODY_MAX;
    reply->answers++;
    reply->status = status;
    reply->header_count = response->header_count;
    memcpy(reply->headers, response->headers, sizeof reply->headers);
    reply->body_length = response->length;
    memcpy(reply->body, response->data, length);
    reply->body[length] = '\0';
    return MHD_YES;
}

void MHD_destroy_response(struct MHD_Response *response)
{
    (void)response;
}

/* ---- what it calls to read a request ---- */

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType type, ...)
{
    static union MHD_ConnectionInfo info;
    info = (union MHD_ConnectionInfo){0};
    if (type == MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        info.socket_context = connection->socket_context;
    else if (type == MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
        info.header_size = connection->reply->length;
    else if (type == MHD_CONNECTION_INFO_CONNECTION_FD)
        info.connect_fd = -1;
    else
        return NULL;
    return &info;
}

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                MHD_KeyValueIteratorN iterator, void *context)
{
    int count = 0;
    for (size_t i = 0; i < connection->pair_count; i++) {
        const struct pair *pair = &connection->pairs[i];
        if (pair->kind != kind) continue;
        count++;
        size_t length = pair->value != NULL ? strlen(pair->value) : 0;
        if (iterator == NULL) continue;
        if (iterator(context, kind, pair->name, strlen(pair->name), pair->value, length) == MHD_NO) break;
    }
    return count;
}

enum MHD_Result MHD_lookup_connection_value_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                              const char *name, size_t length, const char **value, size_t *value_length)
{
    for (size_t i = 0; i < connection->pair_count; i++) {
        const struct pair *pair = &connection->pairs[i];
        if (pair->kind != kind || strlen(pair->name) != length || strcasecmp(pair->name, name) != 0) continue;
        *value = pair->value;
        if (value_length != NULL) *value_length = pair->value != NULL ? strlen(pair->value) : 0;
        return MHD_YES;
    }
    return MHD_NO;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *name)
{
    const char *value = NULL;
    MHD_lookup_connection_value_n(connection, kind, name, strlen(name), &value, NULL);
    return value;
}

/* ---- from bytes to a request ---- */

static void add_pair(enum MHD_ValueKind kind, const char *name, const char *value)
{
    require(the_connection.pair_count < PAIRS_MAX, "more headers than bytes");
    the_connection.pairs[the_connection.pair_count++] = (struct pair){kind, name, value};
}

/* The next line, where it stands: a line feed alone ends it, too. NULL where there is none. */
static char *next_line(char **rest, const char *end, size_t *length)
{
    char *line = *rest, *feed = memchr(line, '\n', (size_t)(end - line));
    if (feed == NULL) return NULL;
    *rest = feed + 1;
    *feed = '\0';
    if (feed > line && feed[-1] == '\r') *--feed = '\0';
    *length = (size_t)(feed - line);
    return line;
}

static unsigned digit_of(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (unsigned)(found - digits) % 16 : 16;
}

static void unescape(char *text, bool plus)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        *to = plus && *from == '+' ? ' ' : *from;
        unsigned high = *from == '%' ? digit_of(from[1]) : 16, low = high < 16 ? digit_of(from[2]) : 16;
        if (low < 16) *to = (char)(16 * high + low);
        from += low < 16 ? 3 : 1;
    }
    *to = '\0';
}

static void read_arguments(char *at)
{
    while (at != NULL && *at != '\0') {
        char *next = strchr(at, '&');
        if (next != NULL) *next++ = '\0';
        char *value = strchr(at, '=');
        if (value != NULL) *value++ = '\0';
        unescape(at, true);
        if (value != NULL) unescape(value, true);
        add_pair(MHD_GET_ARGUMENT_KIND, at, value);
        at = next;
    }
}

struct start {
    const char *method, *version;
    char *target;
};

/* False where the library answers by itself, or closes the connection. */
static bool read_start(char *line, size_t length, struct start *start)
{
    char *space = memchr(line, ' ', length), *last = memrchr(line, ' ', length);
    if (space == NULL || space == line) return false;
    *space = '\0';
    start->method = line;
    start->target = space + 1 + strspn(space + 1, " ");
    start->version = last + 1;
    if (last < start->target) return false;
    *last = '\0';
    return strlen(start->version) == 8 && strncmp(start->version, "HTTP/1.", 7) == 0 && start->version[7] >= '0' &&
           start->version[7] <= '9';
}

/* What folding makes of a header's name: the library adds the folded line to that, as a copy. */
static char *fold(const char *name, const char *line)
{
    line += strspn(line, " \t");
    char *both = arena_alloc(&kept, strlen(name) + strlen(line) + 1);
    require(both != NULL, "no room for a folded line");
    return strcat(strcpy(both, name), line);
}

/* The lines behind the first up to an empty one; false as above. */
static bool read_headers(char **rest, const char *end)
{
    size_t length;
    char *line, *name = NULL, *value = NULL;
    while ((line = next_line(rest, end, &length)) != NULL) {
        if (name != NULL && (*line == ' ' || *line == '\t')) {
            name = fold(name, line);
            continue;
        }
        if (name != NULL && *name != '\0') add_pair(MHD_HEADER_KIND, name, value);
        /* A line without a name looks like an empty one once its colon is gone. */
        if (*line == '\0' || (name != NULL && *line == ':')) return true;
        char *colon = strchr(line, ':');
        if (colon == NULL) return false;
        *colon = '\0';
        name = line;
        value = colon + 1 + strspn(colon + 1, " \t");
    }
    return false;
}

static void send_body(const struct start *start, void **context)
{
    static const char body[] = "{}";
    const char *length = MHD_lookup_connection_value(&the_connection, MHD_HEADER_KIND, "Content-Length");
    size_t size = length != NULL ? strtoul(length, NULL, 10) : 0;
    if (MHD_lookup_connection_value(&the_connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL ||
        size > LIBRARY_BODY)
        size = LIBRARY_BODY;
    if (size > 0)
        callbacks.on_request(callbacks.request_context, &the_connection, start->target, start->method, start->version,
                             body, &size, context);
    require(size == 0, "a body that is not taken");
    do {
        the_connection.resumed = false;
        callbacks.on_request(callbacks.request_context, &the_connection, start->target, start->method, start->version,
                             NULL, &size, context);
    } while (the_connection.resumed);
}

static void serve(const struct start *start, void *context)
{
    size_t none = 0;
    struct reply *reply = the_connection.reply;
    unescape(start->target, false);
    require(context != NULL, "no context of a request");
    callbacks.on_request(callbacks.request_context, &the_connection, start->target, start->method, start->version, NULL,
                         &none, &context);
    reply->taken = true;
    reply->at_once = reply->answers > 0;
    if (!reply->at_once) send_body(start, &context);
    callbacks.on_completed(callbacks.completed_context, &the_connection, &context, MHD_REQUEST_TERMINATED_COMPLETED_OK);
    require(context == NULL, "the context of a request that has ended");
}

/* The head in memory of its own, where a sanitizer sees what is read beyond its end. */
static void read_head(char *bytes, size_t length)
{
    struct start start;
    struct reply *reply = the_connection.reply;
    size_t line_length;
    char *rest = bytes, *line;
    do {
        reply->begin = (size_t)(rest - bytes);
        line = next_line(&rest, bytes + length, &line_length);
    } while (line != NULL && line_length == 0);
    if (line == NULL || !read_start(line, line_length, &start)) return;
    void *context = callbacks.on_target(callbacks.target_context, start.target, &the_connection);
    char *query = strchr(start.target, '?');
    if (query != NULL) *query++ = '\0';
    read_arguments(query);
    bool complete = read_headers(&rest, bytes + length);
    reply->length = (size_t)(rest - bytes) - reply->begin;
    if (complete) serve(&start, context);
}

void library_ask(const char *head, size_t length, struct reply *reply)
{
    *reply = (struct reply){0};
    arena_reset(&kept);
    the_connection.pair_count = 0;
    the_connection.reply = reply;
    char *bytes = length <= LIBRARY_HEAD_MAX ? malloc(length + 1) : NULL;
    if (bytes == NULL) return;
    memcpy(bytes, head, length);
    bytes[length] = '\0';
    callbacks.on_connection(callbacks.connection_context, &the_connection, &the_connection.socket_context,
                            MHD_CONNECTION_NOTIFY_STARTED);
    read_head(bytes, length);
    callbacks.on_connection(callbacks.connection_context, &the_connection, &the_connection.socket_context,
                            MHD_CONNECTION_NOTIFY_CLOSED);
    free(bytes);
}

const char *reply_header(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcasecmp(reply->headers[i].name, name) == 0) return reply->headers[i].value;
    return NULL;
}
