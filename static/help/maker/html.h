/* Text for HTML. */
#ifndef STATIC_HELP_MAKER_HTML_H
#define STATIC_HELP_MAKER_HTML_H

#include <stddef.h>

/* Prints a text to standard output, each character that HTML gives a meaning escaped. */
void html_text(const char *text);

/* The first `length` bytes of one. */
void html_part(const char *text, size_t length);

/* The same where what stands between backticks is code. */
void html_words(const char *text);

/* The same of a text of several paragraphs, with an empty line between, and of lists, each line of which begins with
 * "- ": as the openapi.json has them. */
void html_paragraphs(const char *text);

#endif
