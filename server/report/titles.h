/* What lines of a report are called where others read them: names that a client made up, fit for a list. */
#ifndef SERVER_REPORT_TITLES_H
#define SERVER_REPORT_TITLES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"

/* Characters of a title, before it is made unique. */
enum { TITLE_MAX = 200 };

/* Any text on one line: what would steer a terminal, and what is no UTF-8, becomes "?" (text_shown). The text itself
 * where nothing does; else in the arena. NULL when memory is short. */
const char *titles_clean(struct arena *arena, const char *text);

/* A name so cleaned, of TITLE_MAX characters at most: of longer ones the beginning, and "...". "?" for an empty one. */
const char *titles_name(struct arena *arena, const char *name);

/* Makes those that are there twice differ: the first stays, behind others comes " (2)", " (3)", ... False when memory
 * is short. */
bool titles_make_unique(struct arena *arena, const char **titles, size_t count);

#endif
