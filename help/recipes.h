/* Recipes: files that people copy, whose first comment says what they are for. */
#ifndef HELP_RECIPES_H
#define HELP_RECIPES_H

#include <stdbool.h>
#include <stddef.h>

/* Prints each of the files, a heading above it, to standard output; false where one cannot be read. */
bool recipes_print(char *const *paths, size_t count);

#endif
