#include "server/body/files.h"

#include <string.h>

#include "server/body/npy.h"
#include "server/body/npz.h"
#include "server/body/pickle.h"
#include "server/body/safetensors.h"

/* A text, whose first character begins an object or an array. */
static bool json_is(const char *bytes, size_t length)
{
    size_t space = 0;
    while (space < length && memchr(" \t\n\r", bytes[space], 4) != NULL)
        space++;
    return space < length && (bytes[space] == '{' || bytes[space] == '[');
}

static int read_pickle(struct reading *r, const char *bytes, size_t length, json_t **value)
{
    (void)bytes, (void)length, (void)value;
    return pickle_refuse(r, "it was written by pickle.dump, or an old torch.save");
}

static int read_other(struct reading *r, const char *bytes, size_t length, json_t **value)
{
    (void)bytes, (void)length, (void)value;
    return reading_unsupported(r, "it is a file of HDF5 or MATLAB; write .npz, .npy, .safetensors or JSON");
}

static bool other_is(const char *bytes, size_t length)
{
    return (length >= 4 && memcmp(bytes, "\x89HDF", 4) == 0) || (length >= 6 && memcmp(bytes, "MATLAB", 6) == 0);
}

/* What has no name is known, and refused. */
static const struct {
    const char *name;
    bool (*is)(const char *bytes, size_t length);
    int (*read)(struct reading *r, const char *bytes, size_t length, json_t **value);
} formats[] = {
    {"npy", npy_is, npy_read},       {"npz", npz_is, npz_read},      {"safetensors", safetensors_is, safetensors_read},
    {"json", json_is, reading_json}, {NULL, pickle_is, read_pickle}, {NULL, other_is, read_other},
};

enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

const char *files_format(size_t i)
{
    return i < FORMAT_COUNT ? formats[i].name : NULL;
}

int files_read(struct reading *r, const char *bytes, size_t length, json_t **value)
{
    if (length == 0) return reading_fault(r, "it is empty");
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (formats[i].is(bytes, length)) return formats[i].read(r, bytes, length, value);
    return reading_unsupported(r, "it is none of npy, npz, safetensors and JSON, by its content");
}
