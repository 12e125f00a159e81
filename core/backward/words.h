/* What is said of the lines of a student's code. */
#ifndef CORE_BACKWARD_WORDS_H
#define CORE_BACKWARD_WORDS_H

#include "core/backward/line.h"

/* All from the arena; NULL where memory is short. */

/* The text of a statement, on one line; of one that opens a block, without that. */
const char *words_statement(struct arena *arena, const struct statement *s);

/* The n-th line of a text, without the spaces around it. */
const char *words_line(struct arena *arena, const char *text, size_t length, unsigned line);

/* What a statement makes, as the student calls it; NULL also where it has no name. */
const char *words_target(struct arena *arena, const struct run *plain, const struct statement *s);

/* A statement as its edit makes it; with `value_alone`, where its value alone is another one, that. */
const char *words_edited(struct arena *arena, const struct blamed *blamed, bool value_alone);

/* The sentence about a line; NULL also where there is nothing to say. */
const char *words_message(struct arena *arena, const struct backward *b, const struct statement *s,
                          const struct blamed *blamed, const struct backward_line *line);

#endif
