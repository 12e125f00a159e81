/* NumPy's .npz files: zip archives of .npy files, stored or deflated. */
#ifndef SERVER_BODY_NPZ_H
#define SERVER_BODY_NPZ_H

#include "server/body/reading.h"

/* Whether it begins as a zip archive does. */
bool npz_is(const char *bytes, size_t length);

/* An object of arrays: each entry NAME.npy is the member NAME. Names with a slash are CODE_MALFORMED_FILE, and what
 * torch.save writes, which are archives, too, is CODE_UNSUPPORTED_FILE. */
int npz_read(struct reading *r, const char *bytes, size_t length, json_t **value);

#endif
