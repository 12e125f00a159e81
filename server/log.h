/* The log of requests that --log names: one JSON object a line, never with a body or a token in it. */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* What is told of a request when it ends. All texts are free of what JSON would escape. */
struct log_entry {
    const char *id, *client; /* client: a numeric address */
    const char *method, *route;
    int status;            /* 499 where the connection broke before the answer */
    const char *code;      /* of a problem; NULL where it was none */
    size_t received, sent; /* bytes of the bodies */
    double seconds;
};

/* Opens the file, at its end, or standard output (-). False where that cannot be done: errno. */
bool log_open(const char *path);

/* Opens the same file anew, where it was moved away; false, and the old one goes on, where that cannot be done: errno.
 */
bool log_reopen(void);

bool log_is_on(void);

/* From any thread; a line that the system does not take is lost. */
void log_request(const struct log_entry *entry);

#endif
