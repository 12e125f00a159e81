#include "server/text/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/text/number.h"

enum { CAPACITY_FIRST = 2048, FORMAT_ORDINARY = 128, NUMBERS_AT_ONCE = 512 };

void text_init(struct text *text, struct arena *arena)
{
    *text = (struct text){.arena = arena};
}

/* Where `more` bytes may be written; NULL when memory is short. */
static char *reserve(struct text *text, size_t more)
{
    if (text->failed) return NULL;
    if (more <= text->capacity - text->length) return text->data + text->length;
    size_t capacity;
    if (__builtin_add_overflow(text->length, more, &capacity)) capacity = SIZE_MAX;
    if (capacity < 2 * text->capacity) capacity = 2 * text->capacity;
    if (capacity < CAPACITY_FIRST) capacity = CAPACITY_FIRST;
    char *data = arena_alloc(text->arena, capacity);
    if (data == NULL) {
        text->failed = true;
        return NULL;
    }
    if (text->length > 0) memcpy(data, text->data, text->length);
    text->data = data;
    text->capacity = capacity;
    return data + text->length;
}

void text_bytes(struct text *text, const char *bytes, size_t length)
{
    if (length == 0) return;
    char *to = reserve(text, length);
    if (to == NULL) return;
    memcpy(to, bytes, length);
    text->length += length;
}

void text_add(struct text *text, const char *string)
{
    text_bytes(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
    size_t room = FORMAT_ORDINARY;
    for (int attempt = 0; attempt < 2; attempt++) {
        char *to = reserve(text, room);
        if (to == NULL) return;
        va_list arguments;
        va_start(arguments, format);
        int length = vsnprintf(to, room, format, arguments);
        va_end(arguments);
        if (length < 0) {
            text->failed = true;
            return;
        }
        if ((size_t)length < room) {
            text->length += (size_t)length;
            return;
        }
        room = (size_t)length + 1;
    }
}

size_t text_utf8(const char *at, const char *end)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t room = (size_t)(end - at);
    if (room == 0) return 0;
    if (byte[0] < 0x80) return 1;
    if (byte[0] < 0xC2 || byte[0] > 0xF4) return 0;
    size_t length = byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4;
    if (room < length) return 0;
    for (size_t i = 1; i < length; i++)
        if ((byte[i] & 0xC0) != 0x80) return 0;
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if (byte[0] == 0xE0 && byte[1] < 0xA0) return 0;
    if (byte[0] == 0xED && byte[1] > 0x9F) return 0;
    if (byte[0] == 0xF0 && byte[1] < 0x90) return 0;
    if (byte[0] == 0xF4 && byte[1] > 0x8F) return 0;
    return length;
}

/* What would steer a terminal or turn the line around: control characters, and Unicode's marks of direction; and what
 * is no character, U+FFFE and U+FFFF. */
static bool steers(const char *at, size_t length)
{
    unsigned char a = (unsigned char)at[0], b = length > 1 ? (unsigned char)at[1] : 0,
                  c = length > 2 ? (unsigned char)at[2] : 0;
    if (length <= 1) return length == 0 || a < 0x20 || a == 0x7F;
    if (length == 2) return (a == 0xC2 && b < 0xA0) || (a == 0xD8 && b == 0x9C);
    if (length == 3 && a == 0xEF) return b == 0xBF && c >= 0xBE;
    if (length != 3 || a != 0xE2) return false;
    return (b == 0x80 && ((c >= 0x8B && c <= 0x8F) || (c >= 0xA8 && c <= 0xAE))) ||
           (b == 0x81 && c >= 0xA0 && c <= 0xAF);
}

void text_shown(struct text *text, const char *string)
{
    const char *end = string + strlen(string);
    for (const char *at = string; at < end;) {
        size_t length = text_utf8(at, end);
        if (steers(at, length))
            text_add(text, "?");
        else
            text_bytes(text, at, length);
        at += length > 0 ? length : 1;
    }
}

/* What XML 1.0 has no place for: control characters but tab, line feed and carriage return, U+FFFE and U+FFFF. */
static bool outside_xml(const char *at, size_t length)
{
    unsigned char first = (unsigned char)at[0];
    if (length <= 1) return length == 0 || (first < 0x20 && first != '\t' && first != '\n' && first != '\r');
    return length == 3 && first == 0xEF && at[1] == (char)0xBF && (unsigned char)at[2] >= 0xBE;
}

