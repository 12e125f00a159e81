/* Which gradients of data a student's code names. */
#ifndef SERVER_TASK_CODE_NAMES_H
#define SERVER_TASK_CODE_NAMES_H

#include <stdbool.h>

/* Whether the code (NULL: there is none) assigns the gradient of what is called so: dX, grad_X, ... */
bool code_names(const char *code, const char *name);

#endif
