/* Which gradients of data a student's code names. */
#ifndef SERVER_TASK_CODE_NAMES_H
#define SERVER_TASK_CODE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the code (NULL: there is none) has a name for the gradient of what is called so: dX, grad_X, ... In another
 * case, as dx, that is meant unless it is what one of the others' gradient is called. */
bool code_names(const char *code, const char *name, const char *const *others, size_t count);

#endif
