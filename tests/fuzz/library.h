/* Stands for libmicrohttpd, and for the threads behind it: takes a head apart as leniently as 0.9.75 does, and hands it
 * to the callbacks of server/http/http.c. It defines what the library does under the library's own names, so that the
 * linker takes these. */
#ifndef TESTS_FUZZ_LIBRARY_H
#define TESTS_FUZZ_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

enum { LIBRARY_HEAD_MAX = 4096, REPLY_HEADERS_MAX = 32, REPLY_BODY_MAX = 4096 };

/* What comes of a head. All is there until the next one. */
struct reply {
    bool taken;           /* the daemon was asked: the library would not have answered by itself */
    bool at_once;         /* it answered before the body came */
    size_t begin, length; /* of the head, without empty lines before it and with the one behind it */
    unsigned answers;     /* the other members are those of the last */
    unsigned status;
    struct {
        const char *name, *value;
    } headers[REPLY_HEADERS_MAX];
    size_t header_count;
    size_t body_length;
    char body[REPLY_BODY_MAX + 1]; /* no more of it than there is room for */
};

/* Bytes of that body. */
enum { LIBRARY_BODY = 2 };

/* Asks the daemon that http_start has started. The head has an empty line at its end; where it says that a body
 * follows, that is "{}", or as much of it as there may be. */
void library_ask(const char *head, size_t length, struct reply *reply);

/* The first header of that name; NULL where there is none. */
const char *reply_header(const struct reply *reply, const char *name);

#endif
