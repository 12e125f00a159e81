/* When things are equal, as Python has it: ==, in, is, and the keys of dictionaries. */
#ifndef CORE_LANGUAGE_EQUALITY_H
#define CORE_LANGUAGE_EQUALITY_H

#include "core/language/arrays.h"

/* a == b, of all but arrays of several elements, which are neither equal nor not: CODE_PROGRAM_ERROR. An array of one
 * element is its number, which is looked up. */
int equality_of(struct evaluation *e, const struct thing *a, const struct thing *b, bool *equal);

/* a is b: numbers and strings that are equal, else the same list or array. */
bool equality_is(const struct thing *a, const struct thing *b);

/* What a thing is as a key of a dictionary: an array of one element is its number. CODE_PROGRAM_ERROR where it can be
 * none. */
int equality_key(struct evaluation *e, const struct thing *thing, struct thing *key);

/* The value of such a key in a dictionary; *value is NULL where that has none. */
int equality_find(struct evaluation *e, const struct thing *dictionary, const struct thing *key, struct thing **value);

#endif
