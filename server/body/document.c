#include "server/body/document.h"

#include <stdint.h>
#include <string.h>
#include <limits.h>

#include "server/body/json_fault.h"
#include "server/body/json_memory.h"
#include "server/body/json_scan.h"
#include "server/limits.h"

void document_setup(void)
{
    json_memory_setup();
}

/* ---- refusals ---- */

static int no_memory(struct error *error)
{
    return error_set(error, CODE_OUT_OF_MEMORY, "there is not enough memory to read the JSON text");
}

static int gave_up(struct error *error)
{
    return error_set(error, CODE_CANCELLED, "the reading of the JSON text was cancelled");
}

/* A text that was refused, and where that is told. */
struct refusal {
    const char *text;
    size_t length;
    struct document *document;
    struct error *error;
};

/* `stop`: an offset behind the fault, where it is known. */
static int malformed(const struct refusal *r, size_t stop)
{
    struct json_fault place;
    json_fault_find(r->text, r->length, stop, &place);
    error_set(r->error, CODE_MALFORMED_JSON, "The JSON is malformed: %s.",
              place.fault[0] != '\0' ? place.fault : "it could not be understood here");
    json_fault_tell(&place, r->error);
    json_fault_position(r->text, &place, &r->document->line, &r->document->column);
    return r->error->code;
}

static int too_many(const struct refusal *r, size_t stop)
{
    struct json_fault place;
    json_fault_find(r->text, r->length, stop, &place);
    if (place.fault[0] != '\0') return malformed(r, stop);
    error_set(r->error, CODE_OUT_OF_RANGE, "The JSON holds more than %d values outside of arrays of numbers.",
              DOCUMENT_VALUES_MAX);
    json_fault_tell(&place, r->error);
    return r->error->code;
}

/* `stop` is the offset behind the second of two equal names. */
static int duplicate(const struct refusal *r, size_t stop)
{
    enum { SHOWN = 64 };
    struct json_fault place;
    json_fault_find(r->text, r->length, stop, &place);
    if (place.fault[0] != '\0' || place.depth == 0 || place.path[place.depth - 1].key == NULL)
        return malformed(r, stop);
    const struct json_step *step = &place.path[place.depth - 1];
    char name[SHOWN];
    json_fault_key(step->key, step->key_length, name, sizeof name);
    error_set(r->error, CODE_MALFORMED_JSON, "The JSON is malformed: the name \"%s\" stands twice in the same object.",
              name);
    json_fault_tell(&place, r->error);
    json_fault_position(r->text, &place, &r->document->line, &r->document->column);
    return r->error->code;
}

/* What jansson had against the reduced text. */
static int refused(const struct refusal *r, const struct json_scan *scan, const json_error_t *reason)
{
    size_t stop = json_scan_origin(scan, reason->position > 0 ? (size_t)reason->position : 0);
    if (json_error_code(reason) == json_error_duplicate_key) return duplicate(r, stop);
    /* A token is refused where it ends, and what is missing at the end of the text. */
    return malformed(r, stop < r->length ? stop + 1 : SIZE_MAX);
}

/* ---- reading ---- */

/* What jansson has yet to read. It is handed out in small pieces, so that reading can be cancelled between two. */
struct source {
    const char *at, *end, *look;
    const atomic_bool *cancelled;
    bool stopped;
};

static size_t hand_out(void *buffer, size_t room, void *from)
{
    struct source *source = from;
    size_t left = (size_t)(source->end - source->at), length = left < room ? left : room;
    if (source->cancelled != NULL && source->at >= source->look) {
        source->stopped = atomic_load_explicit(source->cancelled, memory_order_relaxed);
        if (source->stopped) return (size_t)-1;
        source->look = left > LIMIT_LOOK ? source->at + LIMIT_LOOK : source->end;
    }
    if (length > 0) memcpy(buffer, source->at, length);
    source->at += length;
    return length;
}

struct loading {
    struct source *source;
    json_error_t *reason;
    json_t *root;
};

static void load(void *context)
{
    struct loading *loading = context;
    struct source *source = loading->source;
    /* A short text is read faster in one piece, and before anybody could cancel it. */
    size_t length = (size_t)(source->end - source->at);
    loading->root = length <= LIMIT_LOOK
                        ? json_loadb(source->at, length, JSON_REJECT_DUPLICATES, loading->reason)
                        : json_load_callback(hand_out, source, JSON_REJECT_DUPLICATES, loading->reason);
}

int document_read(struct arena *arena, const char *text, size_t length, const atomic_bool *cancelled,
                  struct document *document, struct error *error)
{
    *document = (struct document){0};
    if (text == NULL) text = ""; /* an empty body is nowhere, and there is no counting from there */
    const struct refusal refusal = {.text = text, .length = length, .document = document, .error = error};
    struct json_scan scan;
    switch (json_scan(arena, text, length, cancelled, &scan)) {
    case JSON_SCAN_DONE:
        break;
    case JSON_SCAN_MALFORMED:
        return malformed(&refusal, SIZE_MAX);
    case JSON_SCAN_TOO_MANY:
        return too_many(&refusal, scan.stop);
    case JSON_SCAN_NO_MEMORY:
        return no_memory(error);
    case JSON_SCAN_CANCELLED:
        return gave_up(error);
    }
    if (scan.reduced.length > INT_MAX) return no_memory(error); /* jansson counts positions in ints */

    json_error_t reason = {0};
    const char *reduced = scan.reduced.data != NULL ? scan.reduced.data : "";
    struct source source = {
        .at = reduced, .end = reduced + scan.reduced.length, .look = reduced, .cancelled = cancelled};
    struct loading loading = {.source = &source, .reason = &reason};
    if (!json_memory_lend(arena, load, &loading)) return no_memory(error);
    if (source.stopped) return gave_up(error);
    if (loading.root == NULL) return refused(&refusal, &scan, &reason);
    *document = (struct document){.root = loading.root, .table = scan.table, .count = scan.count};
    return CODE_OK;
}

const struct numbers *document_numbers(const struct document *document, const json_t *value)
{
    if (!json_is_array(value) || json_array_size(value) != 1) return NULL;
    const json_t *row = json_array_get(value, 0);
    if (!json_is_integer(row)) return NULL;
    json_int_t k = json_integer_value(row);
    return k >= 0 && (size_t)k < document->count ? &document->table[k] : NULL;
}
