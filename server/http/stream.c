#include "server/http/stream.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/connections.h"
#include "server/limits.h"
#include "server/http/request.h"

/* One for all streams: it is held for a copy of some bytes, twenty times a second. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool stream_begin(struct exchange *exchange)
{
    struct request *request = (struct request *)exchange;
    struct stream *s = &request->stream;
    s->bytes = malloc(LIMIT_STREAM);
    if (s->bytes == NULL) return false;
    pthread_mutex_lock(&lock);
    s->begun = true;
    request->stage = STAGE_STREAMING;
    MHD_resume_connection(exchange->connection);
    pthread_mutex_unlock(&lock);
    return true;
}

/* Under the lock: there is something to send. */
static void wake(struct request *request)
{
    if (!request->stream.asleep || request->stream.left) return;
    request->stream.asleep = false;
    MHD_resume_connection(request->exchange.connection);
}

bool stream_write(struct exchange *exchange, const char *bytes, size_t length)
{
    struct request *request = (struct request *)exchange;
    struct stream *s = &request->stream;
    pthread_mutex_lock(&lock);
    bool room = length <= LIMIT_STREAM - s->length;
    if (room) {
        memcpy(s->bytes + s->length, bytes, length);
        s->length += length;
        wake(request);
    }
    pthread_mutex_unlock(&lock);
    return room;
}

void stream_end(struct exchange *exchange, const char *bytes, size_t length)
{
    struct request *request = (struct request *)exchange;
    struct stream *s = &request->stream;
    pthread_mutex_lock(&lock);
    s->last = bytes;
    s->last_length = length;
    s->ended = true;
    if (!s->left) {
        /* The work is done; from now on it is the client who is waited for. */
        connections_watch(request->connection, NULL);
        connections_enter(request->connection, PHASE_ANSWER);
    }
    wake(request);
    pthread_mutex_unlock(&lock);
}

ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t size)
{
    (void)position;
    struct request *request = context;
    struct stream *s = &request->stream;
    ssize_t got = 0;
    pthread_mutex_lock(&lock);
    if (s->length > 0) {
        size_t n = s->length < size ? s->length : size;
        memcpy(buffer, s->bytes, n);
        memmove(s->bytes, s->bytes + n, s->length - n);
        s->length -= n;
        got = (ssize_t)n;
    } else if (s->last_length > 0) {
        size_t n = s->last_length < size ? s->last_length : size;
        memcpy(buffer, s->last, n);
        s->last += n;
        s->last_length -= n;
        got = (ssize_t)n;
    } else if (s->ended) {
        got = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->asleep = true; /* a reader that comes back with nothing would be called again at once */
        MHD_suspend_connection(request->exchange.connection);
    }
    s->sent += got > 0 ? (size_t)got : 0;
    pthread_mutex_unlock(&lock);
    return got;
}

bool stream_leave(struct request *request)
{
    struct stream *s = &request->stream;
    pthread_mutex_lock(&lock);
    bool second = s->left;
    s->left = true;
    pthread_mutex_unlock(&lock);
    return second;
}