static const char *reference_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void text_markup(struct text *text, const char *string)
{
    const char *end = string + strlen(string);
    for (const char *at = string; at < end;) {
        size_t length = text_utf8(at, end);
        const char *reference = reference_of(*at);
        if (reference != NULL)
            text_add(text, reference);
        else if (outside_xml(at, length))
            text_add(text, "?");
        else
            text_bytes(text, at, length);
        at += length > 0 ? length : 1;
    }
}

/* ---- JSON ---- */

void json_init(struct json *json, struct text *text)
{
    *json = (struct json){.text = text};
}

/* Whether a comma has to stand before a value or a key. */
static bool needs_comma(struct json *json)
{
    bool comma = !json->after_key && json->filled[json->depth];
    json->after_key = false;
    json->filled[json->depth] = true;
    return comma;
}

/* Where a value of at most so many bytes may be written, behind a comma where one has to stand; NULL when memory is
 * short. */
static char *begin_value(struct json *json, size_t room)
{
    bool comma = needs_comma(json);
    char *to = reserve(json->text, room + 1);
    if (to != NULL && comma) *to++ = ',';
    return to;
}

static void end_at(struct text *text, const char *to)
{
    text->length = (size_t)(to - text->data);
}

void json_open(struct json *json, char bracket)
{
    char *to = begin_value(json, 1);
    if (to == NULL) return;
    *to = bracket;
    end_at(json->text, to + 1);
    if (json->depth + 1 >= JSON_DEPTH_MAX) {
        json->text->failed = true; /* no answer of ours is that deep; better none than a broken one */
        return;
    }
    json->filled[++json->depth] = false;
}

void json_close(struct json *json, char bracket)
{
    char *to = reserve(json->text, 1);
    if (to == NULL) return;
    *to = bracket;
    json->text->length++;
    if (json->depth > 0) json->depth--;
}

/* Bytes that may stand in a string as they are: ASCII but for control characters, '"' and '\'. */
static bool plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static void add_escaped(struct text *text, unsigned char c)
{
    static const char letters[] = "btn\0fr"; /* for 8 to 13 */
    if (c == '"' || c == '\\')
        text_bytes(text, (char[]){'\\', (char)c}, 2);
    else if (c >= 8 && c <= 13 && c != 11)
        text_bytes(text, (char[]){'\\', letters[c - 8]}, 2);
    else
        text_format(text, "\\u%04x", (unsigned)c);
}

/* Whether one of eight bytes is not plain: the highest bit of a byte is set where it is that, or less than the limit,
 * or equal to one of the two. */
static bool has_special(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
    uint64_t quote = word ^ '"' * ones, slash = word ^ '\\' * ones;
    return ((word | (word - 0x20 * ones) | (quote - ones) | (slash - ones)) & high) != 0;
}

/* Copies bytes, eight at once, the last of them in part a second time; false where one of them is not plain. */
static bool copy_plain(char *to, const char *from, size_t length)
{
    uint64_t word = 0;
    if (length < sizeof word) {
        uint32_t halves[2];
        if (length < sizeof *halves) {
            bool all = true;
            for (size_t i = 0; i < length; i++) {
                to[i] = from[i];
                all = all && plain(from[i]);
            }
            return all;
        }
        memcpy(&halves[0], from, sizeof *halves);
        memcpy(&halves[1], from + length - sizeof *halves, sizeof *halves);
        memcpy(&word, halves, sizeof word);
        memcpy(to, &halves[0], sizeof *halves);
        memcpy(to + length - sizeof *halves, &halves[1], sizeof *halves);
        return !has_special(word);
    }
    bool special = false;
    for (size_t i = 0; i + sizeof word <= length; i += sizeof word) {
        memcpy(&word, from + i, sizeof word);
        memcpy(to + i, &word, sizeof word);
        special |= has_special(word);
    }
    memcpy(&word, from + length - sizeof word, sizeof word);
    memcpy(to + length - sizeof word, &word, sizeof word);
    return !(special | has_special(word));
}

/* Most strings need no escapes: then all of it at once, with what stands before and behind it. */
static bool add_plain(struct text *text, bool comma, const char *bytes, size_t length, bool colon)
{
    char *to = reserve(text, length + 4);
    if (to == NULL) return true;
    if (comma) *to++ = ',';
    *to++ = '"';
    if (!copy_plain(to, bytes, length)) return false;
    to += length;
    *to++ = '"';
    if (colon) *to++ = ':';
    end_at(text, to);
    return true;
}

