#include "server/http/access.h"

#include <string.h>
#include <strings.h>

#include "server/http/route.h"

/* The token that a request brings; false where it brings none. */
static bool find_token(const struct exchange *exchange, const char **token, size_t *length)
{
    static const char scheme[] = "Bearer";
    const char *header = exchange_header(exchange, "Authorization");
    if (header == NULL || strncasecmp(header, scheme, strlen(scheme)) != 0 || header[strlen(scheme)] != ' ')
        return false;
    *token = header + strlen(scheme);
    *token += strspn(*token, " ");
    *length = strcspn(*token, " \t");
    /* Anything behind it would make one token many, and its owner many clients. */
    return *length > 0 && (*token)[*length + strspn(*token + *length, " \t")] == '\0';
}

int access_check(struct exchange *exchange, const char **challenge, struct error *error)
{
    const char *token;
    size_t length;
    *challenge = NULL;
    exchange->role = ROLE_STAFF;
    if (exchange->options->tokens[0] == '\0') return CODE_OK;
    bool brought = find_token(exchange, &token, &length);
    exchange->role = brought ? tokens_role(token, length) : ROLE_NONE;
    if (exchange->role != ROLE_NONE) {
        exchange->token = token;
        exchange->token_length = length;
    }
    if (exchange->role >= exchange->route->role) return CODE_OK;
    if (!brought) {
        *challenge = "Bearer realm=\"gradcheckd\"";
        return error_set(error, CODE_UNAUTHORIZED, "This needs a token: Authorization: Bearer TOKEN.");
    }
    if (exchange->role == ROLE_NONE) {
        *challenge = "Bearer realm=\"gradcheckd\", error=\"invalid_token\"";
        return error_set(error, CODE_UNAUTHORIZED, "That token is not known here.");
    }
    *challenge = "Bearer realm=\"gradcheckd\", error=\"insufficient_scope\", scope=\"staff\"";
    return error_set(error, CODE_FORBIDDEN, "That is for staff.");
}
