/* What can go wrong in the core, and how it is told. */
#ifndef CORE_BASE_ERROR_H
#define CORE_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

/* Functions that can fail return one of these; 0 is success. The server adds codes of its own from
 * CODE_CORE_END on. */
enum code {
    CODE_OK = 0,
    /* what is wrong with a request */
    CODE_MALFORMED_JSON,
    CODE_MISSING_MEMBER,
    CODE_UNKNOWN_MEMBER,
    CODE_WRONG_TYPE,
    CODE_UNKNOWN_LAYER,
    CODE_UNKNOWN_LOSS,
    CODE_SHAPE_MISMATCH,
    CODE_NOT_FINITE,
    CODE_OUT_OF_RANGE,
    CODE_TOO_MUCH_WORK,
    /* what is wrong with us */
    CODE_OUT_OF_MEMORY,
    CODE_CANCELLED,
    CODE_DEVICE,
    CODE_CORE_END
};

enum { ERROR_DETAIL_MAX = 512, ERROR_POINTER_MAX = 512 };

/* The first error of a request. Owned by the caller, who sets it to {0}. */
struct error {
    int code;
    size_t line, column;             /* of malformed JSON, from 1; 0 elsewhere */
    char detail[ERROR_DETAIL_MAX];   /* one sentence for a person, UTF-8 */
    char pointer[ERROR_POINTER_MAX]; /* RFC 6901, to the faulty place of the request; "" is the whole */
};

/* Sets code and detail (printf) unless an error stands there already; the first one wins. Returns
 * error->code. */
int error_set(struct error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts a step in front of error->pointer: error_at(e, "layers"), error_at_index(e, 3). Each level of a reader
 * adds its own step on the way out, so that no reader has to know where it stands. The name is escaped (~0,
 * ~1). Return error->code. */
int error_at(struct error *error, const char *name);
int error_at_index(struct error *error, size_t index);

#endif
