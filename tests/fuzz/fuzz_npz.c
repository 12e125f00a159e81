/* libFuzzer over files by their content: .npz, and the .npy that are in them. */
#include <stdint.h>

#include "tests/fuzz/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    files_try(files_root, (const char *)bytes, length);
    return 0;
}
