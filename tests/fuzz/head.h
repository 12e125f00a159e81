/* A request's head as RFC 9112 has it, and what the daemon has to answer to it: written from the help and the RFCs,
 * and not from server/http/, so that the two can be compared. */
#ifndef TESTS_FUZZ_HEAD_H
#define TESTS_FUZZ_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "server/options.h"
#include "tests/fuzz/library.h"

struct span {
    const char *at;
    size_t length;
};

struct head {
    struct span method, target, version;
    struct {
        struct span name, value; /* with the spaces behind it */
    } lines[LIBRARY_HEAD_MAX / 3];
    size_t count;
};

/* False where the bytes are no head from their first to their last: method, target and version with one space between,
 * lines that a carriage return and a line feed end, names with a colon behind them, no control characters. */
bool head_read(const char *bytes, size_t length, struct head *head);

/* The value of the first header of that name; one that is NULL where there is none. */
struct span head_header(const struct head *head, const char *name);

/* Whether two texts are the same but for the case of letters. */
bool span_is(struct span span, const char *text);

/* Whether the body is said to be JSON as it is: neither packed nor in parts. */
bool head_is_plain(const struct head *head);

/* What the sender of the head may have. The two tokens that the target loads are these. */
#define TOKEN_CHECK "class"
#define TOKEN_STAFF "teacher"

struct expected {
    const char *code; /* of the problem; NULL where the request is granted, or answered in its place */
    bool options;     /* it is answered in its place: what may be done there */
    bool reads;       /* a page of another site may read the answer */
};

struct expected head_expect(const struct head *head, const struct options *options);

#endif