static void add_quoted(struct text *text, const char *bytes, size_t length)
{
    const char *at = bytes, *end = bytes + length;
    text_bytes(text, "\"", 1);
    while (at < end) {
        const char *from = at;
        while (at < end && plain(*at))
            at++;
        text_bytes(text, from, (size_t)(at - from));
        if (at == end) break;
        size_t sequence = text_utf8(at, end);
        if (sequence > 1)
            text_bytes(text, at, sequence);
        else if (sequence == 1)
            add_escaped(text, (unsigned char)*at);
        else
            text_add(text, "\xEF\xBF\xBD");
        at += sequence > 0 ? sequence : 1;
    }
    text_bytes(text, "\"", 1);
}

void json_key_bytes(struct json *json, const char *name, size_t length)
{
    bool comma = needs_comma(json);
    json->after_key = true;
    if (add_plain(json->text, comma, name, length, true)) return;
    if (comma) text_bytes(json->text, ",", 1);
    add_quoted(json->text, name, length);
    text_bytes(json->text, ":", 1);
}

void json_text_bytes(struct json *json, const char *bytes, size_t length)
{
    bool comma = needs_comma(json);
    if (add_plain(json->text, comma, bytes, length, false)) return;
    if (comma) text_bytes(json->text, ",", 1);
    add_quoted(json->text, bytes, length);
}

/* Writes a number, or null, at `to`, where NUMBER_TEXT_MAX bytes are free. Returns the length. */
static size_t put_number(double value, char *to)
{
    if (isfinite(value)) return number_write(value, to);
    memcpy(to, "null", 4);
    return 4;
}

void text_number(struct text *text, double value)
{
    char number[NUMBER_TEXT_MAX];
    text_bytes(text, number, put_number(value, number));
}

void json_number(struct json *json, double value)
{
    char *to = begin_value(json, NUMBER_TEXT_MAX);
    if (to != NULL) end_at(json->text, to + put_number(value, to));
}

void json_size(struct json *json, size_t value)
{
    char digits[24], *at = digits + sizeof digits, *to = begin_value(json, sizeof digits);
    do
        *--at = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    if (to == NULL) return;
    while (at < digits + sizeof digits)
        *to++ = *at++;
    end_at(json->text, to);
}

static void add_word(struct json *json, const char *word, size_t length)
{
    char *to = begin_value(json, length);
    if (to == NULL) return;
    memcpy(to, word, length);
    end_at(json->text, to + length);
}

void json_bool(struct json *json, bool value)
{
    if (value)
        add_word(json, "true", 4);
    else
        add_word(json, "false", 5);
}

void json_nothing(struct json *json)
{
    add_word(json, "null", 4);
}

/* "[1,2,3]". Room is taken for many numbers at once. */
static void add_row(struct text *text, const double *data, size_t count)
{
    text_bytes(text, "[", 1);
    for (size_t i = 0; i < count;) {
        size_t stop = count - i < NUMBERS_AT_ONCE ? count : i + NUMBERS_AT_ONCE;
        char *start = reserve(text, (stop - i) * (NUMBER_TEXT_MAX + 1));
        if (start == NULL) return;
        char *to = start;
        for (; i < stop; i++) {
            if (i > 0) *to++ = ',';
            to += put_number(data[i], to);
        }
        text->length += (size_t)(to - start);
    }
    text_bytes(text, "]", 1);
}

/* Writes data of that shape, rank >= 1; returns what lies behind it. */
static const double *add_rows(struct text *text, size_t rank, const size_t *dim, const double *data)
{
    if (rank == 1) {
        add_row(text, data, dim[0]);
        return data + dim[0];
    }
    text_bytes(text, "[", 1);
    for (size_t i = 0; i < dim[0] && !text->failed; i++) {
        if (i > 0) text_bytes(text, ",", 1);
        data = add_rows(text, rank - 1, dim + 1, data);
    }
    text_bytes(text, "]", 1);
    return data;
}

void json_tensor(struct json *json, size_t rank, const size_t *dim, const double *data)
{
    if (rank == 0) {
        json_number(json, data[0]);
        return;
    }
    char *to = begin_value(json, 0);
    if (to == NULL) return;
    end_at(json->text, to);
    add_rows(json->text, rank, dim, data);
}
