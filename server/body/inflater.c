#include "server/body/inflater.h"

#include <stdint.h>
#include <zlib.h>

#include "server/limits.h"

/* zlib's state and its window of 32 KiB are taken once for all that a body holds. */
struct inflater {
    z_stream stream;
    bool begun;
};

static void *take(void *arena, unsigned count, unsigned size)
{
    return arena_array(arena, count, size);
}

/* It goes with the arena. */
static void give(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static struct inflater *find(struct reading *r)
{
    if (r->inflater != NULL) return r->inflater;
    struct inflater *inflater = arena_zeroed(r->arena, 1, sizeof *inflater);
    if (inflater == NULL) return NULL;
    inflater->stream.zalloc = take;
    inflater->stream.zfree = give;
    inflater->stream.opaque = r->arena;
    return r->inflater = inflater;
}

int inflater_begin(struct reading *r, enum packing packing)
{
    static const int bits[] = {[PACKED_RAW] = -MAX_WBITS, [PACKED_ZLIB] = MAX_WBITS, [PACKED_GZIP] = MAX_WBITS + 16};
    struct inflater *inflater = find(r);
    if (inflater == NULL) return reading_out_of_memory(r);
    int status = inflater->begun ? inflateReset2(&inflater->stream, bits[packing])
                                 : inflateInit2(&inflater->stream, bits[packing]);
    if (status != Z_OK) return reading_out_of_memory(r);
    inflater->begun = true;
    return CODE_OK;
}

static unsigned piece(size_t left)
{
    return left < LIMIT_LOOK ? (unsigned)left : (unsigned)LIMIT_LOOK;
}

enum inflated inflater_go_on(struct reading *r, struct inflating *at)
{
    z_stream *stream = &r->inflater->stream;
    for (;;) {
        if (reading_look(r) != CODE_OK) return INFLATED_STOPPED;
        unsigned in = piece((size_t)(at->from_end - at->from)), out = piece((size_t)(at->to_end - at->to));
        unsigned char nothing = 0;
        stream->next_in = (z_const unsigned char *)(uintptr_t)at->from;
        stream->avail_in = in;
        /* zlib refuses to go on with nowhere to write to, even where nothing but the end of a stream is left. */
        stream->next_out = out > 0 ? (unsigned char *)at->to : &nothing;
        stream->avail_out = out;
        int status = inflate(stream, Z_NO_FLUSH);
        at->from += in - stream->avail_in;
        at->to += out - stream->avail_out;
        if (status == Z_STREAM_END) return INFLATED_WHOLE;
        if (status == Z_MEM_ERROR) {
            reading_out_of_memory(r);
            return INFLATED_STOPPED;
        }
        if (status != Z_OK && status != Z_BUF_ERROR) return INFLATED_BROKEN;
        bool idle = stream->avail_in == in && stream->avail_out == out;
        if (at->to == at->to_end && (idle || at->from == at->from_end)) return INFLATED_FULL;
        if (at->from == at->from_end && idle) return INFLATED_SHORT;
        if (idle) return INFLATED_BROKEN;
    }
}
