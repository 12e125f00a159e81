/* The numbers of files: what types there are, and how they become float64. */
#ifndef SERVER_BODY_ELEMENTS_H
#define SERVER_BODY_ELEMENTS_H

#include "server/body/reading.h"

enum element {
    ELEMENT_BOOL,
    ELEMENT_I8,
    ELEMENT_U8,
    ELEMENT_I16,
    ELEMENT_U16,
    ELEMENT_I32,
    ELEMENT_U32,
    ELEMENT_I64,
    ELEMENT_U64,
    ELEMENT_F16,
    ELEMENT_BF16,
    ELEMENT_F32,
    ELEMENT_F64,
    ELEMENT_COUNT
};

/* Bytes of one. */
size_t element_size(enum element element);

/* How an array lies in a file. */
struct layout {
    enum element element;
    bool big_endian;
    bool fortran; /* the first index runs fastest */
    struct shape shape;
};

/* The bytes that it takes; CODE_MALFORMED_FILE where no memory could hold it, in whatever type. */
int elements_bytes(struct reading *r, const struct layout *layout, size_t *bytes);

/* Makes a tensor of it, of as many bytes as elements_bytes says. What is float64 already, in our order and at an
 * address that a double may have, stays where it is. Integers beyond 2^53 are rounded to the nearest, as in JSON. */
int elements_read(struct reading *r, const struct layout *layout, const char *bytes, struct tensor *tensor);

#endif
