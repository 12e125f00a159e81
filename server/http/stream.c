#include "server/http/stream.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/connections.h"
#include "server/limits.h"
#include "server/http/request.h"
#include "server/http/workers.h"

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

/* Under the lock: adds what fits. */
static size_t add(struct request *request, const char *bytes, size_t length)
{
    struct stream *s = &request->stream;
    size_t room = LIMIT_STREAM - s->length, taken = length < room ? length : room;
    if (s->begin + s->length + taken > LIMIT_STREAM) {
        memmove(s->bytes, s->bytes + s->begin, s->length);
        s->begin = 0;
    }
    if (taken > 0) memcpy(s->bytes + s->begin + s->length, bytes, taken);
    s->length += taken;
    if (taken > 0) wake(request);
    return taken;
}

bool stream_write(struct exchange *exchange, const char *bytes, size_t length)
{
    struct request *request = (struct request *)exchange;
    pthread_mutex_lock(&lock);
    bool room = length <= LIMIT_STREAM - request->stream.length;
    if (room) add(request, bytes, length);
    pthread_mutex_unlock(&lock);
    return room;
}

size_t stream_offer(struct exchange *exchange, const char *bytes, size_t length)
{
    pthread_mutex_lock(&lock);
    size_t taken = add((struct request *)exchange, bytes, length);
    pthread_mutex_unlock(&lock);
    return taken;
}

bool stream_park(struct request *request)
{
    struct stream *s = &request->stream;
    pthread_mutex_lock(&lock);
    bool gone = s->left, full = s->length > LIMIT_STREAM / 2;
    if (!gone && full) {
        s->parked = true;
        connections_watch(request->connection, NULL);
        connections_enter(request->connection, PHASE_ANSWER);
    }
    pthread_mutex_unlock(&lock);
    if (gone) request_free(request);
    return gone || full;
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
    bool resume = false;
    pthread_mutex_lock(&lock);
    if (s->length > 0) {
        size_t n = s->length < size ? s->length : size;
        memcpy(buffer, s->bytes + s->begin, n);
        s->begin += n;
        s->length -= n;
        if (s->length == 0) s->begin = 0;
        resume = s->parked && s->length <= LIMIT_STREAM / 2;
        if (resume) s->parked = false;
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
    if (resume) {
        connections_enter(request->connection, PHASE_WORK);
        workers_resume(request);
    }
    return got;
}

bool stream_leave(struct request *request)
{
    struct stream *s = &request->stream;
    pthread_mutex_lock(&lock);
    bool second = s->left || s->parked; /* a parked one is nobody else's */
    s->left = true;
    pthread_mutex_unlock(&lock);
    return second;
}
