#include "server/body/json_scan.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/limits.h"
#include "server/text/number.h"

enum { ALIGN_DOUBLES = 8 /* a cache line */, ALIGN_SLACK = 512, ROWS_FIRST = 16, REFERENCE_MAX = 32 };

/* Reading ends when there is one value too many. */
enum { ROWS_MAX = DOCUMENT_VALUES_MAX + 1 };

/* The array that is being tried as numbers, with the levels inside it. Level 1 is its own bracket. */
struct nest {
    size_t level, deepest;
    size_t leaf; /* the level that holds scalars; 0 until the first one */
    bool ragged;
    struct {
        const char *open;  /* its bracket */
        size_t children;   /* arrays closed inside the one that is open */
        const double *row; /* where the data of the one that is open begins */
        bool known;        /* one has been closed, and had this many elements: */
        size_t dim;
    } at[LIMIT_DEPTH + 1];
};

struct scanner {
    struct arena *arena;
    const char *text, *end;
    const char *copied; /* up to here the reduced text is complete */
    const char *look;   /* from here on it is time to look at: */
    const atomic_bool *cancelled;
    struct json_scan *out;
    size_t capacity; /* of the table */
    size_t depth;    /* brackets open outside of the nest */
    size_t values;   /* an upper bound of what jansson will hold, and the rows */
    double *data, *data_end;
    struct nest nest;
    /* Brackets, ascending, of arrays that a failed attempt has shown to hold other things than numbers. */
    const char *mixed[LIMIT_DEPTH + 1];
    size_t mixed_count, mixed_next;
};

enum attempt { ATTEMPT_NUMBERS, ATTEMPT_MIXED, ATTEMPT_MALFORMED, ATTEMPT_CANCELLED };

