#include "server/body/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "server/body/inflater.h"
#include "server/limits.h"

/* PKWARE's APPNOTE 6.3.x, 4.3 and 4.5.3: numbers are little-endian, and lie at these offsets. */
enum { END_SIZE = 22, END_ENTRIES = 10, END_LENGTH = 12, END_OFFSET = 16, END_COMMENT = 20 };
enum { END64_SIZE = 56, END64_ENTRIES = 32, END64_LENGTH = 40, END64_OFFSET = 48 };
enum { LOCATOR_SIZE = 20, LOCATOR_OFFSET = 8 };
enum {
    CENTRAL_SIZE = 46,
    CENTRAL_FLAGS = 8,
    CENTRAL_METHOD = 10,
    CENTRAL_CHECKSUM = 16,
    CENTRAL_PACKED = 20,
    CENTRAL_UNPACKED = 24,
    CENTRAL_NAME = 28,
    CENTRAL_EXTRA = 30,
    CENTRAL_COMMENT = 32,
    CENTRAL_OFFSET = 42
};
enum { LOCAL_SIZE = 30, LOCAL_METHOD = 8, LOCAL_NAME = 26, LOCAL_EXTRA = 28 };
enum { COMMENT_MAX = 0xFFFF, EXTRA_HEAD = 4, EXTRA_ZIP64 = 1 };
enum { FLAG_ENCRYPTED = 1, METHOD_STORED = 0, METHOD_DEFLATED = 8 };

static const char end_mark[] = "PK\5\6", end64_mark[] = "PK\6\6", locator_mark[] = "PK\6\7", central_mark[] = "PK\1\2",
                  local_mark[] = "PK\3\4";

/* In a file of 4 GiB or more, in place of what stands in a zip64 record. */
#define IN_ZIP64_16 0xFFFFu
#define IN_ZIP64_32 0xFFFFFFFFu

/* What one byte of deflate can come to at most. */
enum { RATIO_MAX = 1032 };

struct archive {
    struct reading *r;
    const char *bytes;
    size_t length;
    size_t count;         /* of entries */
    size_t begin, behind; /* of the directory */
};

static uint64_t number_at(const char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static bool is_mark(const char *at, const char *mark)
{
    return memcmp(at, mark, 4) == 0;
}

/* ---- the end of the archive, where it says where its directory is ---- */

/* The record at the end, with a comment behind it that reaches just to the end; NULL where there is none. */
static const char *find_end(const struct archive *a)
{
    for (size_t comment = 0; comment <= COMMENT_MAX && comment + END_SIZE <= a->length; comment++) {
        const char *at = a->bytes + a->length - END_SIZE - comment;
        if (is_mark(at, end_mark) && number_at(at + END_COMMENT, 2) == comment) return at;
    }
    return NULL;
}

static const char *find_end64(const struct archive *a, const char *end)
{
    size_t before = (size_t)(end - a->bytes);
    if (before < LOCATOR_SIZE + END64_SIZE || !is_mark(end - LOCATOR_SIZE, locator_mark)) return NULL;
    uint64_t offset = number_at(end - LOCATOR_SIZE + LOCATOR_OFFSET, 8);
    if (offset > before - LOCATOR_SIZE - END64_SIZE || !is_mark(a->bytes + offset, end64_mark)) return NULL;
    return a->bytes + offset;
}

static int find_directory(struct archive *a)
{
    const char *end = find_end(a), *end64 = NULL;
    if (end == NULL) return reading_fault(a->r, "its end is missing: the archive was cut off, or is none");
    uint64_t count = number_at(end + END_ENTRIES, 2), size = number_at(end + END_LENGTH, 4);
    uint64_t offset = number_at(end + END_OFFSET, 4);
    if (count == IN_ZIP64_16 || size == IN_ZIP64_32 || offset == IN_ZIP64_32) {
        end64 = find_end64(a, end);
        if (end64 == NULL) return reading_fault(a->r, "its zip64 record is missing");
        count = number_at(end64 + END64_ENTRIES, 8);
        size = number_at(end64 + END64_LENGTH, 8);
        offset = number_at(end64 + END64_OFFSET, 8);
    }
    size_t before = (size_t)((end64 != NULL ? end64 : end) - a->bytes);
    if (offset > before || size > before - offset)
        return reading_fault(a->r, "its directory is said to lie outside of it");
    if (count > LIMIT_ENTRIES)
        return reading_fault(a->r, "it says that it holds %llu entries; at most %d are read", (unsigned long long)count,
                             LIMIT_ENTRIES);
    if (count > size / CENTRAL_SIZE)
        return reading_fault(a->r, "its directory has no room for as many entries as it says");
    a->count = (size_t)count;
    a->begin = (size_t)offset;
    a->behind = (size_t)(offset + size);
    return CODE_OK;
}

/* ---- one entry ---- */

/* What the sizes and the offset are, where they stand in the extra field. */
static bool read_zip64(const char *at, const char *end, uint64_t *unpacked, uint64_t *packed, uint64_t *offset)
{
    uint64_t *const wanted[] = {unpacked, packed, offset};
    while (end - at >= EXTRA_HEAD) {
        const char *field = at + EXTRA_HEAD;
        size_t size = (size_t)number_at(at + 2, 2);
        if ((size_t)(end - field) < size) return false;
        at = field + size;
        if (number_at(field - EXTRA_HEAD, 2) != EXTRA_ZIP64) continue;
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            if (*wanted[i] != IN_ZIP64_32) continue;
            if (at - field < 8) return false;
            *wanted[i] = number_at(field, 8);
            field += 8;
        }
    }
    return true;
}

