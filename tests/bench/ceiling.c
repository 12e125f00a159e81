/* The ceiling of the benchmark: what libmicrohttpd does alone, with the daemon's flags, threads and connections' memory
 * (server/http/http.c), when nobody reads the body and the answer is made beforehand.
 *
 *     ceiling THREADS ANSWER
 *
 * ANSWER is a file with an answer of the daemon, head and body, as it came; each POST gets the same headers (the
 * library itself makes Date and Content-Length) and the same body. The first line of output is the port; it ends when
 * its standard input does. */
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/limits.h"

#define CONNECTION_MEMORY ((size_t)128 << 10)

enum { THREADS_MOST = 64, ANSWER_MOST = 1 << 16 };

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

/* Called for the headers, for each piece of the body, and when the body is complete. */
static enum MHD_Result on_request(void *answer, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *piece, size_t *length, void **context)
{
    static char begun;
    (void)url, (void)method, (void)version, (void)piece;
    bool is_first = *context == NULL, is_last = !is_first && *length == 0;
    *context = &begun;
    if (!is_first) *length = 0;
    return is_last ? MHD_queue_response(connection, MHD_HTTP_OK, answer) : MHD_YES;
}

static bool is_made_by_the_library(const char *name)
{
    return strcasecmp(name, MHD_HTTP_HEADER_DATE) == 0 || strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
}

static struct MHD_Response *read_answer(const char *path)
{
    static char text[ANSWER_MOST];
    FILE *file = fopen(path, "rb");
    if (file == NULL) give_up(path);
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    char *body = strstr(text, "\r\n\r\n");
    if (body == NULL) give_up("no answer");
    *body = '\0';
    body += strlen("\r\n\r\n");
    struct MHD_Response *answer =
        MHD_create_response_from_buffer(length - (size_t)(body - text), body, MHD_RESPMEM_PERSISTENT);
    char *line = strtok(text, "\r\n"); /* the status */
    while (answer != NULL && (line = strtok(NULL, "\r\n")) != NULL) {
        char *value = strstr(line, ": ");
        if (value == NULL) give_up(line);
        *value = '\0';
        if (is_made_by_the_library(line)) continue;
        if (MHD_add_response_header(answer, line, value + strlen(": ")) != MHD_YES) give_up(line);
    }
    if (answer == NULL) give_up("answer");
    return answer;
}

static struct MHD_Daemon *start_thread(struct MHD_Response *answer)
{
    struct MHD_Daemon *thread = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, on_request, answer, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(2 * LIMIT_CONNECTIONS), MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(LIMIT_BODY_SECONDS + LIMIT_ANSWER_SECONDS), MHD_OPTION_THREAD_STACK_SIZE, LIMIT_STACK,
        MHD_OPTION_END);
    if (thread == NULL) give_up("MHD_start_daemon");
    return thread;
}

/* A socket that listens on a free port of loopback, which is printed. */
static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        give_up("listen");
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv)
{
    struct MHD_Daemon *threads[THREADS_MOST];
    unsigned count = argc == 3 ? (unsigned)atoi(argv[1]) : 0;
    if (count < 1 || count > THREADS_MOST) {
        fputs("usage: ceiling THREADS ANSWER\n", stderr);
        return 2;
    }
    struct MHD_Response *answer = read_answer(argv[2]);
    for (unsigned i = 0; i < count; i++)
        threads[i] = start_thread(answer);
    struct pollfd watched[2] = {{.fd = listen_on_loopback(), .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    for (unsigned turn = 0; poll(watched, 2, -1) > 0 && watched[1].revents == 0;) {
        struct sockaddr_storage client;
        socklen_t length = sizeof client;
        int socket = accept4(watched[0].fd, (struct sockaddr *)&client, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) MHD_add_connection(threads[turn++ % count], socket, (struct sockaddr *)&client, length);
    }
    for (unsigned i = 0; i < count; i++)
        MHD_stop_daemon(threads[i]);
    MHD_destroy_response(answer);
    return 0;
}
