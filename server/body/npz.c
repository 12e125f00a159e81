#include "server/body/npz.h"

#include <string.h>

#include "server/body/npy.h"
#include "server/body/pickle.h"
#include "server/body/zip.h"
#include "server/limits.h"

static const char suffix[] = ".npy";
enum { SUFFIX = sizeof suffix - 1 };

bool npz_is(const char *bytes, size_t length)
{
    return length >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

static bool ends_with(const struct zip_entry *entry, const char *end)
{
    size_t length = strlen(end);
    return entry->name_length >= length && memcmp(entry->name + entry->name_length - length, end, length) == 0;
}

/* What torch.save writes is a zip archive, too: of tensors' bytes, and a pickle that says what they are. */
static bool is_torch(const struct zip_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ends_with(&entries[i], "data.pkl")) return true;
    return false;
}

static int read_entry(struct reading *r, const struct zip_entry *entry, json_t *object)
{
    const char *bytes;
    json_t *value;
    if (memchr(entry->name, '/', entry->name_length) != NULL || memchr(entry->name, '\\', entry->name_length) != NULL)
        return zip_fault(r, entry, "has the name of a path: an array's is a plain name");
    if (!ends_with(entry, suffix)) return zip_fault(r, entry, "is no array: those of a .npz are called NAME.npy");
    if (zip_unpack(r, entry, &bytes) != CODE_OK) return r->error->code;
    if (npy_read(r, bytes, entry->unpacked, &value) != CODE_OK) {
        const char *name = arena_text(r->arena, entry->name, entry->name_length - SUFFIX);
        return name != NULL ? error_at(r->error, name) : r->error->code;
    }
    return reading_put(r, object, entry->name, entry->name_length - SUFFIX, value);
}

int npz_read(struct reading *r, const char *bytes, size_t length, json_t **value)
{
    struct zip_entry *entries;
    size_t count;
    if (zip_list(r, bytes, length, &entries, &count) != CODE_OK) return r->error->code;
    if (is_torch(entries, count)) return pickle_refuse(r, "it was written by torch.save");
    if (reading_object(r, value) != CODE_OK) return r->error->code;
    for (size_t i = 0; i < count; i++)
        if (read_entry(r, &entries[i], *value) != CODE_OK) return r->error->code;
    return CODE_OK;
}
