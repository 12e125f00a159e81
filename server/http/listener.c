#include "server/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "server/http/connections.h"
#include "server/http/exchange.h"
#include "server/limits.h"

/* Milliseconds: between two looks where no connection can be taken, and how long a handshake that has begun
 * may need. */
enum { FULL_PAUSE = 10, HANDSHAKE_PAUSE = 50 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static struct {
    int socket;
    int wake; /* an eventfd: readable once the drain has begun */
    pthread_t thread;
    listener_deliver *deliver;
} listener = {.socket = -1, .wake = -1};

static bool complain(const struct options *options)
{
    fprintf(stderr, "gradcheckd: cannot listen on %s port %u: %s\n", options->host, options->port, strerror(errno));
    return false;
}

static socklen_t make_address(const struct options *options, union address *address)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, options->host, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)options->port);
        return sizeof address->v4;
    }
    if (inet_pton(AF_INET6, options->host, &address->v6.sin6_addr) != 1) {
        errno = EINVAL;
        return 0;
    }
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons((uint16_t)options->port);
    return sizeof address->v6;
}

static void write_address(const union address *bound, char text[LISTENER_ADDRESS_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (bound->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &bound->v6.sin6_addr, host, sizeof host);
        snprintf(text, LISTENER_ADDRESS_MAX, "http://[%s]:%u", host, (unsigned)ntohs(bound->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &bound->v4.sin_addr, host, sizeof host);
        snprintf(text, LISTENER_ADDRESS_MAX, "http://%s:%u", host, (unsigned)ntohs(bound->v4.sin_port));
    }
}

bool listener_open(const struct options *options, char address[LISTENER_ADDRESS_MAX])
{
    union address wanted;
    const int on = 1;
    socklen_t length = make_address(options, &wanted);
    if (length == 0) return complain(options);
    listener.socket = socket(wanted.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener.socket < 0) return complain(options);
    /* A restart must not wait until the old connections' ports are free. */
    setsockopt(listener.socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener.socket, &wanted.any, length) != 0 || listen(listener.socket, SOMAXCONN) != 0 ||
        getsockname(listener.socket, &wanted.any, &length) != 0) {
        complain(options);
        close(listener.socket);
        return false;
    }
    write_address(&wanted, address);
    return true;
}

/* Accepts what is waiting, as far as there is room. Returns false when there is no room or the system is out
 * of something: then it is no use to wait for the socket to become readable. */
static bool accept_waiting(void)
{
    for (;;) {
        if (connections_count() >= connections_most()) return false;
        union address peer;
        socklen_t length = sizeof peer;
        int socket = accept4(listener.socket, &peer.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0)
            listener.deliver(socket, &peer, length);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return true;
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return false;
        /* Anything else is about a client that has gone again. */
    }
}

static void *accept_all(void *unused)
{
    (void)unused;
    for (;;) {
        bool room = accept_waiting();
        struct pollfd watched[2] = {{.fd = listener.wake, .events = POLLIN}, {.fd = listener.socket, .events = POLLIN}};
        poll(watched, room ? 2 : 1, room ? -1 : FULL_PAUSE);
        if (watched[0].revents != 0) return NULL;
    }
}

bool listener_start(listener_deliver *deliver)
{
    listener.deliver = deliver;
    listener.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return listener.wake >= 0 && pthread_create(&listener.thread, NULL, accept_all, NULL) == 0;
}

/* Closing a listening socket resets the connections that wait in it, even those whose clients have already
 * sent a request. So the door is shut first: a filter drops every SYN (bit 1 of byte 13 of the TCP header)
 * that comes in from now on. Its sender will try again in a second and be refused, or be served by our
 * successor. */
static void shut_door(void)
{
    struct sock_filter drop_syn[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF),
    };
    struct sock_fprog program = {.len = sizeof drop_syn / sizeof drop_syn[0], .filter = drop_syn};
    setsockopt(listener.socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void listener_drain(double until)
{
    const uint64_t one = 1;
    shut_door();
    if (write(listener.wake, &one, sizeof one) != (ssize_t)sizeof one) return; /* cannot happen to a fresh eventfd */
    pthread_join(listener.thread, NULL);
    while (!accept_waiting() && clock_seconds() < until)
        poll(NULL, 0, FULL_PAUSE);
    poll(NULL, 0, HANDSHAKE_PAUSE); /* handshakes that were under way when the door was shut */
    accept_waiting();
    close(listener.socket);
    close(listener.wake);
}
