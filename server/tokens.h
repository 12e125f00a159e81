/* Who may ask: the tokens of the file that --tokens names. A line of it is a role, `check` or `staff`, the SHA-256 of a
 * token as 64 hexadecimal digits, and, if you like, whose it is; empty lines and those that begin with # say nothing.
 */
#ifndef SERVER_TOKENS_H
#define SERVER_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

/* What somebody may do; each may do what those before it may. */
enum role { ROLE_NONE, ROLE_CHECK, ROLE_STAFF };

enum { TOKENS_FAULT_MAX = 160 };

/* Reads the file, in place of the one before. False where it cannot be used, with one line on what is wrong in fault;
 * then all is as it was. */
bool tokens_load(const char *path, char fault[TOKENS_FAULT_MAX]);

/* What a token's owner may do; ROLE_NONE where it is none of the file's. How long that takes says nothing about the
 * tokens that there are. From any thread. */
enum role tokens_role(const char *token, size_t length);

/* At the end of the process. */
void tokens_free(void);

#endif
