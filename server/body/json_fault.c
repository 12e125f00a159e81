#include "server/body/json_fault.h"

#include <stdio.h>
#include <string.h>

#include "server/text/text.h"

enum { QUOTE_MAX = 24, KEY_MAX = ERROR_NAMES_MAX + 8 };

enum expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* behind '[' */
    EXPECT_KEY,
    EXPECT_KEY_OR_END, /* behind '{' */
    EXPECT_COLON,
    EXPECT_COMMA, /* or the end of what is open */
    EXPECT_NOTHING
};

struct walk {
    const char *text, *at, *end;
    struct json_fault *place;
    enum expect expect;
};

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static bool is_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 || c == '_';
}

/* What people write where a number or a word should stand. */
static bool is_wordy(char c)
{
    return is_digit(c) || is_letter(c) || c == '+' || c == '-' || c == '.';
}

/* Sets the fault, at w->at. Returns false for its callers to return. */
__attribute__((format(printf, 2, 3))) static bool fault(struct walk *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(w->place->fault, sizeof w->place->fault, format, arguments);
    va_end(arguments);
    w->place->offset = (size_t)(w->at - w->text);
    return false;
}

static struct json_step *top(struct walk *w)
{
    return &w->place->path[w->place->depth - 1];
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (is_digit(c)) return c - '0';
    char letter = (char)(c | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* The code unit of the four digits behind "\u" at `at`; -1 where there are none. */
static long read_unit(const char *at, const char *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    long unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        unit = 16 * unit + digit;
    }
    return unit;
}

/* The code point of the escape sequence at `at` and its length; -1 where it is none. Half a surrogate pair is
 * -1 too. */
static long read_escape(const char *at, const char *end, size_t *length)
{
    static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    *length = 2;
    if (end - at < 2) return -1;
    for (const char *pair = letters; *pair != '\0'; pair += 2)
        if (at[1] == *pair) return pair[1];
    long unit = read_unit(at, end);
    *length = 6;
    if (unit < 0xD800 || unit > 0xDFFF) return unit;
    long low = read_unit(at + 6, end);
    *length = 12;
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) return -1;
    return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

/* The escape sequence at w->at is none. */
static bool bad_escape(struct walk *w)
{
    long unit = read_unit(w->at, w->end);
    if (unit < 0) return fault(w, "a string holds an escape sequence that JSON does not know");
    return fault(w,
                 "a string holds \\u%04lx, half of a surrogate pair; it stands for a character only together with the "
                 "escape of its other half",
                 (unsigned long)unit);
}

/* Passes over the string at w->at. */
static bool walk_string(struct walk *w)
{
    const char *quote = w->at++;
    while (w->at < w->end && *w->at != '"') {
        unsigned char c = (unsigned char)*w->at;
        if (c == '\\') {
            size_t length;
            long point = read_escape(w->at, w->end, &length);
            if (point < 0) return bad_escape(w);
            if (point == 0) return fault(w, "a string holds the character U+0000, which is not supported");
            w->at += length;
            continue;
        }
        if (c == '\n' || c == '\r') return fault(w, "a line break stands inside a string; write it as \\n");
        if (c < 0x20) return fault(w, "a control character (0x%02X) stands inside a string", (unsigned)c);
        size_t length = text_utf8(w->at, w->end);
        if (length == 0) return fault(w, "a string holds bytes that are not UTF-8 (0x%02X)", (unsigned)c);
        w->at += length;
    }
    if (w->at < w->end) {
        w->at++;
        return true;
    }
    w->at = quote;
    return fault(w, "the string that begins here has no closing quote");
}

/* ---- other tokens ---- */

/* What is behind the number at `at`, by JSON's grammar; NULL where there is none. */
static const char *pass_number(const char *at, const char *end)
{
    if (at < end && *at == '-') at++;
    if (at == end || !is_digit(*at)) return NULL;
    if (*at == '0' && end - at > 1 && is_digit(at[1])) return NULL;
    while (at < end && is_digit(*at))
        at++;
    if (at < end && *at == '.') {
        if (++at == end || !is_digit(*at)) return NULL;
        while (at < end && is_digit(*at))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        if (at == end || !is_digit(*at)) return NULL;
        while (at < end && is_digit(*at))
            at++;
    }
    return at;
}

/* Passes over a number, or one of the words that are values. */
static bool walk_word(struct walk *w)
{
    static const char *const words[] = {"true", "false", "null", "NaN", "Infinity", "-Infinity"};
    const char *end = w->at;
    while (end < w->end && is_wordy(*end))
        end++;
    size_t length = (size_t)(end - w->at);
    if (pass_number(w->at, end) == end) {
        w->at = end;
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) != length || memcmp(words[i], w->at, length) != 0) continue;
        w->at = end;
        return true;
    }
    const char *dots = length > QUOTE_MAX ? "..." : "";
    int quoted = length > QUOTE_MAX ? QUOTE_MAX : (int)length;
    char first = *w->at == '-' || *w->at == '+' ? w->at[length > 1] : *w->at;
    if (is_letter(first))
        return fault(w,
                     "%.*s%s is no value; JSON knows true, false and null, and NaN, Infinity and -Infinity "
                     "are read too",
                     quoted, w->at, dots);
    return fault(w, "%.*s%s is not how JSON writes a number", quoted, w->at, dots);
}

