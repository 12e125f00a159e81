/* Files of safetensors (Hugging Face): a header in JSON, and the tensors' bytes one behind the other. */
#ifndef SERVER_BODY_SAFETENSORS_H
#define SERVER_BODY_SAFETENSORS_H

#include "server/body/reading.h"

/* Whether it begins so: with the header's length, of which no text could be the first bytes, and a brace. */
bool safetensors_is(const char *bytes, size_t length);

/* An object of tensors; __metadata__ is passed over. BOOL, I8 to I64, U8 to U64, F16, BF16, F32 and F64 are read; other
 * types are CODE_UNSUPPORTED_FILE. Holes between tensors, overlaps, offsets that do not fit a shape or lie outside are
 * CODE_MALFORMED_FILE, as is a header of more than LIMIT_MIB. */
int safetensors_read(struct reading *r, const char *bytes, size_t length, json_t **value);

#endif
