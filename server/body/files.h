/* Files in a request, by their content: neither a name nor a media type says what one is. To add a format, write its
 * reader and its line in the table of files.c. */
#ifndef SERVER_BODY_FILES_H
#define SERVER_BODY_FILES_H

#include "server/body/reading.h"

/* The names of the formats that are read, by number: "npz"; NULL behind the last. */
const char *files_format(size_t i);

/* Reads a file: an array, or an object of such. CODE_UNSUPPORTED_FILE where it is none that is read, with what to write
 * in its place; errors of the formats as in npy.h, safetensors.h and document.h. */
int files_read(struct reading *r, const char *bytes, size_t length, json_t **value);

#endif