/* Whether to give up at `at`. The flag is written by another thread: reading it for every token would cost. */
static bool is_cancelled(struct scanner *s, const char *at)
{
    if (s->cancelled == NULL || at < s->look) return false;
    s->look = (size_t)(s->end - at) > LIMIT_LOOK ? at + LIMIT_LOOK : s->end;
    return atomic_load_explicit(s->cancelled, memory_order_relaxed);
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Whether `word` stands at `at`; *at is moved behind it. */
static bool take_word(const char **at, const char *end, const char *word, size_t length)
{
    if ((size_t)(end - *at) < length || memcmp(*at, word, length) != 0) return false;
    *at += length;
    return true;
}

/* NaN, Infinity, -Infinity. Returns what is behind it, NULL where it is none. */
static const char *read_special(const char *at, const char *end, double *value)
{
    const char *sign = at;
    if (at < end && *at == '-') at++;
    if (take_word(&at, end, "Infinity", 8))
        *value = *sign == '-' ? -INFINITY : INFINITY;
    else if (at == sign && take_word(&at, end, "NaN", 3))
        *value = NAN;
    else
        return NULL;
    return at;
}

/* One element of an array of numbers. Returns what is behind it, NULL where it is something else. */
static const char *read_element(struct scanner *s, const char *at, double *value)
{
    if (is_digit(*at)) {
        if (s->end - at > 1 && (at[1] == ',' || at[1] == ']')) {
            *value = *at - '0';
            return at + 1;
        }
        return number_read(at, s->end, value);
    }
    if (*at == 'n') {
        if (!take_word(&at, s->end, "null", 4)) return NULL;
        *value = NAN;
        return at;
    }
    if (*at != '-' && *at != 'N' && *at != 'I') return NULL;
    const char *behind = read_special(at, s->end, value);
    return behind != NULL ? behind : number_read(at, s->end, value);
}

/* Elements with commas between them, as far as they go, but not much more than LIMIT_LOOK bytes of them. Returns what
 * is behind the last one, *at's being the first; NULL where not even one stands there. A comma with something else
 * behind it is left to the caller. */
static const char *read_elements(struct scanner *s, const char *at)
{
    const char *behind = NULL;
    const char *stop = (size_t)(s->end - at) > LIMIT_LOOK ? at + LIMIT_LOOK : s->end;
    double *data = s->data;
    while (at < stop) {
        const char *next = read_element(s, at, data);
        if (next == NULL) break;
        data++;
        behind = next = skip_space(next, s->end);
        if (next == s->end || *next != ',') break;
        at = next + 1;
        if (at < s->end && (unsigned char)*at <= ' ') at = skip_space(at, s->end);
    }
    s->data = data;
    return behind;
}

static void nest_open(struct scanner *s, const char *at)
{
    struct nest *nest = &s->nest;
    size_t level = ++nest->level;
    if (level > nest->deepest) {
        nest->deepest = level;
        nest->at[level].known = false;
        if (nest->leaf != 0) nest->ragged = true; /* [1,[2]] */
    }
    nest->at[level].open = at;
    nest->at[level].children = 0;
    nest->at[level].row = s->data;
}

/* Scalars have been met at the level that is open. */
static void nest_scalars(struct nest *nest)
{
    if (nest->leaf == 0) nest->leaf = nest->level;
    if (nest->level != nest->deepest) nest->ragged = true; /* [[1],2] */
}

static void nest_close(struct scanner *s)
{
    struct nest *nest = &s->nest;
    size_t level = nest->level--;
    size_t length = level == nest->leaf ? (size_t)(s->data - nest->at[level].row) : nest->at[level].children;
    if (!nest->at[level].known) {
        nest->at[level].known = true;
        nest->at[level].dim = length;
    } else if (nest->at[level].dim != length) {
        nest->ragged = true;
    }
    if (level > 1) nest->at[level - 1].children++;
}

/* Whether another kind of JSON value begins here: the array is none of numbers, but may well be JSON. */
static bool other_value(char c)
{
    return c == '"' || c == '{' || c == 't' || c == 'f';
}

/* Reads the array at *at as numbers. Moves *at behind it, or to what makes it something else. */
static enum attempt read_nest(struct scanner *s, const char **where)
{
    struct nest *nest = &s->nest;
    nest->level = nest->deepest = nest->leaf = 0;
    nest->ragged = false;
    const char *at = *where;
    bool want = true, fresh = false; /* want: a value comes next; fresh: or the end of an array that is empty so far */
    do {
        at = skip_space(at, s->end);
        *where = at;
        if (at == s->end) return ATTEMPT_MALFORMED;
        if (is_cancelled(s, at)) return ATTEMPT_CANCELLED;
        if (*at == ']' && (!want || fresh)) {
            nest_close(s);
            want = fresh = false;
            at++;
        } else if (!want) {
            if (*at != ',') return ATTEMPT_MALFORMED;
            want = true;
            at++;
        } else if (*at == '[') {
            if (s->depth + nest->level >= LIMIT_DEPTH) return ATTEMPT_MALFORMED;
            nest_open(s, at++);
            fresh = true;
        } else {
            at = read_elements(s, at);
            if (at == NULL) return other_value(**where) ? ATTEMPT_MIXED : ATTEMPT_MALFORMED;
            nest_scalars(nest);
            want = fresh = false;
        }
    } while (nest->level > 0);
    *where = at;
    return ATTEMPT_NUMBERS;
}

/* Room for one more row in the table. */
static bool grow_table(struct scanner *s)
{
    struct json_scan *out = s->out;
    if (out->count < s->capacity) return true;
    size_t capacity = s->capacity > 0 ? 2 * s->capacity : ROWS_FIRST;
    if (capacity > ROWS_MAX) capacity = ROWS_MAX;
    struct numbers *table = arena_array(s->arena, capacity, sizeof *table);
    struct json_span *spans = arena_array(s->arena, capacity, sizeof *spans);
    if (table == NULL || spans == NULL) return false;
    if (out->count > 0) {
        memcpy(table, out->table, out->count * sizeof *table);
        memcpy(spans, out->spans, out->count * sizeof *spans);
    }
    out->table = table;
    out->spans = spans;
    s->capacity = capacity;
    return true;
}

/* Puts a row, the numbers that stood in [from, to), into the table and its reference into the reduced text.
 */
static bool add_row(struct scanner *s, const char *from, const char *to, const struct numbers *row)
{
    if (!grow_table(s)) return false;
    struct json_scan *out = s->out;
    struct json reference;
    text_bytes(&out->reduced, s->copied, (size_t)(from - s->copied));
    json_init(&reference, &out->reduced);
    json_open(&reference, '[');
    json_size(&reference, out->count);
    json_close(&reference, ']');
    s->copied = to;
    out->spans[out->count] = (struct json_span){(size_t)(from - s->text), (size_t)(to - s->text)};
    out->table[out->count++] = *row;
    s->values++;
    return !out->reduced.failed;
}

/* The nest just read, its data beginning at `data`, as a row. */
static struct numbers nest_row(struct scanner *s, double *data)
{
    const struct nest *nest = &s->nest;
    struct numbers row = {.ragged = nest->ragged || nest->deepest > TENSOR_RANK_MAX};
    if (row.ragged) {
        s->data = data;
        return row;
    }
    row.tensor.data = data;
    row.tensor.size = (size_t)(s->data - data);
    row.tensor.shape.rank = nest->deepest;
    for (size_t i = 0; i < nest->deepest; i++)
        row.tensor.shape.dim[i] = nest->at[i + 1].dim;
    return row;
}

/* Where the next row's data begins: at a cache line, unless a crowd of tiny arrays has used up the room for
 * that (read_body says how much there is). */
static void align_data(struct scanner *s, const char *at)
{
    size_t past = (size_t)((uintptr_t)s->data / sizeof(double)) % ALIGN_DOUBLES;
    size_t skip = past > 0 ? ALIGN_DOUBLES - past : 0;
    size_t needed = (size_t)(s->end - at) / 2 + 1;
    if ((size_t)(s->data_end - s->data) >= needed + skip) s->data += skip;
}

/* Whether a value may begin at `at`, by what stands before it: each row costs much more memory than "[]" does, which
 * is not to be had without the commas that are counted. */
static bool value_fits(const struct scanner *s, const char *at)
{
    while (at > s->text && (at[-1] == ' ' || at[-1] == '\n' || at[-1] == '\t' || at[-1] == '\r'))
        at--;
    return at == s->text || at[-1] == ',' || at[-1] == ':' || at[-1] == '[';
}

/* '['. An array of numbers becomes a row; of another one the bracket is passed over. */
static enum json_scan_end read_array(struct scanner *s, const char **at)
{
    if (s->mixed_next < s->mixed_count && *at == s->mixed[s->mixed_next]) {
        s->mixed_next++;
        s->values++;
        s->depth++;
        ++*at;
        return JSON_SCAN_DONE;
    }
    const char *from = *at;
    if (!value_fits(s, from)) return JSON_SCAN_MALFORMED;
    align_data(s, from);
    double *data = s->data;
    switch (read_nest(s, at)) {
    case ATTEMPT_NUMBERS: {
        struct numbers row = nest_row(s, data);
        return add_row(s, from, *at, &row) ? JSON_SCAN_DONE : JSON_SCAN_NO_MEMORY;
    }
    case ATTEMPT_MIXED:
        /* Every array open at that point is mixed, and every one closed before holds only numbers: the second
         * reading of these bytes, from the outermost bracket, is therefore their last. */
        s->mixed_count = s->nest.level;
        s->mixed_next = 0;
        for (size_t i = 0; i < s->mixed_count; i++)
            s->mixed[i] = s->nest.at[i + 1].open;
        s->data = data;
        *at = from;
        return JSON_SCAN_DONE;
    case ATTEMPT_CANCELLED:
        return JSON_SCAN_CANCELLED;
    case ATTEMPT_MALFORMED:
        break;
    }
    return JSON_SCAN_MALFORMED;
}

/* Passes over a string, the quote being at `at`. What is wrong inside it is jansson's to say. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && ++at == end) break;
    return at < end ? at + 1 : end;
}

/* Whether the integer in [at, end) fits into jansson's. */
static bool fits_integer(const char *at, const char *end)
{
    bool negative = *at == '-';
    if (negative) at++;
    if (end - at < 19) return true;
    unsigned long long value = 0;
    for (; at < end; at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (unsigned)(*at - '0'), &value))
            return false;
    return value <= (unsigned long long)LLONG_MAX + (negative ? 1 : 0);
}

