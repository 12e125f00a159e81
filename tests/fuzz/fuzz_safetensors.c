/* libFuzzer over safetensors' files, whatever they begin with. */
#include <stdint.h>

#include "server/body/safetensors.h"
#include "tests/fuzz/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int read(struct reading *r, const char *bytes, size_t length)
{
    json_t *value = NULL;
    int code = safetensors_read(r, bytes, length, &value);
    r->document->root = value;
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    files_try(read, (const char *)bytes, length);
    return 0;
}
