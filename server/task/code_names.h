/* Which gradients a student's code names. */
#ifndef SERVER_TASK_CODE_NAMES_H
#define SERVER_TASK_CODE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"

/* named[i]: whether the code (NULL: there is none) has a word for the gradient of names[i]: dX, grad_X, ... In another
 * case, as dx, a word is that of all names that it fits, where there is none that it fits as it stands. False where
 * memory is short. */
bool code_names(struct arena *arena, const char *code, const char *const *names, size_t count, bool *named);

#endif
