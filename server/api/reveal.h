/* Who may see the reference. */
#ifndef SERVER_API_REVEAL_H
#define SERVER_API_REVEAL_H

#include "server/http/exchange.h"

struct check_task;

/* It is for staff, if there is anybody else; and for nobody, where that is said: CODE_REVEAL_REFUSED at the member that
 * asks for it. */
int reveal_allowed(const struct exchange *exchange, const char *member, struct error *error);

/* The same of all that a check asks for: a trace holds the reference, too, and central differences are it but for a few
 * digits. After check_task_measure. */
int reveal_check(const struct exchange *exchange, const struct check_task *task, struct error *error);

#endif
