/* What has to be true of every document, whatever it was read from, and of every refusal of one. */
#ifndef TESTS_FUZZ_DOCUMENT_HOLDS_H
#define TESTS_FUZZ_DOCUMENT_HOLDS_H

#include "server/body/document.h"

/* No tensor has more than `most` elements, all of them can be read, and each row of the table stands in one place of
 * the tree. */
void document_holds(const struct document *document, size_t most);

/* There is a sentence, and the way to the place is UTF-8. */
void document_refusal_holds(const struct error *error, int code);

#endif
