#include "server/body/form.h"

#include <string.h>

#include "server/limits.h"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes [from, end) to `to`; where that ends. A percent sign without two digits behind it stands for itself. */
static char *decode(const char *from, const char *end, char *to)
{
    while (from < end) {
        int high = *from == '%' && end - from > 2 ? digit_of(from[1]) : -1;
        int low = high >= 0 ? digit_of(from[2]) : -1;
        if (low >= 0) {
            *to++ = (char)(16 * high + low);
            from += 3;
        } else {
            *to++ = *from == '+' ? ' ' : *from;
            from++;
        }
    }
    return to;
}

static size_t count_fields(const char *at, const char *end)
{
    size_t count = 1;
    while ((at = memchr(at, '&', (size_t)(end - at))) != NULL) {
        at++;
        count++;
    }
    return count;
}

/* What a form can begin with, but hardly does: its sender has not said that it is JSON. */
static bool looks_like_json(const char *bytes, size_t length)
{
    size_t space = 0;
    while (space < length && memchr(" \t\n\r", bytes[space], 4) != NULL)
        space++;
    return space < length && (bytes[space] == '{' || bytes[space] == '[');
}

static size_t split(const char *bytes, const char *end, char *text, struct part *parts)
{
    size_t count = 0;
    for (const char *at = bytes; at < end; at++) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        if (stop == NULL) stop = end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        if (stop > at) {
            struct part *part = &parts[count++];
            char *value = decode(at, equals != NULL ? equals : stop, text);
            part->name = text;
            part->name_length = (size_t)(value - text);
            text = equals != NULL ? decode(equals + 1, stop, value) : value;
            part->bytes = value;
            part->length = (size_t)(text - value);
        }
        at = stop;
    }
    return count;
}

int form_read(struct reading *r, const char *content_type, const char *bytes, size_t length)
{
    (void)content_type;
    if (length == 0) return error_set(r->error, CODE_MISSING_MEMBER, "The form has no field called request.");
    if (looks_like_json(bytes, length))
        return error_set(
            r->error, CODE_UNSUPPORTED_MEDIA_TYPE,
            "The body is JSON, but the request says it is a form, as curl -d does: use curl --json, or add "
            "-H 'Content-Type: application/json'.");
    size_t fields = count_fields(bytes, bytes + length);
    if (fields > LIMIT_PARTS) return error_set(r->error, CODE_BAD_REQUEST, "The form has too many fields.");
    struct part *parts = arena_array(r->arena, fields, sizeof *parts);
    /* At an address for doubles, which files may hold. */
    char *text = (char *)arena_doubles(r->arena, length / sizeof(double) + 1);
    if (parts == NULL || text == NULL) return reading_out_of_memory(r);
    return parts_read(r, parts, split(bytes, bytes + length, text, parts));
}
