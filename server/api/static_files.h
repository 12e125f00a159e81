/* The front end: the files of one directory, held in memory from the start on. */
#ifndef SERVER_API_STATIC_FILES_H
#define SERVER_API_STATIC_FILES_H

#include <stdbool.h>

#include "server/http/exchange.h"

/* Reads all regular files below the directory, but follows no symbolic link and leaves out names that start
 * with a dot. A missing directory is an empty one. False, with one line on standard error, where the limits
 * are exceeded or a file cannot be read. */
bool static_files_load(const char *directory);
void static_files_free(void);

/* Whether something answers to that path: a file; a page, whose ".html" may be left out; or a directory with an
 * index.html, which is sent on to the path with a slash at its end. */
bool static_files_has(const char *path);

exchange_step api_static_files;

#endif
