/* Functions of the language that are written in it: library_builtins, in core/language/functions.h. */
#ifndef CORE_LANGUAGE_LIBRARY_H
#define CORE_LANGUAGE_LIBRARY_H

#include "core/language/functions.h"

/* The call of every one of them; its text stands in builtin->op. */
int library_call(struct evaluation *e, const struct arguments *a, struct thing *result);

#endif
