/* The forward values as the things that a student's code reads. */
#ifndef CORE_BACKWARD_SURROUNDINGS_THINGS_H
#define CORE_BACKWARD_SURROUNDINGS_THINGS_H

#include "core/backward/known.h"

/* Binds what the program has under its own names, where there is a program: functions, lists and dictionaries too. */
int things_bind(struct evaluation *e, const struct surroundings *s);

/* What a name stands for that the code does not assign: a forward value; lists of them as they are often called; what
 * arrives at the output; "self" for what holds all of them (cache, params). False where that is nothing. */
bool things_find(struct evaluation *e, const struct surroundings *s, const char *name, struct thing *thing);

/* What a function of the code gets for a parameter. False where nobody knows. */
bool things_argument(struct evaluation *e, const struct surroundings *s, const char *name, struct thing *thing);

#endif
