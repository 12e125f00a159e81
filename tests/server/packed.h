/* Files as clients send them, made byte by byte: .npy, .npz, gzip, and the parts of a body. */
#ifndef TESTS_SERVER_PACKED_H
#define TESTS_SERVER_PACKED_H

#include <stdbool.h>
#include <stddef.h>

/* The caller's to free(data); NULL while empty. */
struct packed {
    char *data;
    size_t length, capacity;
};

void packed_add(struct packed *packed, const void *bytes, size_t length);

/* An array as numpy.save writes it: packed_npy(p, "<f8", "(2, 3)", numbers, 48). */
void packed_npy(struct packed *packed, const char *descr, const char *shape, const void *bytes, size_t length);

struct packed_entry {
    const char *name;
    const struct packed *file;
    bool deflated;
};

/* A zip archive of these. */
void packed_zip(struct packed *packed, const struct packed_entry *entries, size_t count);

void packed_gzip(struct packed *packed, const char *bytes, size_t length);

/* A part of multipart/form-data; packed_part_end behind the last. */
void packed_part(struct packed *packed, const char *boundary, const char *name, const void *bytes, size_t length);
void packed_part_end(struct packed *packed, const char *boundary);

#endif
