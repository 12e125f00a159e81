/* What lies beside the program, or where `make install` puts it. */
#ifndef SERVER_PATHS_H
#define SERVER_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* The first of these places (relative to the program's directory) where there is a directory, or a file, that can be
 * read, into path. False where neither is one, or where its path is longer than `size` has room for. */
bool paths_find(const char *const places[2], bool directory, char *path, size_t size);

#endif
