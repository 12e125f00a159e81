#include "server/body/multipart.h"

#include <string.h>
#include <strings.h>

#include "server/limits.h"

/* "--" and a boundary, of 70 characters at most (RFC 2046, 5.1.1). */
enum { BOUNDARY_MAX = 70, DELIMITER_MAX = 4 + BOUNDARY_MAX, PARTS_FIRST = 8 };

struct span {
    const char *at, *end;
};

static int broken(struct reading *r, const char *what)
{
    return error_set(r->error, CODE_BAD_REQUEST, "The body is no multipart/form-data: %s.", what);
}

/* ---- parameters of a header: ; name=value; name="value" ---- */

static void skip_space(struct span *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
        s->at++;
}

/* The value at the span's beginning, in quotes or up to the next semicolon, and the span moved behind it. Inside of
 * quotes a backslash quotes one of these or itself. */
static bool take_value(struct arena *arena, struct span *s, const char **value, size_t *length)
{
    skip_space(s);
    const char *from = s->at;
    if (from == s->end || *from != '"') {
        while (s->at < s->end && *s->at != ';')
            s->at++;
        const char *to = s->at;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        *value = from;
        *length = (size_t)(to - from);
        return true;
    }
    char *copy = arena_alloc(arena, (size_t)(s->end - from));
    *length = 0;
    if (copy == NULL) return false;
    *value = copy;
    for (s->at++; s->at < s->end && *s->at != '"'; s->at++) {
        if (*s->at == '\\' && s->end - s->at > 1 && (s->at[1] == '"' || s->at[1] == '\\')) s->at++;
        copy[(*length)++] = *s->at;
    }
    if (s->at < s->end) s->at++;
    return true;
}

/* The parameter of that name behind the first semicolon; *value is NULL where there is none. False where memory is
 * short. */
static bool find_parameter(struct arena *arena, struct span s, const char *name, const char **value, size_t *length)
{
    size_t name_length = strlen(name);
    *value = NULL;
    while ((s.at = memchr(s.at, ';', (size_t)(s.end - s.at))) != NULL) {
        s.at++;
        skip_space(&s);
        const char *key = s.at;
        while (s.at < s.end && *s.at != '=' && *s.at != ';')
            s.at++;
        if (s.at == s.end || *s.at == ';') continue;
        bool wanted = (size_t)(s.at - key) == name_length && strncasecmp(key, name, name_length) == 0;
        const char *found;
        size_t found_length;
        s.at++;
        if (!take_value(arena, &s, &found, &found_length)) return false;
        if (!wanted) continue;
        *value = found;
        *length = found_length;
        return true;
    }
    return true;
}

/* ---- a part ---- */

static bool is_header(const struct span *line, const char *name, struct span *value)
{
    size_t length = strlen(name);
    if ((size_t)(line->end - line->at) <= length || strncasecmp(line->at, name, length) != 0 || line->at[length] != ':')
        return false;
    *value = (struct span){line->at + length + 1, line->end};
    skip_space(value);
    return true;
}

static bool is_word(const struct span *value, const char *word)
{
    size_t length = strlen(word), left = (size_t)(value->end - value->at);
    return left >= length && strncasecmp(value->at, word, length) == 0 &&
           (left == length || strchr(" \t;", value->at[length]) != NULL);
}

static int read_header(struct reading *r, const struct span *line, struct part *part)
{
    struct span value;
    if (is_header(line, "Content-Transfer-Encoding", &value) && !is_word(&value, "binary") &&
        !is_word(&value, "8bit") && !is_word(&value, "7bit"))
        return broken(r, "a part has a Content-Transfer-Encoding, which such bodies do not know");
    if (!is_header(line, "Content-Disposition", &value)) return CODE_OK;
    if (!is_word(&value, "form-data") || part->name != NULL)
        return broken(r, "a part is not said to be form-data, once");
    return find_parameter(r->arena, value, "name", &part->name, &part->name_length) ? CODE_OK
                                                                                    : reading_out_of_memory(r);
}

