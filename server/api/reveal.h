/* Who may see the reference. */
#ifndef SERVER_API_REVEAL_H
#define SERVER_API_REVEAL_H

#include "server/http/exchange.h"

/* It is for staff, if there is anybody else; and for nobody, where that is said: CODE_REVEAL_REFUSED at the member that
 * asks for it. */
int reveal_allowed(const struct exchange *exchange, const char *member, struct error *error);

#endif
