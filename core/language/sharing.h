/* Arrays that several names share, in code that somebody looks on at. NumPy writes into an array where it is: every
 * name of it has what was written, and so has what is a view of it. Here an array never changes, but it may have become
 * another one; who reads a name, an item of a list, a view, asks what it is now. In programs, which nobody looks on at,
 * writing makes a new value under the old name, and nothing is shared. */
#ifndef CORE_LANGUAGE_SHARING_H
#define CORE_LANGUAGE_SHARING_H

#include "core/language/arrays.h"

/* What an array is now. CODE_OK, or the code of the fault of putting it together. */
int sharing_now(struct evaluation *e, struct array **array);

/* The same of a thing, where it is an array. */
int sharing_thing_now(struct evaluation *e, struct thing *thing);

/* Something was written into `before`, as it is now: it is `after` from here on, an array that nobody has yet; what it
 * is a view of has it once that is read. */
void sharing_change(struct evaluation *e, struct array *before, struct array *after);

/* What was to be written into an array could not be evaluated: it is lost to all that have it, under that name. */
void sharing_lose(struct array *array, const char *name);

bool sharing_is_lost(const struct array *array);

/* What a function gives: an array of its own, where NumPy would copy; a view of what it was called on, where NumPy
 * gives one. `things` are what it was called with. */
int sharing_result(struct evaluation *e, const char *function, const struct thing *things, size_t count,
                   struct thing *result);

#endif
