/* Errors as a client sees them: RFC 9457, application/problem+json. */
#ifndef SERVER_HTTP_PROBLEM_H
#define SERVER_HTTP_PROBLEM_H

#include "server/codes.h"

struct exchange;
struct text;

/* Throws away what the exchange holds of an answer and answers with that error: status, title and code from the table,
 * detail, pointer (also when empty, for codes that have a place), line and column of the exchange where they are set.
 * Cannot fail: where memory is short a static text goes out with 503. */
void problem_answer(struct exchange *exchange, const struct error *error);

/* The same as JSON, for the middle of an answer. */
void problem_write(struct text *text, const struct error *error);

/* Where work was cancelled because it takes too long, and not because the client left: turns CODE_CANCELLED into
 * CODE_TOO_MUCH_WORK, since trying again would not help; or into CODE_DEVICE where it would, since a device's failure
 * took part of the time. */
void problem_explain_cancelled(const struct exchange *exchange, struct error *error);

#endif
