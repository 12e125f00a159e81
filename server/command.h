/* `gradcheckd check FILE` and `gradcheckd train FILE`: one request without a server, for graders without a network. */
#ifndef SERVER_COMMAND_H
#define SERVER_COMMAND_H

#include <stdbool.h>

/* Whether the command line asks for one. */
bool command_is(int argc, char **argv);

/* Does it, and writes the answer to standard output. Returns the exit status: 0 where all passed, or the training ran;
 * 1 where the check did not pass; 2 where the request, or the command line, was wrong, which one line on standard error
 * says. */
int command_run(int argc, char **argv);

#endif
