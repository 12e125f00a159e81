/* What the targets that read files share. */
#ifndef TESTS_FUZZ_FILES_H
#define TESTS_FUZZ_FILES_H

#include "server/body/reading.h"

/* Bytes that may come out of what is packed. */
#define FILES_MOST ((size_t)1 << 20)

/* Reads the bytes in one way or another into r->document. */
typedef int files_reader(struct reading *r, const char *bytes, size_t length);

/* They are read, and the document holds, or refused with a sentence; with hardly any memory they fail cleanly, or come
 * to the same. */
void files_try(files_reader *reader, const char *bytes, size_t length);

/* A file by its content, as the root of a document. */
files_reader files_root;

#endif
