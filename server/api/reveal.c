#include "server/api/reveal.h"

int reveal_allowed(const struct exchange *exchange, const char *member, struct error *error)
{
    if (exchange->role == ROLE_STAFF && !exchange->options->no_reveal) return CODE_OK;
    error_set(error, CODE_REVEAL_REFUSED,
              exchange->options->no_reveal ? "this daemon reveals the reference to nobody"
                                           : "the reference is revealed to staff alone");
    return error_at(error, member);
}
