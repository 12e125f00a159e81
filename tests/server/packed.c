#include "tests/server/packed.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void packed_add(struct packed *packed, const void *bytes, size_t length)
{
    if (packed->capacity - packed->length < length) {
        packed->capacity = 2 * (packed->length + length) + 256;
        packed->data = realloc(packed->data, packed->capacity);
        if (packed->data == NULL) abort();
    }
    if (length > 0) memcpy(packed->data + packed->length, bytes, length);
    packed->length += length;
}

static void add_text(struct packed *packed, const char *text)
{
    packed_add(packed, text, strlen(text));
}

static void add_number(struct packed *packed, uint64_t value, int bytes)
{
    for (; bytes > 0; bytes--, value >>= 8)
        packed_add(packed, &(char){(char)(value & 255)}, 1);
}

void packed_npy(struct packed *packed, const char *descr, const char *shape, const void *bytes, size_t length)
{
    enum { BEFORE = 10, ALIGNMENT = 64 };
    char header[512];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    size_t used = strlen(header) + 1, padding = (ALIGNMENT - (BEFORE + used) % ALIGNMENT) % ALIGNMENT;
    packed_add(packed, "\x93NUMPY\1\0", 8);
    add_number(packed, used + padding, 2);
    add_text(packed, header);
    for (size_t i = 0; i < padding; i++)
        add_text(packed, " ");
    add_text(packed, "\n");
    packed_add(packed, bytes, length);
}

/* Through zlib; 16 more bits of window ask for a gzip, negative ones for deflate without anything around it. */
static void deflate_to(struct packed *packed, int bits, const char *bytes, size_t length)
{
    z_stream stream = {.next_in = (z_const unsigned char *)(uintptr_t)bytes, .avail_in = (unsigned)length};
    if (deflateInit2(&stream, 9, Z_DEFLATED, bits, 9, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    size_t room = deflateBound(&stream, (uLong)length) + 64;
    unsigned char *out = malloc(room);
    if (out == NULL) abort();
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
    packed_add(packed, out, stream.total_out);
    deflateEnd(&stream);
    free(out);
}

void packed_gzip(struct packed *packed, const char *bytes, size_t length)
{
    deflate_to(packed, MAX_WBITS + 16, bytes, length);
}

/* What a local header and the directory both have. */
static void add_facts(struct packed *packed, const struct packed_entry *entry, size_t size)
{
    const struct packed *file = entry->file;
    add_number(packed, 20, 2); /* version, flags, method, time and date */
    add_number(packed, 0, 2);
    add_number(packed, entry->deflated ? 8 : 0, 2);
    add_number(packed, 0, 4);
    add_number(packed, crc32(0, (const unsigned char *)file->data, (unsigned)file->length), 4);
    add_number(packed, size, 4);
    add_number(packed, file->length, 4);
    add_number(packed, strlen(entry->name), 2);
    add_number(packed, 0, 2); /* no extra field */
}

void packed_zip(struct packed *packed, const struct packed_entry *entries, size_t count)
{
    struct packed directory = {0}, contents = {0};
    size_t begin = packed->length;
    for (size_t i = 0; i < count; i++) {
        size_t offset = packed->length - begin;
        contents.length = 0;
        if (entries[i].deflated)
            deflate_to(&contents, -MAX_WBITS, entries[i].file->data, entries[i].file->length);
        else
            packed_add(&contents, entries[i].file->data, entries[i].file->length);
        packed_add(packed, "PK\3\4", 4);
        add_facts(packed, &entries[i], contents.length);
        add_text(packed, entries[i].name);
        packed_add(packed, contents.data, contents.length);
        packed_add(&directory, "PK\1\2\24\0", 6);
        add_facts(&directory, &entries[i], contents.length);
        add_number(&directory, 0, 6); /* no comment, first disk, attributes */
        add_number(&directory, 0, 4);
        add_number(&directory, offset, 4);
        add_text(&directory, entries[i].name);
    }
    size_t offset = packed->length - begin;
    packed_add(packed, directory.data, directory.length);
    packed_add(packed, "PK\5\6\0\0\0\0", 8);
    add_number(packed, count, 2);
    add_number(packed, count, 2);
    add_number(packed, directory.length, 4);
    add_number(packed, offset, 4);
    add_number(packed, 0, 2);
    free(directory.data);
    free(contents.data);
}

void packed_part(struct packed *packed, const char *boundary, const char *name, const void *bytes, size_t length)
{
    char head[256];
    snprintf(head, sizeof head, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", boundary, name);
    add_text(packed, head);
    packed_add(packed, bytes, length);
    add_text(packed, "\r\n");
}

void packed_part_end(struct packed *packed, const char *boundary)
{
    add_text(packed, "--");
    add_text(packed, boundary);
    add_text(packed, "--\r\n");
}
