/* Strings while a program is evaluated: names of layers that are put together, mostly. */
#ifndef CORE_LANGUAGE_TEXTS_H
#define CORE_LANGUAGE_TEXTS_H

#include "core/language/state.h"

/* A number as str() has it, a string itself; of anything else what it is, in words. */
int texts_of(struct evaluation *e, const struct thing *thing, struct thing *text);

/* Two strings, one behind the other. */
int texts_join(struct evaluation *e, const char *a, const char *b, struct thing *text);

/* "W%d" % 1, "%s_%s" % (a, b) */
int texts_format(struct evaluation *e, const char *format, const struct thing *values, struct thing *text);

#endif
