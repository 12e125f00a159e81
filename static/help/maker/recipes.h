/* Recipes: files that people copy, whose first comment says what they are for. */
#ifndef STATIC_HELP_MAKER_RECIPES_H
#define STATIC_HELP_MAKER_RECIPES_H

#include <stdbool.h>
#include <stddef.h>

/* Prints a list of the files, and then each of them, a heading above it, to standard output; false where one cannot be
 * read. */
bool recipes_print(char *const *paths, size_t count);

#endif
