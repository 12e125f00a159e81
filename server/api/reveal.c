#include "server/api/reveal.h"

#include "server/task/check_task.h"

int reveal_allowed(const struct exchange *exchange, const char *member, struct error *error)
{
    if (exchange->role == ROLE_STAFF && !exchange->options->no_reveal) return CODE_OK;
    error_set(error, CODE_REVEAL_REFUSED,
              exchange->options->no_reveal ? "this daemon reveals the reference to nobody"
                                           : "the reference is revealed to staff alone");
    return error_at(error, member);
}

int reveal_check(const struct exchange *exchange, const struct check_task *task, struct error *error)
{
    if (task->check.reveal) return reveal_allowed(exchange, "reveal", error);
    if (task->trace) return reveal_allowed(exchange, "trace", error);
    return task->check.numeric ? reveal_allowed(exchange, "numeric", error) : CODE_OK;
}
