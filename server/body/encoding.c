#include "server/body/encoding.h"

#include <stdint.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/base/memory.h"
#include "server/body/inflater.h"
#include "server/limits.h"

/* What is unpacked, in the arena: it grows where nobody knew how much there would be. */
struct output {
    char *data;
    size_t length, capacity;
};

enum { GROWTH = 4, FIRST = 1 << 16 };

static int damaged(struct reading *r, const char *what)
{
    return error_set(r->error, CODE_BAD_REQUEST, "The body does not fit its Content-Encoding: it is %s.", what);
}

/* Room for `capacity` bytes, of those that may come out; what is there stays. */
static int grow(struct reading *r, struct output *output, size_t capacity)
{
    if (capacity > r->room) capacity = r->room;
    if (capacity <= output->capacity) return reading_unpack(r, SIZE_MAX); /* there is no more to be had */
    size_t count = capacity / sizeof(double) + 1;
    char *data = (char *)arena_doubles(r->arena, count);
    if (data == NULL) return reading_out_of_memory(r);
    if (output->length > 0) memcpy(data, output->data, output->length);
    output->data = data;
    output->capacity = capacity;
    return CODE_OK;
}

static size_t more(size_t capacity)
{
    return capacity > SIZE_MAX / GROWTH ? SIZE_MAX : GROWTH * capacity;
}

static void trim(struct reading *r, const struct output *output)
{
    size_t taken = (output->capacity / sizeof(double) + 1) * sizeof(double);
    size_t used = (output->length / sizeof(double) + 1) * sizeof(double);
    arena_trim(r->arena, output->data, taken, used);
}

/* ---- gzip (RFC 1952), deflate (RFC 1950) ---- */

/* Whether "deflate" has the two bytes of zlib before it, as it has to; some clients leave them out. */
static enum packing deflate_kind(const char *bytes, size_t length)
{
    unsigned first = length > 1 ? (unsigned char)bytes[0] : 0, second = length > 1 ? (unsigned char)bytes[1] : 0;
    return (first & 15) == 8 && (256 * first + second) % 31 == 0 ? PACKED_ZLIB : PACKED_RAW;
}

/* One stream, of which there may be several in gzip. */
static int inflate_stream(struct reading *r, struct inflating *at, struct output *output)
{
    for (;;) {
        at->to = output->data + output->length;
        at->to_end = output->data + output->capacity;
        enum inflated end = inflater_go_on(r, at);
        output->length = (size_t)(at->to - output->data);
        if (end == INFLATED_WHOLE) return CODE_OK;
        if (end == INFLATED_STOPPED) return r->error->code;
        if (end == INFLATED_BROKEN) return damaged(r, "damaged");
        if (end == INFLATED_SHORT) return damaged(r, "cut off");
        if (grow(r, output, more(output->capacity)) != CODE_OK) return r->error->code;
    }
}

static int inflate_all(struct reading *r, enum packing packing, struct inflating *at, struct output *output)
{
    do {
        if (inflater_begin(r, packing) != CODE_OK || inflate_stream(r, at, output) != CODE_OK) return r->error->code;
    } while (packing == PACKED_GZIP && at->from < at->from_end);
    return at->from == at->from_end ? CODE_OK : damaged(r, "followed by something else");
}

/* What a gzip says of its length, modulo 2^32, in its last bytes; deflate says nothing. It need not be true. */
static size_t expected(enum packing packing, const char *bytes, size_t length)
{
    enum { GZIP_LEAST = 18, RATIO_MAX = 1032 };
    size_t said = 0;
    for (size_t i = 1; i <= 4 && packing == PACKED_GZIP && length >= GZIP_LEAST; i++)
        said = said << 8 | (unsigned char)bytes[length - i];
    if (said / RATIO_MAX > length) said = 0;
    return said > 0 ? said : FIRST + GROWTH * length;
}

