/* libFuzzer over bodies in parts, and packed ones: the first byte says how the rest is sent. */
#include <stdint.h>

#include "server/body/body.h"
#include "tests/fuzz/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct {
    char letter;
    const char *media_type, *content_type, *coding;
} ways[] = {
    {'m', "multipart/form-data", "multipart/form-data; boundary=b", NULL},
    {'q', "multipart/form-data", "multipart/form-data; charset=x; Boundary=\"b \\\"b\"", NULL},
    {'f', "application/x-www-form-urlencoded", "application/x-www-form-urlencoded", NULL},
    {'g', "application/json", "application/json", "gzip"},
    {'d', "application/json", "application/json", "deflate"},
    {'z', "application/json", "application/json", "zstd"},
};

static int read(struct reading *r, const char *bytes, size_t length)
{
    size_t way = 0, count = sizeof ways / sizeof *ways;
    for (size_t i = 0; length > 0 && i < count; i++)
        if (bytes[0] == ways[i].letter) way = i;
    const struct body body = {.media_type = ways[way].media_type,
                              .content_type = ways[way].content_type,
                              .coding = ways[way].coding,
                              .bytes = bytes + (length > 0),
                              .length = length - (length > 0),
                              .most = FILES_MOST};
    return body_read(&body, r->arena, r->cancelled, r->document, r->error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    files_try(read, (const char *)bytes, length);
    return 0;
}
