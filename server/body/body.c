#include "server/body/body.h"

#include <string.h>

static const struct {
    const char *media_type;
    int (*read)(struct arena *arena, const char *bytes, size_t length, const atomic_bool *cancelled,
                struct document *document, struct error *error);
} readers[] = {
    {"application/json", document_read},
};

enum { READER_COUNT = sizeof readers / sizeof readers[0] };

const char *body_media_type(size_t i)
{
    return i < READER_COUNT ? readers[i].media_type : NULL;
}

int body_read(const char *media_type, struct arena *arena, const char *bytes, size_t length,
              const atomic_bool *cancelled, struct document *document, struct error *error)
{
    for (size_t i = 0; i < READER_COUNT; i++)
        if (strcmp(readers[i].media_type, media_type) == 0)
            return readers[i].read(arena, bytes, length, cancelled, document, error);
    return error_set(error, CODE_UNSUPPORTED_MEDIA_TYPE, "There is no reader for %.100s.", media_type);
}
