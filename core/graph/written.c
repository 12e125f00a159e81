#include "core/graph/written.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void written_begin(struct written_buffer *buffer)
{
    buffer->text[0] = '\0';
    buffer->length = 0;
    buffer->failed = false;
}

void written_add(struct written_buffer *buffer, const char *format, ...)
{
    size_t room = sizeof buffer->text - buffer->length;
    if (buffer->failed) return;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buffer->text + buffer->length, room, format, arguments);
    va_end(arguments);
    buffer->failed = length < 0 || (size_t)length >= room;
    if (!buffer->failed) buffer->length += (size_t)length;
}

void written_add_within(struct written_buffer *buffer, const struct written *what, enum written_level least)
{
    if (what->text == NULL)
        buffer->failed = true;
    else
        written_add(buffer, what->level < least ? "(%s)" : "%s", what->text);
}

/* The operator that begins there, and how many bytes it has; LEVEL_ATOM for what is none. A minus is one before a
 * number, or before anything that nothing stands in front of. */
static enum written_level operator_at(const char *at, bool behind, size_t *length)
{
    *length = 1;
    if (at[0] == '*' && at[1] == '*') {
        *length = 2;
        return LEVEL_POWER;
    }
    if (*at == '*' || *at == '/' || *at == '@' || *at == '%') return LEVEL_PRODUCT;
    if (*at == '+') return LEVEL_SUM;
    if (*at == '-') return behind ? LEVEL_SUM : LEVEL_SIGN;
    if (*at == '<' || *at == '>' || *at == '&' || ((*at == '=' || *at == '!') && at[1] == '=')) {
        *length = at[1] == '=' ? 2 : 1;
        return LEVEL_ANY;
    }
    return LEVEL_ATOM;
}

enum written_level written_level_of(const char *template)
{
    enum written_level level = LEVEL_ATOM;
    size_t depth = 0, length;
    bool behind = false; /* a value stands right before */
    for (const char *at = template; *at != '\0'; at += length) {
        length = 1;
        if (*at == '(' || *at == '[' || *at == '{') {
            depth++;
        } else if (*at == ')' || *at == ']' || *at == '}') {
            depth--;
            behind = true;
        } else if (depth == 0 && *at != ' ') {
            enum written_level here = operator_at(at, behind, &length);
            /* "1e-05" holds no operator */
            bool exponent = *at == '-' && at - template >= 2 && at[-1] == 'e' && isdigit((unsigned char)at[-2]);
            if (here < level && !exponent) level = here;
            behind = here == LEVEL_ATOM || exponent;
        }
    }
    return level;
}

/* How tightly something has to hold together to stand between what is around it: `from` is the template's begin, and
 * [open, close] the place with its braces. */
static enum written_level needed(const char *from, const char *open, const char *close)
{
    const char *before = open, *after = close + 1;
    while (before > from && before[-1] == ' ')
        before--;
    while (*after == ' ')
        after++;
    char b = before > from ? before[-1] : '\0', bb = before > from + 1 ? before[-2] : '\0';
    if (*after == '.' || *after == '[' || (after[0] == '*' && after[1] == '*')) return LEVEL_ATOM;
    if (b == '*' && bb == '*') return LEVEL_ATOM;
    /* What stands before an @ could do without, but is misread. */
    if (b == '*' || b == '/' || b == '@' || b == '%' || *after == '@') return LEVEL_SIGN;
    if (*after == '*' || *after == '/' || *after == '%' || b == '-') return LEVEL_PRODUCT;
    if (b == '+' || *after == '+' || *after == '-') return LEVEL_SUM;
    bool compared = b == '<' || b == '>' || (b == '=' && (bb == '=' || bb == '!' || bb == '<' || bb == '>')) ||
                    *after == '<' || *after == '>' || (after[0] != '\0' && after[1] == '=' && *after != ' ');
    return compared ? LEVEL_SUM : LEVEL_ANY;
}

/* Puts something shorter in place of what is the same: a vector that was made a column and is transposed is a row. */
static void flip(struct written_buffer *buffer, const char *from, const char *to)
{
    const size_t length = strlen(from), new_length = strlen(to);
    for (char *at = strstr(buffer->text, from); at != NULL; at = strstr(at, from)) {
        memcpy(at, to, new_length);
        memmove(at + new_length, at + length, strlen(at + length) + 1);
        buffer->length -= length - new_length;
        at += new_length;
    }
}

bool written_fill(const char *template, written_word word, void *context, struct written_buffer *buffer,
                  enum written_level *level)
{
    written_begin(buffer);
    *level = written_level_of(template);
    for (const char *at = template; *at != '\0' && !buffer->failed;) {
        size_t plain = strcspn(at, "{");
        written_add(buffer, "%.*s", (int)plain, at);
        at += plain;
        if (*at == '\0') break;
        const char *close = strchr(at, '}');
        if (close == NULL) return false;
        const struct written what = word(context, at + 1, (size_t)(close - at - 1));
        written_add_within(buffer, &what, needed(template, at, close));
        if (at == template && close[1] == '\0') *level = what.level; /* nothing but that */
        at = close + 1;
    }
    flip(buffer, ".T.T", "");
    flip(buffer, "[:, None].T", "[None]");
    return !buffer->failed;
}