/* The headers of a part, up to the empty line; *at is moved behind it. */
static int read_headers(struct reading *r, const char **at, const char *end, struct part *part)
{
    *part = (struct part){0};
    if ((size_t)(end - *at) > LIMIT_PART_HEADERS) end = *at + LIMIT_PART_HEADERS;
    for (;;) {
        const char *stop = memmem(*at, (size_t)(end - *at), "\r\n", 2);
        if (stop == NULL) return broken(r, "the headers of a part do not end, or are too long");
        const struct span line = {*at, stop};
        *at = stop + 2;
        if (line.at == line.end) break;
        if (read_header(r, &line, part) != CODE_OK) return r->error->code;
    }
    if (part->name == NULL || part->name_length == 0) return broken(r, "a part has no name");
    return CODE_OK;
}

/* ---- all of them ---- */

/* "\r\n--boundary" */
static int read_boundary(struct reading *r, const char *content_type, char delimiter[DELIMITER_MAX], size_t *length)
{
    const char *boundary = NULL;
    size_t size = 0;
    const struct span header = {content_type, content_type + strlen(content_type)};
    if (!find_parameter(r->arena, header, "boundary", &boundary, &size)) return reading_out_of_memory(r);
    if (boundary == NULL || size == 0 || size > BOUNDARY_MAX)
        return broken(r, "its Content-Type has no boundary of 1 to 70 characters");
    memcpy(delimiter, "\r\n--", 4);
    memcpy(delimiter + 4, boundary, size);
    *length = 4 + size;
    return CODE_OK;
}

static int add_part(struct reading *r, const struct part *part, struct part **parts, size_t *count, size_t *capacity)
{
    if (*count == LIMIT_PARTS) return broken(r, "it has too many parts");
    if (*count == *capacity) {
        *capacity = *capacity > 0 ? 2 * *capacity : PARTS_FIRST;
        struct part *more = arena_array(r->arena, *capacity, sizeof *more);
        if (more == NULL) return reading_out_of_memory(r);
        if (*count > 0) memcpy(more, *parts, *count * sizeof *more);
        *parts = more;
    }
    (*parts)[(*count)++] = *part;
    return CODE_OK;
}

/* Behind a delimiter: whether it was the last one, or the line break behind it, which *at is moved over. */
static int end_delimiter(struct reading *r, const char **at, const char *end, bool *last)
{
    struct span rest = {*at, end};
    *last = end - rest.at >= 2 && rest.at[0] == '-' && rest.at[1] == '-';
    if (*last) return CODE_OK;
    skip_space(&rest);
    if (rest.end - rest.at < 2 || rest.at[0] != '\r' || rest.at[1] != '\n')
        return broken(r, "it breaks off, or something stands behind a boundary");
    *at = rest.at + 2;
    return CODE_OK;
}

int multipart_split(struct reading *r, const char *content_type, const char *bytes, size_t length, struct part **parts,
                    size_t *count)
{
    char delimiter[DELIMITER_MAX];
    size_t size = 0, capacity = 0;
    bool last;
    *parts = NULL;
    *count = 0;
    if (read_boundary(r, content_type, delimiter, &size) != CODE_OK) return r->error->code;
    /* The first delimiter may stand at the very beginning, without the line break before it. */
    const char *at = bytes, *end = bytes + length;
    if (length >= size - 2 && memcmp(at, delimiter + 2, size - 2) == 0) {
        at += size - 2;
    } else {
        at = length > 0 ? memmem(at, length, delimiter, size) : NULL;
        if (at == NULL) return broken(r, "its boundary is nowhere in it");
        at += size;
    }
    for (;;) {
        struct part part;
        if (reading_look(r) != CODE_OK || end_delimiter(r, &at, end, &last) != CODE_OK) return r->error->code;
        if (last) return CODE_OK;
        if (read_headers(r, &at, end, &part) != CODE_OK) return r->error->code;
        /* The line break before a delimiter is the delimiter's: of an empty part it is the one behind the headers. */
        const char *stop = memmem(at - 2, (size_t)(end - at) + 2, delimiter, size);
        if (stop == NULL) return broken(r, "it breaks off before its last boundary");
        part.bytes = at;
        part.length = stop > at ? (size_t)(stop - at) : 0;
        at = stop + size;
        if (add_part(r, &part, parts, count, &capacity) != CODE_OK) return r->error->code;
    }
}

int multipart_read(struct reading *r, const char *content_type, const char *bytes, size_t length)
{
    struct part *parts;
    size_t count;
    if (multipart_split(r, content_type, bytes, length, &parts, &count) != CODE_OK) return r->error->code;
    return parts_read(r, parts, count);
}
