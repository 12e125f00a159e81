#include "server/http/sockets.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

bool socket_left(int socket, bool closing)
{
    struct pollfd watched = {.fd = socket, .events = closing ? 0 : POLLRDHUP};
    return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool socket_unread(int socket)
{
    int bytes = 0;
    return ioctl(socket, FIONREAD, &bytes) == 0 && bytes > 0;
}

bool socket_unsent(int socket)
{
    int bytes = 0;
    return ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

uint64_t socket_moved(int socket)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    const socklen_t needed = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || length < needed) return 0;
    return info.tcpi_bytes_acked + info.tcpi_bytes_received;
}

void socket_break(int socket)
{
    shutdown(socket, SHUT_RDWR);
}
