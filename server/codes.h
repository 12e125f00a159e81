/* The one table of codes: what each is called, and by which HTTP status it is told. */
#ifndef SERVER_CODES_H
#define SERVER_CODES_H

#include <stdbool.h>

#include "core/base/error.h"

/* What the server alone can say, behind the core's codes. */
enum {
    /* of a document */
    CODE_MALFORMED_JSON = CODE_CORE_END,
    CODE_MISSING_MEMBER,
    CODE_UNKNOWN_MEMBER,
    CODE_WRONG_TYPE,
    CODE_UNKNOWN_LAYER,
    CODE_UNKNOWN_LOSS,
    CODE_TOO_MUCH_WORK,
    CODE_MALFORMED_FILE,   /* a file that is damaged, or lies about itself */
    CODE_UNSUPPORTED_FILE, /* one of a format, or of numbers, that are not read here */
    /* of HTTP */
    CODE_BAD_REQUEST,        /* framing, odd query parameters */
    CODE_QUERY_OUT_OF_RANGE, /* told as CODE_OUT_OF_RANGE, but there is nothing in the body to point at */
    CODE_UNAUTHORIZED,
    CODE_FORBIDDEN,
    CODE_REVEAL_REFUSED, /* the member `reveal` of a check, for whom it is not */
    CODE_FOREIGN_ORIGIN, /* a page of another site */
    CODE_NOT_FOUND,
    CODE_METHOD_NOT_ALLOWED,
    CODE_NOT_IMPLEMENTED, /* a method that we do not know */
    CODE_LENGTH_REQUIRED,
    CODE_BODY_TOO_LARGE,
    CODE_TARGET_TOO_LONG,
    CODE_UNSUPPORTED_MEDIA_TYPE,
    CODE_EXPECTATION_FAILED,
    CODE_MISDIRECTED, /* meant for another host */
    CODE_OVERLOADED,  /* 503 with Retry-After */
    CODE_INTERNAL,
    CODE_END
};

struct code_entry {
    int status;
    const char *name;    /* for programs: "shape_mismatch" */
    bool has_place;      /* it is about a place in the body, if only the whole of it */
    const char *meaning; /* what it says, for people; NULL where it is told as another code */
};

/* The entry of a code; that of CODE_INTERNAL for what is none, and for CODE_OK, which is no error. */
const struct code_entry *codes_entry(int code);

/* What HTTP calls a status of the table: "Bad Request". */
const char *codes_title(int status);

#endif
