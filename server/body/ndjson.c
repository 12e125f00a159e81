#include "server/body/ndjson.h"

#include <string.h>

/* ---- lines ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool ndjson_next(const char **at, const char *end, size_t *number, struct ndjson_line *line)
{
    while (*at < end) {
        const char *begin = *at, *stop = memchr(begin, '\n', (size_t)(end - begin));
        if (stop == NULL) stop = end;
        *at = stop < end ? stop + 1 : end;
        ++*number;
        while (stop > begin && is_space(stop[-1]))
            stop--;
        while (begin < stop && is_space(*begin))
            begin++;
        *line = (struct ndjson_line){.text = begin, .length = (size_t)(stop - begin), .number = *number};
        if (begin < stop) return true;
    }
    return false;
}

/* ---- members ---- */

struct text_scan {
    const char *at, *end;
};

static void skip_space(struct text_scan *s)
{
    while (s->at < s->end && is_space(*s->at))
        s->at++;
}

static bool take(struct text_scan *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

/* Behind the quotes that end a string, from behind those that begin it; *escapes: whether it has any. */
static bool skip_string(struct text_scan *s, bool *escapes)
{
    *escapes = false;
    while (s->at < s->end && *s->at != '"') {
        *escapes = *escapes || *s->at == '\\';
        s->at += *s->at == '\\' && s->end - s->at > 1 ? 2 : 1;
    }
    if (s->at == s->end) return false;
    s->at++;
    return true;
}

/* Most of a line is digits: what is none of these is passed over. */
static const bool is_structure[256] = {
    ['"'] = true, [','] = true, ['['] = true, [']'] = true, ['{'] = true, ['}'] = true};

/* Behind a value: what is in brackets as a whole, anything else up to the next comma or bracket. */
static bool skip_value(struct text_scan *s)
{
    size_t depth = 0;
    bool escapes;
    skip_space(s);
    const char *begin = s->at;
    for (;;) {
        const char *at = s->at;
        while (at < s->end && !is_structure[(unsigned char)*at])
            at++;
        s->at = at;
        if (at == s->end) break;
        char c = *at;
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
        s->at++;
        if (c == '"' && !skip_string(s, &escapes)) return false;
        if (c == '[' || c == '{') depth++;
        if (c == ']' || c == '}') depth--;
    }
    return depth == 0 && s->at > begin;
}

bool ndjson_members(const char *text, size_t length, struct ndjson_member members[NDJSON_MEMBERS_MAX], size_t *count)
{
    struct text_scan s = {.at = text, .end = text + length};
    bool escapes;
    *count = 0;
    if (!take(&s, '{')) return false;
    if (take(&s, '}')) return s.at == s.end;
    do {
        if (*count == NDJSON_MEMBERS_MAX || !take(&s, '"')) return false;
        struct ndjson_member *member = &members[*count];
        member->name = s.at;
        if (!skip_string(&s, &escapes) || escapes) return false;
        member->name_length = (size_t)(s.at - 1 - member->name);
        if (!take(&s, ':')) return false;
        skip_space(&s);
        member->value = s.at;
        if (!skip_value(&s)) return false;
        const char *stop = s.at;
        while (stop > member->value && is_space(stop[-1]))
            stop--;
        member->value_length = (size_t)(stop - member->value);
        ++*count;
    } while (take(&s, ','));
    bool closed = take(&s, '}');
    skip_space(&s);
    return closed && s.at == s.end;
}

bool ndjson_is(const struct ndjson_member *member, const char *name)
{
    return member->name_length == strlen(name) && memcmp(member->name, name, member->name_length) == 0;
}

const struct ndjson_member *ndjson_find(const struct ndjson_member *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (ndjson_is(&members[i], name)) return &members[i];
    return NULL;
}
