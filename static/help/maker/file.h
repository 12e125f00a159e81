/* Files, whole. */
#ifndef STATIC_HELP_MAKER_FILE_H
#define STATIC_HELP_MAKER_FILE_H

/* What is in a file, to be freed by the caller; NULL, and a line on standard error, where it cannot be read. */
char *file_read(const char *path);

#endif
