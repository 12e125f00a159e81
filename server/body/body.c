#include "server/body/body.h"

#include <string.h>

#include "server/body/encoding.h"
#include "server/body/form.h"
#include "server/body/multipart.h"

static int read_json(struct reading *r, const char *content_type, const char *bytes, size_t length)
{
    (void)content_type;
    return document_read(r->arena, bytes, length, r->cancelled, r->document, r->error);
}

static const struct {
    const char *media_type;
    int (*read)(struct reading *r, const char *content_type, const char *bytes, size_t length);
} readers[] = {
    {"application/json", read_json},
    {"multipart/form-data", multipart_read},
    {"application/x-www-form-urlencoded", form_read},
};

enum { READER_COUNT = sizeof readers / sizeof readers[0] };

const char *body_media_type(size_t i)
{
    return i < READER_COUNT ? readers[i].media_type : NULL;
}

const char *body_coding(size_t i)
{
    return encoding_name(i);
}

static int unpack(struct reading *r, const struct body *body, const char **bytes, size_t *length)
{
    *bytes = body->bytes;
    *length = body->length;
    return body->coding == NULL ? CODE_OK : encoding_read(r, body->coding, body->bytes, body->length, bytes, length);
}

int body_unpack(const struct body *body, struct arena *arena, const atomic_bool *cancelled, const char **bytes,
                size_t *length, struct error *error)
{
    struct reading r = {.arena = arena, .cancelled = cancelled, .error = error, .most = body->most, .room = body->most};
    return unpack(&r, body, bytes, length);
}

int body_read(const struct body *body, struct arena *arena, const atomic_bool *cancelled, struct document *document,
              struct error *error)
{
    struct reading r = {.arena = arena,
                        .cancelled = cancelled,
                        .document = document,
                        .error = error,
                        .most = body->most,
                        .room = body->most};
    const char *bytes, *type = body->content_type != NULL ? body->content_type : "";
    size_t length;
    *document = (struct document){0};
    if (unpack(&r, body, &bytes, &length) != CODE_OK) return error->code;
    for (size_t i = 0; i < READER_COUNT; i++)
        if (strcmp(readers[i].media_type, body->media_type) == 0) return readers[i].read(&r, type, bytes, length);
    return error_set(error, CODE_UNSUPPORTED_MEDIA_TYPE, "There is no reader for %.100s.", body->media_type);
}