static int inflate_body(struct reading *r, enum packing packing, const char *bytes, size_t length,
                        struct output *output)
{
    struct inflating at = {.from = bytes, .from_end = bytes + length};
    if (grow(r, output, expected(packing, bytes, length)) != CODE_OK) return r->error->code;
    return inflate_all(r, packing, &at, output);
}

static int read_gzip(struct reading *r, const char *bytes, size_t length, struct output *output)
{
    return inflate_body(r, PACKED_GZIP, bytes, length, output);
}

static int read_deflate(struct reading *r, const char *bytes, size_t length, struct output *output)
{
    return inflate_body(r, deflate_kind(bytes, length), bytes, length, output);
}

/* ---- zstd (RFC 8878) ---- */

/* All at once into the output, which is its own window then: a frame cannot ask for more memory than that. Where nobody
 * has said how much comes out it is done again, with more room. */
static int unpack_frames(struct reading *r, ZSTD_DCtx *context, const char *bytes, size_t length, struct output *output)
{
    unsigned long long said = ZSTD_getFrameContentSize(bytes, length);
    if (said == ZSTD_CONTENTSIZE_ERROR) return damaged(r, "no zstd");
    bool known = said != ZSTD_CONTENTSIZE_UNKNOWN && said > 0;
    if (known && said > r->room) return reading_unpack(r, SIZE_MAX);
    size_t wanted = known ? (size_t)said : FIRST + GROWTH * length;
    for (;; wanted = more(output->capacity)) {
        if (reading_look(r) != CODE_OK || grow(r, output, wanted) != CODE_OK) return r->error->code;
        size_t result = ZSTD_decompressDCtx(context, output->data, output->capacity, bytes, length);
        output->length = ZSTD_isError(result) ? 0 : result;
        if (!ZSTD_isError(result)) return CODE_OK;
        ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
        if (code == ZSTD_error_memory_allocation) return reading_out_of_memory(r);
        if (code == ZSTD_error_srcSize_wrong) return damaged(r, "cut off, or followed by something else");
        if (code != ZSTD_error_dstSize_tooSmall) return damaged(r, "damaged");
    }
}

static int read_zstd(struct reading *r, const char *bytes, size_t length, struct output *output)
{
    /* What the library takes for itself; it has no other way to say so than afterwards. */
    enum { CONTEXT = 256 << 10 };
    if (!memory_take(CONTEXT)) return reading_out_of_memory(r);
    ZSTD_DCtx *context = ZSTD_createDCtx();
    int code = context != NULL ? unpack_frames(r, context, bytes, length, output) : reading_out_of_memory(r);
    ZSTD_freeDCtx(context);
    memory_give(CONTEXT);
    return code;
}

/* ---- the table ---- */

static const struct {
    const char *name;
    int (*read)(struct reading *r, const char *bytes, size_t length, struct output *output);
} codings[] = {
    {"gzip", read_gzip},
    {"zstd", read_zstd},
    {"deflate", read_deflate},
    {"x-gzip", read_gzip},
};

enum { CODING_COUNT = sizeof codings / sizeof codings[0] };

const char *encoding_name(size_t i)
{
    return i < CODING_COUNT ? codings[i].name : NULL;
}

int encoding_read(struct reading *r, const char *coding, const char *bytes, size_t length, const char **unpacked,
                  size_t *unpacked_length)
{
    struct output output = {0};
    size_t i = 0;
    while (i < CODING_COUNT && strcmp(codings[i].name, coding) != 0)
        i++;
    if (i == CODING_COUNT)
        return error_set(r->error, CODE_UNSUPPORTED_MEDIA_TYPE, "There is no reader for %.100s.", coding);
    if (length == 0) return damaged(r, "empty");
    if (codings[i].read(r, bytes, length, &output) != CODE_OK) return r->error->code;
    trim(r, &output);
    *unpacked = output.data;
    *unpacked_length = output.length;
    return reading_unpack(r, output.length);
}