/* The fault of a token that fits nowhere, or not here; `expected` says what would. */
static bool unexpected(struct walk *w, const char *expected)
{
    unsigned char c = (unsigned char)*w->at;
    if (c == '\'') return fault(w, "%s was expected; strings and names stand in double quotes", expected);
    if (c == '/' || c == '#') return fault(w, "%s was expected; JSON has no comments", expected);
    if (c > 0x20 && c < 0x7F) return fault(w, "%s was expected, not '%c'", expected, c);
    size_t length = text_utf8(w->at, w->end);
    if (length > 1) return fault(w, "%s was expected, not '%.*s'", expected, (int)length, w->at);
    return fault(w, "%s was expected, not the byte 0x%02X", expected, (unsigned)c);
}

/* ---- structure ---- */

static void after_value(struct walk *w)
{
    if (w->place->depth > 0) top(w)->inside = false;
    w->expect = w->place->depth > 0 ? EXPECT_COMMA : EXPECT_NOTHING;
}

static bool walk_open(struct walk *w)
{
    struct json_fault *place = w->place;
    if (place->depth == LIMIT_DEPTH) return fault(w, "the text is nested deeper than %d levels", LIMIT_DEPTH);
    bool object = *w->at++ == '{';
    place->path[place->depth++] = (struct json_step){.object = object, .inside = !object};
    w->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return true;
}

static bool walk_close(struct walk *w)
{
    w->place->depth--;
    w->at++;
    after_value(w);
    return true;
}

static bool walk_value(struct walk *w)
{
    char c = *w->at;
    if (c == ']' && w->place->depth > 0 && !top(w)->object) {
        if (w->expect == EXPECT_VALUE_OR_END) return walk_close(w);
        top(w)->inside = false;
        return fault(w, "a comma stands before ']', with no value behind it");
    }
    if (c == '{' || c == '[') return walk_open(w);
    if (w->place->depth == 0 && (c == '"' || is_wordy(c))) return fault(w, "the text has to be a JSON object, {...}");
    bool right = c == '"' ? walk_string(w) : is_wordy(c) ? walk_word(w) : unexpected(w, "a value");
    if (right) after_value(w);
    return right;
}

static bool walk_key(struct walk *w)
{
    if (*w->at == '}') {
        if (w->expect == EXPECT_KEY_OR_END) return walk_close(w);
        return fault(w, "a comma stands before '}', with no member behind it");
    }
    if (*w->at != '"') return unexpected(w, "a name in double quotes");
    const char *key = w->at + 1;
    if (!walk_string(w)) return false;
    top(w)->key = key;
    top(w)->key_length = (size_t)(w->at - 1 - key);
    top(w)->inside = true;
    w->expect = EXPECT_COLON;
    return true;
}

static bool walk_comma(struct walk *w)
{
    struct json_step *step = top(w);
    if (*w->at == (step->object ? '}' : ']')) return walk_close(w);
    if (*w->at != ',') return unexpected(w, step->object ? "',' or '}'" : "',' or ']'");
    w->at++;
    w->expect = step->object ? EXPECT_KEY : EXPECT_VALUE;
    if (!step->object) {
        step->index++;
        step->inside = true;
    }
    return true;
}

/* One token, at w->at. */
static bool walk_token(struct walk *w)
{
    switch (w->expect) {
    case EXPECT_VALUE:
    case EXPECT_VALUE_OR_END:
        return walk_value(w);
    case EXPECT_KEY:
    case EXPECT_KEY_OR_END:
        return walk_key(w);
    case EXPECT_COLON:
        if (*w->at != ':') return unexpected(w, "':'");
        w->at++;
        w->expect = EXPECT_VALUE;
        return true;
    case EXPECT_COMMA:
        return walk_comma(w);
    case EXPECT_NOTHING:
        break;
    }
    return fault(w, "something stands behind the end of the JSON text");
}

void json_fault_find(const char *text, size_t length, size_t stop, struct json_fault *place)
{
    *place = (struct json_fault){0};
    struct walk w = {.text = text, .at = text, .end = text + length, .place = place};
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        fault(&w, "the text begins with a byte order mark; JSON is sent without one");
        return;
    }
    do {
        while (w.at < w.end && (*w.at == ' ' || *w.at == '\n' || *w.at == '\t' || *w.at == '\r'))
            w.at++;
        if (w.at == w.end) {
            if (place->depth > 0)
                fault(&w, "the text ends before the %s is closed", top(&w)->object ? "object" : "array");
            else if (w.expect != EXPECT_NOTHING)
                fault(&w, "the text is empty");
            return;
        }
        if ((size_t)(w.at - text) >= stop) return;
        place->offset = (size_t)(w.at - text);
    } while (walk_token(&w));
}

/* ---- telling ---- */

/* Writes the UTF-8 of a code point to `to`, where four bytes are free; returns its length. */
static size_t put_utf8(long point, char *to)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3F));
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    to[0] = (char)(lead[length] | (unsigned char)point);
    return length;
}

void json_fault_key(const char *key, size_t length, char *text, size_t size)
{
    const char *end = key + length;
    size_t used = 0;
    while (key < end && used + 5 <= size) {
        size_t taken;
        if (*key == '\\') {
            long point = read_escape(key, end, &taken);
            used += put_utf8(point > 0 ? point : '?', text + used);
        } else {
            taken = text_utf8(key, end);
            if (taken == 0) break;
            memcpy(text + used, key, taken);
            used += taken;
        }
        key += taken;
    }
    text[used] = '\0';
}

void json_fault_position(const char *text, const struct json_fault *place, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < place->offset; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

void json_fault_tell(const struct json_fault *place, struct error *error)
{
    for (size_t i = place->depth; i-- > 0;) {
        const struct json_step *step = &place->path[i];
        if (!step->inside) continue;
        if (step->object) {
            char name[KEY_MAX];
            json_fault_key(step->key, step->key_length, name, sizeof name);
            error_at(error, name);
        } else {
            error_at_index(error, step->index);
        }
    }
}