int zip_fault(struct reading *r, const struct zip_entry *entry, const char *fault)
{
    return reading_fault(r, "its entry \"%.*s\" %s", reading_shown(entry->name_length), entry->name, fault);
}

/* Finds the contents behind the entry's own header, which has to agree with the directory. */
static int find_data(const struct archive *a, struct zip_entry *entry, uint64_t offset, unsigned method)
{
    if (offset > a->begin || a->begin - offset < LOCAL_SIZE)
        return zip_fault(a->r, entry, "is said to lie outside of it");
    const char *local = a->bytes + offset;
    size_t left = a->begin - (size_t)offset - LOCAL_SIZE;
    if (!is_mark(local, local_mark)) return zip_fault(a->r, entry, "does not begin where the directory says");
    size_t name = (size_t)number_at(local + LOCAL_NAME, 2), extra = (size_t)number_at(local + LOCAL_EXTRA, 2);
    if (name + extra > left || entry->packed > left - name - extra)
        return zip_fault(a->r, entry, "is said to reach beyond its end");
    if (name != entry->name_length || memcmp(local + LOCAL_SIZE, entry->name, name) != 0 ||
        number_at(local + LOCAL_METHOD, 2) != method)
        return zip_fault(a->r, entry, "is another one than the directory says");
    entry->header = local;
    entry->data = local + LOCAL_SIZE + name + extra;
    return CODE_OK;
}

static int read_entry(const struct archive *a, const char **at, struct zip_entry *entry)
{
    const char *central = *at, *end = a->bytes + a->behind;
    if (end - central < CENTRAL_SIZE || !is_mark(central, central_mark))
        return reading_fault(a->r, "its directory is damaged");
    size_t name = (size_t)number_at(central + CENTRAL_NAME, 2), extra = (size_t)number_at(central + CENTRAL_EXTRA, 2);
    size_t comment = (size_t)number_at(central + CENTRAL_COMMENT, 2);
    if ((size_t)(end - central) - CENTRAL_SIZE < name + extra + comment)
        return reading_fault(a->r, "its directory is damaged");
    *at = central + CENTRAL_SIZE + name + extra + comment;
    unsigned flags = (unsigned)number_at(central + CENTRAL_FLAGS, 2);
    unsigned method = (unsigned)number_at(central + CENTRAL_METHOD, 2);
    uint64_t packed = number_at(central + CENTRAL_PACKED, 4), unpacked = number_at(central + CENTRAL_UNPACKED, 4);
    uint64_t offset = number_at(central + CENTRAL_OFFSET, 4);
    *entry = (struct zip_entry){.name = central + CENTRAL_SIZE, .name_length = name};
    const char *extras = central + CENTRAL_SIZE + name;
    if (!read_zip64(extras, extras + extra, &unpacked, &packed, &offset))
        return zip_fault(a->r, entry, "has a damaged zip64 field");
    if (flags & FLAG_ENCRYPTED) return zip_fault(a->r, entry, "is encrypted");
    if (method != METHOD_STORED && method != METHOD_DEFLATED)
        return zip_fault(a->r, entry, "is packed in a way that is not read here: only stored and deflated ones are");
    entry->deflated = method == METHOD_DEFLATED;
    entry->packed = (size_t)packed;
    entry->unpacked = (size_t)unpacked;
    entry->checksum = (uint32_t)number_at(central + CENTRAL_CHECKSUM, 4);
    if (find_data(a, entry, offset, method) != CODE_OK) return a->r->error->code;
    if (entry->deflated ? entry->unpacked / RATIO_MAX > entry->packed : entry->unpacked != entry->packed)
        return zip_fault(a->r, entry, "is said to hold more than it can");
    return CODE_OK;
}