static bool is_integer(const char *at, const char *end)
{
    for (; at < end; at++)
        if (*at != '-' && !is_digit(*at)) return false;
    return true;
}

/* A number outside of arrays of numbers: a row of rank 0 where jansson could not hold it, else copied. */
static enum json_scan_end read_bare(struct scanner *s, const char **at)
{
    const char *from = *at;
    double value = 0;
    if (!value_fits(s, from)) return JSON_SCAN_MALFORMED;
    const char *behind = read_special(from, s->end, &value);
    if (behind == NULL) {
        behind = number_read(from, s->end, &value);
        /* Not to be stepped into: each of its bytes would begin a number as long as the rest. */
        if (behind == NULL) return JSON_SCAN_MALFORMED;
        *at = behind;
        if (is_integer(from, behind) ? fits_integer(from, behind) : isfinite(value)) return JSON_SCAN_DONE;
    }
    *at = behind;
    struct numbers row = {.tensor = {.size = 1, .data = s->data}};
    *s->data++ = value;
    return add_row(s, from, behind, &row) ? JSON_SCAN_DONE : JSON_SCAN_NO_MEMORY;
}

static enum json_scan_end read_body(struct scanner *s)
{
    const char *at = s->text;
    enum json_scan_end end = JSON_SCAN_DONE;
    while (at < s->end && end == JSON_SCAN_DONE) {
        const char *from = at;
        char c = *at;
        if (c == '"') {
            at = skip_string(at, s->end);
        } else if (c == '[') {
            end = read_array(s, &at);
        } else if (is_digit(c) || c == '-' || c == 'N' || c == 'I') {
            end = read_bare(s, &at);
        } else {
            if (c == '{' && s->depth++ >= LIMIT_DEPTH) end = JSON_SCAN_MALFORMED;
            if ((c == '}' || c == ']') && s->depth-- == 0) end = JSON_SCAN_MALFORMED;
            if (c == '{' || c == ',') s->values++;
            at++;
        }
        if (end == JSON_SCAN_DONE && is_cancelled(s, at)) end = JSON_SCAN_CANCELLED;
        if (end == JSON_SCAN_DONE && s->values > DOCUMENT_VALUES_MAX) {
            end = JSON_SCAN_TOO_MANY;
            at = from;
        }
    }
    s->out->stop = (size_t)(at - s->text);
    return end;
}

