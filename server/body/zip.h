/* The entries of a zip archive in memory, strictly: what an archive says twice has to agree, and its entries lie apart.
 */
#ifndef SERVER_BODY_ZIP_H
#define SERVER_BODY_ZIP_H

#include <stdint.h>

#include "server/body/reading.h"

struct zip_entry {
    const char *name; /* in the archive, not terminated */
    size_t name_length;
    const char *header; /* in the archive: where it begins, */
    const char *data;   /* and its contents */
    size_t packed, unpacked;
    bool deflated;
    uint32_t checksum;
};

/* Reads the directory: the entries into the arena, in the archive's order. Encrypted ones, other packings than none and
 * deflate, entries that overlap or lie outside, and all that is cut off or does not fit together are
 * CODE_MALFORMED_FILE. */
int zip_list(struct reading *r, const char *bytes, size_t length, struct zip_entry **entries, size_t *count);

/* What the entry holds: in the archive where it is stored, else unpacked into the arena, at an address for doubles.
 * Counts in the reading's room. CODE_MALFORMED_FILE where it comes to another length or checksum. */
int zip_unpack(struct reading *r, const struct zip_entry *entry, const char **bytes);

/* Sets CODE_MALFORMED_FILE: its entry, by its name, and what is wrong with it, as in "is encrypted". Returns the code.
 */
int zip_fault(struct reading *r, const struct zip_entry *entry, const char *fault);

#endif
