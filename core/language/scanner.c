#include "core/language/scanner.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct scanner {
    struct text_reader *reader;
    const char *at, *end;
    struct spot spot;
    struct token *tokens;
    size_t count, room;
    char brackets[LANGUAGE_LEVELS_MAX]; /* the closing ones that are awaited */
    struct spot opened[LANGUAGE_LEVELS_MAX];
    size_t bracket_count;
    size_t indents[LANGUAGE_LEVELS_MAX + 1];
    size_t indent_count;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char next_char(const struct scanner *s, size_t ahead)
{
    return (size_t)(s->end - s->at) > ahead ? s->at[ahead] : '\0';
}

static void advance(struct scanner *s, size_t bytes)
{
    s->at += bytes;
    s->spot.column += (unsigned)bytes;
}

static int add(struct scanner *s, enum token_kind kind, size_t length)
{
    size_t bytes = (size_t)(s->end - s->at), first = bytes < 1000 ? 8 + bytes / 4 : 256;
    struct token *tokens = arena_grow(s->reader->arena, s->tokens, s->count, &s->room, sizeof *tokens, first);
    if (tokens == NULL) return text_no_memory(s->reader);
    s->tokens = tokens;
    s->tokens[s->count++] = (struct token){.kind = kind, .spot = s->spot, .text = s->at, .length = length};
    advance(s, length);
    return CODE_OK;
}

/* ---- lines ---- */

static void skip_comment(struct scanner *s)
{
    while (s->at < s->end && *s->at != '\n')
        advance(s, 1);
}

static void next_line(struct scanner *s)
{
    s->at++;
    s->spot = (struct spot){s->spot.line + 1, 1};
}

/* At the beginning of a line: how far in it stands, a tab going on to the next multiple of eight. False where nothing
 * stands in it. */
