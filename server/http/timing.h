/* The Server-Timing header. */
#ifndef SERVER_HTTP_TIMING_H
#define SERVER_HTTP_TIMING_H

#include "server/http/exchange.h"

/* Adds one entry, in milliseconds, to the microsecond. */
void timing_add(struct text *text, const char *name, double seconds);

/* Puts the header on the answer. The answer is worth more than its timing: when memory is short it goes without. */
void timing_answer(struct exchange *exchange, struct text *text);

#endif
