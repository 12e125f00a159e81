#include "server/body/pickle.h"

bool pickle_is(const char *bytes, size_t length)
{
    enum { PROTO = 0x80, FIRST = 2, LAST = 5 };
    return length >= 2 && (unsigned char)bytes[0] == PROTO && bytes[1] >= FIRST && bytes[1] <= LAST;
}

int pickle_refuse(struct reading *r, const char *why)
{
    return reading_unsupported(
        r,
        "%s: that is a pickle, a program that would have to be run. Write the tensors with "
        "safetensors.torch.save_file(dict, path) in place of torch.save, or with np.savez(path, **arrays)",
        why);
}
