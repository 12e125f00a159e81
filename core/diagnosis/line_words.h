/* What is said of a mistake in a program: its line, as it stands there, and the names of the values there. */
#ifndef CORE_DIAGNOSIS_LINE_WORDS_H
#define CORE_DIAGNOSIS_LINE_WORDS_H

#include "core/check/check.h"
#include "core/diagnosis/found.h"
#include "core/diagnosis/symbols.h"

/* The template of the message; NULL where the mistake's own would be. */
const char *line_words_template(const struct found *found);

/* A word in braces: "line", "source", "value", "f", "factor", "parameters", ... False, and an empty text, where there
 * is none of that key. */
bool line_words_word(const struct check *check, const struct found *found, const char *key, char text[PHRASE_MAX]);

/* Whether all words of a template are known for programs. */
bool line_words_has_all(const struct check *check, const struct found *found, const char *template);

/* What a value is called: its name, or the expression that makes it. */
void line_words_value(const struct check *check, const struct value *value, char text[PHRASE_MAX]);

#endif
