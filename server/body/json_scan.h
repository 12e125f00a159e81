/* The first reading of a JSON body: arrays of numbers become rows of a table, and the rest a text short
 * enough for jansson. */
#ifndef SERVER_BODY_JSON_SCAN_H
#define SERVER_BODY_JSON_SCAN_H

#include <stdatomic.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "server/body/numbers.h"
#include "server/text/text.h"

/* Where a row stood in the original text. */
struct json_span {
    size_t begin, end;
};

struct json_scan {
    struct text reduced; /* the text with "[k]" for row k */
    struct numbers *table;
    struct json_span *spans; /* by row, ascending */
    size_t count;
    size_t stop; /* where the reading ended: the length, or the offset of what stopped it */
};

enum json_scan_end {
    JSON_SCAN_DONE,      /* it may still be malformed outside of arrays of numbers: jansson's to say */
    JSON_SCAN_MALFORMED, /* for certain, at scan->stop or before */
    JSON_SCAN_TOO_MANY,  /* more than DOCUMENT_VALUES_MAX values */
    JSON_SCAN_NO_MEMORY,
    JSON_SCAN_CANCELLED
};

/* Linear in `length`, whatever the bytes. `cancelled`, which may be NULL, is looked at every LIMIT_LOOK bytes. */
enum json_scan_end json_scan(struct arena *arena, const char *text, size_t length, const atomic_bool *cancelled,
                             struct json_scan *scan);

/* The offset in the original text of what stands at an offset of the reduced one. */
size_t json_scan_origin(const struct json_scan *scan, size_t reduced);

#endif