/* ---- all of them ---- */

static int by_place(const void *one, const void *other)
{
    const struct zip_entry *const *a = one, *const *b = other;
    return ((*a)->header > (*b)->header) - ((*a)->header < (*b)->header);
}

/* A few bytes that many entries share can come to any size. */
static int check_overlaps(struct reading *r, const struct zip_entry *entries, size_t count)
{
    const struct zip_entry **sorted = arena_array(r->arena, count, sizeof *sorted);
    if (sorted == NULL) return reading_out_of_memory(r);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &entries[i];
    qsort(sorted, count, sizeof *sorted, by_place);
    for (size_t i = 1; i < count; i++)
        if (sorted[i]->header < sorted[i - 1]->data + sorted[i - 1]->packed)
            return zip_fault(r, sorted[i], "lies over another one");
    return CODE_OK;
}

int zip_list(struct reading *r, const char *bytes, size_t length, struct zip_entry **entries, size_t *count)
{
    struct archive archive = {.r = r, .bytes = bytes, .length = length};
    if (find_directory(&archive) != CODE_OK) return r->error->code;
    *count = archive.count;
    *entries = arena_array(r->arena, archive.count, sizeof **entries);
    if (*entries == NULL) return reading_out_of_memory(r);
    const char *at = bytes + archive.begin;
    for (size_t i = 0; i < archive.count; i++)
        if (read_entry(&archive, &at, &(*entries)[i]) != CODE_OK) return r->error->code;
    if (at != bytes + archive.behind) return reading_fault(r, "its directory holds more than its entries");
    return check_overlaps(r, *entries, *count);
}

/* ---- contents ---- */

static int inflate_entry(struct reading *r, const struct zip_entry *entry, const char **bytes)
{
    /* A byte more than it says, which stays free where that is true. */
    char *data =
        entry->unpacked < SIZE_MAX / 2 ? (char *)arena_doubles(r->arena, entry->unpacked / sizeof(double) + 1) : NULL;
    if (data == NULL || inflater_begin(r, PACKED_RAW) != CODE_OK) return reading_out_of_memory(r);
    struct inflating inflating = {
        .from = entry->data, .from_end = entry->data + entry->packed, .to = data, .to_end = data + entry->unpacked + 1};
    enum inflated end = inflater_go_on(r, &inflating);
    if (end == INFLATED_STOPPED) return r->error->code;
    bool whole = end == INFLATED_WHOLE && inflating.from == inflating.from_end &&
                 (size_t)(inflating.to - data) == entry->unpacked;
    *bytes = data;
    if (whole) return CODE_OK;
    return zip_fault(r, entry,
                     end == INFLATED_BROKEN  ? "is damaged"
                     : end == INFLATED_SHORT ? "is cut off"
                                             : "comes to another size than it says");
}

static uint32_t checksum_of(const char *bytes, size_t length)
{
    uLong sum = crc32_z(0, NULL, 0);
    return (uint32_t)crc32_z(sum, (const unsigned char *)bytes, length);
}

int zip_unpack(struct reading *r, const struct zip_entry *entry, const char **bytes)
{
    if (reading_look(r) != CODE_OK) return r->error->code;
    *bytes = entry->data;
    if (entry->deflated) {
        if (reading_unpack(r, entry->unpacked) != CODE_OK || inflate_entry(r, entry, bytes) != CODE_OK)
            return r->error->code;
    }
    if (checksum_of(*bytes, entry->unpacked) != entry->checksum)
        return zip_fault(r, entry, "is damaged: its checksum is another one");
    return CODE_OK;
}
