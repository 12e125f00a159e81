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

static void separate(struct json *json)
{
    if (needs_comma(json)) text_bytes(json->text, ",", 1);
}

void json_open(struct json *json, char bracket)
{
    separate(json);
    text_bytes(json->text, &bracket, 1);
    if (json->depth + 1 >= JSON_DEPTH_MAX) {
        json->text->failed = true; /* no answer of ours is that deep; better none than a broken one */
        return;
    }
    json->filled[++json->depth] = false;
}

void json_close(struct json *json, char bracket)
{
    text_bytes(json->text, &bracket, 1);
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

/* Most strings need no escapes: then all of it at once, with what stands before and behind it. */
static bool add_plain(struct text *text, bool comma, const char *bytes, size_t length, bool colon)
{
    for (size_t i = 0; i < length; i++)
        if (!plain(bytes[i])) return false;
    char *to = reserve(text, length + 4);
    if (to == NULL) return true;
    char *begin = to;
    if (comma) *to++ = ',';
    *to++ = '"';
    if (length > 0) memcpy(to, bytes, length);
    to += length;
    *to++ = '"';
    if (colon) *to++ = ':';
    text->length += (size_t)(to - begin);
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

void json_key(struct json *json, const char *name)
{
    bool comma = needs_comma(json);
    size_t length = strlen(name);
    json->after_key = true;
    if (add_plain(json->text, comma, name, length, true)) return;
    if (comma) text_bytes(json->text, ",", 1);
    add_quoted(json->text, name, length);
    text_bytes(json->text, ":", 1);
}

void json_text(struct json *json, const char *string)
{
    json_text_bytes(json, string, strlen(string));
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
    separate(json);
    text_number(json->text, value);
}

void json_size(struct json *json, size_t value)
{
    separate(json);
    char digits[24], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    text_bytes(json->text, at, (size_t)(digits + sizeof digits - at));
}

void json_bool(struct json *json, bool value)
{
    separate(json);
    text_add(json->text, value ? "true" : "false");
}

void json_nothing(struct json *json)
{
    separate(json);
    text_add(json->text, "null");
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
    separate(json);
    add_rows(json->text, rank, dim, data);
}

void json_member_text(struct json *json, const char *name, const char *value)
{
    json_key(json, name);
    json_text(json, value);
}

void json_member_number(struct json *json, const char *name, double value)
{
    json_key(json, name);
    json_number(json, value);
}

void json_member_size(struct json *json, const char *name, size_t value)
{
    json_key(json, name);
    json_size(json, value);
}

void json_member_bool(struct json *json, const char *name, bool value)
{
    json_key(json, name);
    json_bool(json, value);
}

void json_member_nothing(struct json *json, const char *name)
{
    json_key(json, name);
    json_nothing(json);
}
