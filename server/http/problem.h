/* Errors as a client sees them: RFC 9457, application/problem+json. The one table of codes, titles and statuses. */
#ifndef SERVER_HTTP_PROBLEM_H
#define SERVER_HTTP_PROBLEM_H

#include "core/base/error.h"

struct exchange;
struct text;

/* Codes of the HTTP side, behind the core's. */
enum {
    CODE_BAD_REQUEST = CODE_CORE_END, /* framing, odd query parameters */
    CODE_QUERY_OUT_OF_RANGE,          /* told as CODE_OUT_OF_RANGE, but there is nothing in the body to point at */
    CODE_NOT_FOUND,
    CODE_METHOD_NOT_ALLOWED,
    CODE_NOT_IMPLEMENTED, /* a method that we do not know */
    CODE_LENGTH_REQUIRED,
    CODE_BODY_TOO_LARGE,
    CODE_UNSUPPORTED_MEDIA_TYPE,
    CODE_EXPECTATION_FAILED,
    CODE_OVERLOADED, /* 503 with Retry-After */
    CODE_INTERNAL,
    CODE_END
};

/* Throws away what the exchange holds of an answer and answers with that error: status, title and code from the table,
 * detail, pointer (also when empty, for 400 and 422), line and column where they are set. Cannot fail: where memory is
 * short a static text goes out with 503. */
void problem_answer(struct exchange *exchange, const struct error *error);

/* The same as JSON, for the middle of an answer. */
void problem_write(struct text *text, const struct error *error);

/* Where work was cancelled because it takes too long, and not because the client left: turns CODE_CANCELLED into
 * CODE_TOO_MUCH_WORK, since trying again would not help; or into CODE_DEVICE where it would, since a device's failure
 * took part of the time. */
void problem_explain_cancelled(const struct exchange *exchange, struct error *error);

/* The HTTP status and the machine-readable name ("shape_mismatch") of a code. */
int problem_status(int code);
const char *problem_name(int code);

#endif
