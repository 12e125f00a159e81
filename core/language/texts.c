#include "core/language/texts.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/language/equality.h"

enum { TEXT_MAX = 4096, BYTES_OF_A_STEP = 64 };

static int give_text(struct evaluation *e, const char *bytes, size_t length, struct thing *text)
{
    const char *copy = arena_text(e->arena, bytes, length);
    if (copy == NULL) return evaluation_no_memory(e);
    *text = (struct thing){.kind = THING_TEXT, .text = copy};
    return evaluation_step(e, length / BYTES_OF_A_STEP);
}

int texts_of(struct evaluation *e, const struct thing *thing, struct thing *text)
{
    char words[SHAPE_TEXT_MAX + 32];
    *text = *thing;
    if (thing->kind == THING_TEXT) return CODE_OK;
    if (thing->kind == THING_NUMBER)
        snprintf(words, sizeof words, thing->type == TYPE_FLOAT ? "%.17g" : "%.0f", thing->number);
    else
        thing_words(thing, words);
    return give_text(e, words, strlen(words), text);
}

int texts_join(struct evaluation *e, const char *a, const char *b, struct thing *text)
{
    size_t n = strlen(a), m = strlen(b);
    if (n + m > TEXT_MAX) return evaluation_fault(e, "a string of more than %d bytes", TEXT_MAX);
    if (evaluation_step(e, (n + m) / BYTES_OF_A_STEP) != CODE_OK) return evaluation_failed(e);
    char *joined = arena_alloc(e->arena, n + m + 1);
    if (joined == NULL) return evaluation_no_memory(e);
    memcpy(joined, a, n);
    memcpy(joined + n, b, m + 1);
    *text = (struct thing){.kind = THING_TEXT, .text = joined};
    return CODE_OK;
}

/* ---- formats ---- */

/* What stands between % and its letter. */
struct field {
    bool left, zeros, sign;
    size_t width;
    int precision; /* -1: none */
    char letter;
};

static size_t read_digits(const char **at)
{
    size_t number = 0;
    for (; isdigit((unsigned char)**at); ++*at)
        number = number < 100 ? 10 * number + (size_t)(**at - '0') : number;
    return number;
}

static void read_field(const char **at, struct field *f)
{
    *f = (struct field){.precision = -1};
    for (; **at != '\0' && strchr("-0+ #", **at) != NULL; ++*at) {
        f->left = f->left || **at == '-';
        f->zeros = f->zeros || **at == '0';
        f->sign = f->sign || **at == '+';
    }
    f->width = read_digits(at);
    if (**at == '.') {
        ++*at;
        f->precision = (int)read_digits(at);
    }
    f->letter = **at;
    if (**at != '\0') ++*at;
}

enum { FIELD_MAX = 1024 };

/* A number by its letter; false where that is none of a number. */
static bool write_number(const struct field *f, double number, char *bytes)
{
    int precision = f->precision < 0 ? 6 : f->precision;
    const char *sign = f->sign && number >= 0 ? "+" : "";
    switch (f->letter) {
    case 'd':
    case 'i':
    case 'u':
        snprintf(bytes, FIELD_MAX, "%s%.0f", sign, trunc(number));
        return true;
    case 'f':
    case 'F':
        snprintf(bytes, FIELD_MAX, "%s%.*f", sign, precision, number);
        return true;
    case 'e':
        snprintf(bytes, FIELD_MAX, "%s%.*e", sign, precision, number);
        return true;
    case 'g':
        snprintf(bytes, FIELD_MAX, "%s%.*g", sign, precision, number);
        return true;
    default:
        return false;
    }
}

/* A field, as wide as it has to be. */
static int write_field(struct evaluation *e, const struct field *f, const struct thing *value, struct thing *text)
{
    char bytes[FIELD_MAX], padded[FIELD_MAX];
    struct thing one;
    int code = value->kind == THING_ARRAY && value->array->size == 1 ? equality_key(e, value, &one) : CODE_OK;
    if (value->kind != THING_ARRAY || value->array->size != 1) one = *value;
    if (code == CODE_OK && (f->letter == 's' || f->letter == 'r')) {
        code = texts_of(e, &one, text);
        if (code != CODE_OK || strlen(text->text) >= f->width) return code;
        snprintf(bytes, sizeof bytes, "%s", text->text);
    } else if (code == CODE_OK && (one.kind != THING_NUMBER || !write_number(f, one.number, bytes))) {
        return evaluation_fault(e, "a format takes numbers as %%d, %%f, %%e or %%g, and anything as %%s");
    }
    if (code != CODE_OK) return code;
    size_t n = strlen(bytes), gap = f->width > n ? f->width - n : 0;
    bool zeros = f->zeros && !f->left && one.kind == THING_NUMBER && isfinite(one.number) && f->letter != 's';
    size_t ahead = f->left ? 0 : zeros && (bytes[0] == '-' || bytes[0] == '+') ? 1 : 0;
    memcpy(padded, bytes, ahead);
    memset(padded + (f->left ? n : ahead), zeros ? '0' : ' ', gap);
    memcpy(padded + (f->left ? 0 : ahead + gap), bytes + ahead, n - ahead);
    return give_text(e, padded, n + gap, text);
}

int texts_format(struct evaluation *e, const char *format, const struct thing *values, struct thing *text)
{
    const bool tuple = values->kind == THING_TUPLE;
    const struct thing *items = tuple ? values->sequence->items : values;
    size_t count = tuple ? values->sequence->count : 1, used = 0;
    int code = give_text(e, "", 0, text);
    for (const char *at = format; code == CODE_OK && *at != '\0';) {
        struct thing before = *text, part = {0};
        struct field field;
        size_t plain = strcspn(at, "%");
        if (plain > 0) {
            code = give_text(e, at, plain, &part);
            at += plain;
        } else {
            at++;
            read_field(&at, &field);
            if (field.letter == '%')
                code = give_text(e, "%", 1, &part);
            else if (used == count)
                return evaluation_fault(e, "the format needs more than %zu values", count);
            else
                code = write_field(e, &field, &items[used++], &part);
        }
        if (code == CODE_OK) code = texts_join(e, before.text, part.text, text);
    }
    if (code == CODE_OK && used < count)
        return evaluation_fault(e, "the format takes %zu values, not %zu", used, count);
    return code;
}