static bool measure(struct scanner *s, size_t *width)
{
    *width = 0;
    for (; s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\f'); advance(s, 1))
        *width = *s->at == '\t' ? (*width / 8 + 1) * 8 : *width + 1;
    if (next_char(s, 0) == '#') skip_comment(s);
    return s->at < s->end && *s->at != '\n' && *s->at != '\r';
}

static int indent(struct scanner *s, size_t width)
{
    if (width > s->indents[s->indent_count - 1]) {
        if (s->indent_count > LANGUAGE_LEVELS_MAX)
            return text_fault(s->reader, s->spot, "more than %d blocks stand within each other", LANGUAGE_LEVELS_MAX);
        s->indents[s->indent_count++] = width;
        return add(s, TOKEN_INDENT, 0);
    }
    int code = CODE_OK;
    while (code == CODE_OK && width < s->indents[s->indent_count - 1]) {
        s->indent_count--;
        code = add(s, TOKEN_DEDENT, 0);
    }
    if (code == CODE_OK && width != s->indents[s->indent_count - 1])
        return text_fault(s->reader, s->spot, "this line stands as far in as none before it");
    return code;
}

/* ---- tokens ---- */

static int scan_number(struct scanner *s)
{
    char digits[64];
    size_t n = 0, length = 0;
    bool whole = true;
    while (
        is_digit(next_char(s, length)) || next_char(s, length) == '_' || next_char(s, length) == '.' ||
        ((next_char(s, length) == 'e' || next_char(s, length) == 'E') &&
         (is_digit(next_char(s, length + 1)) || ((next_char(s, length + 1) == '-' || next_char(s, length + 1) == '+') &&
                                                 is_digit(next_char(s, length + 2)))))) {
        char c = next_char(s, length++);
        whole = whole && (is_digit(c) || c == '_');
        if (c != '_' && n + 2 < sizeof digits) digits[n++] = c;
        if ((c == 'e' || c == 'E') && !is_digit(next_char(s, length))) {
            if (n + 2 < sizeof digits) digits[n++] = next_char(s, length);
            length++;
        }
    }
    digits[n] = '\0';
    char *end;
    double number = strtod(digits, &end);
    if (*end != '\0' || n + 2 >= sizeof digits || is_letter(next_char(s, length)))
        return text_fault(s->reader, s->spot, "\"%.*s\" is no number", (int)(length < 40 ? length + 1 : 40), s->at);
    int code = add(s, TOKEN_NUMBER, length);
    if (code != CODE_OK) return code;
    s->tokens[s->count - 1].number = number;
    s->tokens[s->count - 1].is_whole = whole;
    return CODE_OK;
}

/* The letter in front of a string: f, r or b; 0 where there is none. */
static char string_prefix(const struct scanner *s)
{
    char c = next_char(s, 0), quote = next_char(s, 1);
    if (quote != '"' && quote != '\'') return '\0';
    return c == 'f' || c == 'F' ? 'f' : c == 'r' || c == 'R' || c == 'b' || c == 'u' ? 'r' : '\0';
}

static int scan_string(struct scanner *s, enum token_kind kind)
{
    struct spot begin = s->spot;
    if (*s->at != '"' && *s->at != '\'') advance(s, 1);
    char quote = *s->at;
    bool triple = next_char(s, 1) == quote && next_char(s, 2) == quote;
    size_t marks = triple ? 3 : 1;
    advance(s, marks);
    const char *text = s->at;
    for (; s->at < s->end; advance(s, 1)) {
        bool ends = *s->at == quote && (!triple || (next_char(s, 1) == quote && next_char(s, 2) == quote));
        if (ends) break;
        if (*s->at == '\n' && !triple) break;
        if (*s->at == '\\' || (unsigned char)*s->at < ' ') {
            if (*s->at != '\n' && *s->at != '\r' && *s->at != '\t')
                return text_fault(s->reader, s->spot, "a string with this character is not understood");
            if (*s->at == '\n') s->spot = (struct spot){s->spot.line + 1, 0};
        }
    }
    if (s->at >= s->end || *s->at != quote) return text_fault(s->reader, begin, "this string has no end");
    size_t length = (size_t)(s->at - text);
    int code = add(s, kind, marks);
    if (code != CODE_OK) return code;
    s->tokens[s->count - 1].spot = begin;
    s->tokens[s->count - 1].text = text;
    s->tokens[s->count - 1].length = length;
    return CODE_OK;
}

/* The longest first. */
static const char *const operators[] = {"**=", "//=", "...", "**", "//", "<=", ">=", "==", "!=", "+=", "-=",
                                        "*=",  "/=",  "@=",  "%=", "&=", "|=", "->", "+",  "-",  "*",  "/",
                                        "%",   "@",   "(",   ")",  "[",  "]",  "{",  "}",  ",",  ":",  ".",
                                        "=",   "<",   ">",   "~",  "&",  "|",  "^",  NULL};

static int scan_bracket(struct scanner *s, char c)
{
    static const char opening[] = "([{", closing[] = ")]}";
    const char *opens = strchr(opening, c), *closes = strchr(closing, c);
    if (opens != NULL) {
        if (s->bracket_count == LANGUAGE_LEVELS_MAX)
            return text_fault(s->reader, s->spot, "more than %d brackets stand within each other", LANGUAGE_LEVELS_MAX);
        s->opened[s->bracket_count] = s->spot;
        s->brackets[s->bracket_count++] = closing[opens - opening];
    } else if (closes != NULL) {
        if (s->bracket_count == 0) return text_fault(s->reader, s->spot, "\"%c\" closes no bracket", c);
        if (s->brackets[--s->bracket_count] != c)
            return text_fault(s->reader, s->spot, "\"%c\" stands where \"%c\" would close the bracket of line %u", c,
                              s->brackets[s->bracket_count], s->opened[s->bracket_count].line);
    }
    return CODE_OK;
}

static int scan_operator(struct scanner *s)
{
    static const char alone[] = "+-*/%@()[]{},:.=<>~&|^", goes_on[] = "*/=.>";
    char c = *s->at, behind = next_char(s, 1);
    if (c != '\0' && strchr(alone, c) != NULL && (behind == '\0' || strchr(goes_on, behind) == NULL)) {
        int code = scan_bracket(s, c);
        return code == CODE_OK ? add(s, TOKEN_OPERATOR, 1) : code;
    }
    for (size_t i = 0; operators[i] != NULL; i++) {
        if (operators[i][0] != *s->at) continue;
        size_t length = strlen(operators[i]);
        if ((size_t)(s->end - s->at) < length || memcmp(s->at, operators[i], length) != 0) continue;
        int code = length == 1 ? scan_bracket(s, *s->at) : CODE_OK;
        return code == CODE_OK ? add(s, TOKEN_OPERATOR, length) : code;
    }
    if (*s->at > ' ' && *s->at < 0x7f)
        return text_fault(s->reader, s->spot, "\"%c\" means nothing in a program", *s->at);
    return text_fault(s->reader, s->spot, "the byte 0x%02x means nothing in a program", (unsigned char)*s->at);
}

static int scan_token(struct scanner *s)
{
    char c = *s->at;
    if (string_prefix(s) != '\0') return scan_string(s, string_prefix(s) == 'f' ? TOKEN_FORMAT : TOKEN_STRING);
    if (is_letter(c)) {
        size_t length = 1;
        while (is_letter(next_char(s, length)) || is_digit(next_char(s, length)))
            length++;
        return add(s, TOKEN_NAME, length);
    }
    if (is_digit(c) || (c == '.' && is_digit(next_char(s, 1)))) return scan_number(s);
    if (c == '"' || c == '\'') return scan_string(s, TOKEN_STRING);
    return scan_operator(s);
}

/* The rest of a line; of several, where a bracket is open or a backslash ends it. */
static int scan_line(struct scanner *s)
{
    int code = CODE_OK;
    while (code == CODE_OK && s->at < s->end) {
        char c = *s->at;
        if (c == '\n' && s->bracket_count == 0) break;
        if (c == '\n') {
            next_line(s);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
            advance(s, 1);
        } else if (c == '#') {
            skip_comment(s);
        } else if (c == '\\' && (next_char(s, 1) == '\n' || (next_char(s, 1) == '\r' && next_char(s, 2) == '\n'))) {
            advance(s, next_char(s, 1) == '\r' ? 2 : 1);
            next_line(s);
        } else if (c == ';') {
            code = add(s, TOKEN_NEWLINE, 1);
        } else {
            code = scan_token(s);
        }
    }
    return code == CODE_OK ? add(s, TOKEN_NEWLINE, 0) : code;
}

int scanner_read(struct text_reader *reader, const char *text, size_t length, struct token **tokens)
{
    struct scanner s = {
        .reader = reader, .at = text, .end = text + length, .spot = {1, 1}, .indents = {0}, .indent_count = 1};
    static const char mark[] = "\xEF\xBB\xBF"; /* what some editors put before a file */
    int code = CODE_OK;
    if (length >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) s.at += sizeof mark - 1;
    while (code == CODE_OK && s.at < s.end) {
        size_t width;
        if (measure(&s, &width)) {
            code = indent(&s, width);
            if (code == CODE_OK) code = scan_line(&s);
        }
        while (s.at < s.end && *s.at == '\r')
            advance(&s, 1);
        if (code == CODE_OK && s.at < s.end && *s.at == '\n') next_line(&s);
    }
    if (code == CODE_OK && s.bracket_count > 0)
        code = text_fault(reader, s.opened[s.bracket_count - 1], "this bracket is never closed");
    if (code == CODE_OK) code = indent(&s, 0);
    if (code == CODE_OK) code = add(&s, TOKEN_END, 0);
    *tokens = s.tokens;
    return code;
}