enum json_scan_end json_scan(struct arena *arena, const char *text, size_t length, const atomic_bool *cancelled,
                             struct json_scan *scan)
{
    *scan = (struct json_scan){0};
    text_init(&scan->reduced, arena);
    struct scanner s = {.arena = arena,
                        .text = text,
                        .end = text + length,
                        .copied = text,
                        .look = text,
                        .cancelled = cancelled,
                        .out = scan};

    /* An element takes two bytes at least, so that this is room for whatever may come, and nothing has to be
     * grown, counted or checked on the way. What stays untouched costs no memory, and is given back. */
    size_t room = length / 2 + 1 + ALIGN_SLACK;
    double *data = arena_doubles(arena, room);
    if (data == NULL) return JSON_SCAN_NO_MEMORY;
    s.data = data;
    s.data_end = data + room;
    enum json_scan_end end = read_body(&s);
    arena_trim(arena, data, room * sizeof *data, (size_t)(s.data - data) * sizeof *data);
    if (end == JSON_SCAN_DONE) text_bytes(&scan->reduced, s.copied, (size_t)(s.end - s.copied));
    return scan->reduced.failed ? JSON_SCAN_NO_MEMORY : end;
}

size_t json_scan_origin(const struct json_scan *scan, size_t reduced)
{
    size_t from = 0, origin = 0; /* a stretch that was copied: reduced[from...] is original[origin...] */
    size_t length = sizeof "[0]" - 1, longer_at = 10;
    for (size_t k = 0; k < scan->count; k++) {
        if (k == longer_at) {
            length++;
            longer_at *= 10;
        }
        size_t reference = from + (scan->spans[k].begin - origin);
        if (reduced <= reference) break;
        if (reduced < reference + length) return scan->spans[k].begin + 1;
        from = reference + length;
        origin = scan->spans[k].end;
    }
    return origin + (reduced - from);
}
