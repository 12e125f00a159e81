/* NumPy's .npy files. */
#ifndef SERVER_BODY_NPY_H
#define SERVER_BODY_NPY_H

#include "server/body/reading.h"

/* Whether it begins as one does. */
bool npy_is(const char *bytes, size_t length);

/* One array, in versions 1 to 3 of the format (numpy/lib/format.py). Booleans, integers and floats of two, four and
 * eight bytes are read; other types are CODE_UNSUPPORTED_FILE, and arrays of objects, which are pickles, with them.
 * Bytes behind the array, or too few, are CODE_MALFORMED_FILE. */
int npy_read(struct reading *r, const char *bytes, size_t length, json_t **value);

#endif
