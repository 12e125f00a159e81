#include "server/body/reading.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/body/json_memory.h"
#include "server/limits.h"
#include "server/text/text.h"

enum { ROWS_FIRST = 16 };

int reading_unpack(struct reading *r, size_t bytes)
{
    if (bytes > r->room)
        return error_set(r->error, CODE_BODY_TOO_LARGE,
                         "Unpacked, the body has more than the %zu bytes that are allowed.", r->most);
    r->room -= bytes;
    return CODE_OK;
}

int reading_look(struct reading *r)
{
    if (r->cancelled == NULL || !atomic_load_explicit(r->cancelled, memory_order_relaxed)) return CODE_OK;
    return error_set(r->error, CODE_CANCELLED, "the reading of the files was cancelled");
}

int reading_out_of_memory(struct reading *r)
{
    return error_set(r->error, CODE_OUT_OF_MEMORY, "there is not enough memory to read the files");
}

/* ---- what is wrong ---- */

static void clean(char *text)
{
    const char *end = text + strlen(text);
    while (text < end) {
        size_t length = text_utf8(text, end);
        if (length == 0 || (unsigned char)*text < ' ' || *text == 0x7F) *text = '?';
        text += length > 0 ? length : 1;
    }
}

static int refuse(struct reading *r, int code, const char *format, va_list arguments)
{
    char detail[ERROR_DETAIL_MAX];
    vsnprintf(detail, sizeof detail, format, arguments);
    clean(detail);
    return error_set(r->error, code, "%s", detail);
}

int reading_refuse(struct reading *r, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refuse(r, code, format, arguments);
    va_end(arguments);
    return r->error->code;
}

int reading_fault(struct reading *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refuse(r, CODE_MALFORMED_FILE, format, arguments);
    va_end(arguments);
    return r->error->code;
}

int reading_unsupported(struct reading *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refuse(r, CODE_UNSUPPORTED_FILE, format, arguments);
    va_end(arguments);
    return r->error->code;
}

bool reading_is_text(const char *at, size_t length)
{
    const char *end = at + length;
    if (memchr(at, '\0', length) != NULL) return false;
    while (at < end) {
        size_t step = text_utf8(at, end);
        if (step == 0) return false;
        at += step;
    }
    return true;
}

int reading_shown(size_t length)
{
    return length < LIMIT_NAME ? (int)length : LIMIT_NAME;
}

/* ---- values. Each is made by jansson in a call of its own, with the arena's memory. ---- */

struct making {
    json_t *object;
    const char *name;
    size_t length;
    double number;
    size_t row;
    json_t *value;
    bool failed;
};

static void make_object(void *context)
{
    struct making *making = context;
    making->value = json_object();
}

static void make_number(void *context)
{
    struct making *making = context;
    making->value = json_real(making->number);
}

static void make_reference(void *context)
{
    struct making *making = context;
    making->value = json_array();
    json_array_append_new(making->value, json_integer((json_int_t)making->row));
}

static void make_member(void *context)
{
    struct making *making = context;
    making->failed = json_object_setn_new(making->object, making->name, making->length, making->value) != 0;
}

static int make(struct reading *r, void (*work)(void *context), struct making *making)
{
    return json_memory_lend(r->arena, work, making) ? CODE_OK : reading_out_of_memory(r);
}

int reading_object(struct reading *r, json_t **object)
{
    struct making making = {0};
    int code = make(r, make_object, &making);
    *object = making.value;
    return code;
}

/* Room for that many more rows in the document's table. */
static int grow_table(struct reading *r, size_t more)
{
    struct document *document = r->document;
    if (r->capacity - document->count >= more) return CODE_OK;
    size_t capacity = document->count + (document->count > more ? document->count : more) + ROWS_FIRST;
    struct numbers *table = arena_array(r->arena, capacity, sizeof *table);
    if (table == NULL) return reading_out_of_memory(r);
    if (document->count > 0) memcpy(table, document->table, document->count * sizeof *table);
    document->table = table;
    r->capacity = capacity;
    return CODE_OK;
}

int reading_tensor(struct reading *r, const struct tensor *tensor, json_t **value)
{
    struct making making = {0};
    bool number = tensor->shape.rank == 0 && isfinite(tensor->data[0]);
    if (number) {
        making.number = tensor->data[0];
    } else {
        if (grow_table(r, 1) != CODE_OK) return r->error->code;
        making.row = r->document->count;
        r->document->table[r->document->count++] = (struct numbers){.tensor = *tensor};
    }
    int code = make(r, number ? make_number : make_reference, &making);
    *value = making.value;
    return code;
}

int reading_put(struct reading *r, json_t *object, const char *name, size_t length, json_t *value)
{
    if (!reading_is_text(name, length)) return reading_fault(r, "it holds a name that is no UTF-8 text");
    const char *terminated = arena_text(r->arena, name, length);
    if (terminated == NULL) return reading_out_of_memory(r);
    if (json_object_get(object, terminated) != NULL) {
        reading_refuse(r, CODE_OUT_OF_RANGE, "%.*s is given twice", LIMIT_NAME, terminated);
        return error_at(r->error, terminated);
    }
    struct making making = {.object = object, .name = terminated, .length = length, .value = value};
    if (make(r, make_member, &making) != CODE_OK) return r->error->code;
    return making.failed ? reading_out_of_memory(r) : CODE_OK;
}

/* ---- JSON ---- */

/* What stood for a row of a table now stands for the one that is `base` further on. The depth is that of a text which
 * document_read has accepted. */
static void shift_rows(json_t *value, json_int_t base)
{
    size_t size = json_array_size(value); /* 0 of what is no array */
    json_t *first = json_array_get(value, 0);
    if (size == 1 && json_is_integer(first)) {
        json_integer_set(first, json_integer_value(first) + base);
        return;
    }
    for (void *at = json_object_iter(value); at != NULL; at = json_object_iter_next(value, at))
        shift_rows(json_object_iter_value(at), base);
    for (size_t i = 0; i < size; i++)
        shift_rows(json_array_get(value, i), base);
}

int reading_json(struct reading *r, const char *text, size_t length, json_t **value)
{
    struct document beside;
    int code = document_read(r->arena, text, length, r->cancelled, &beside, r->error);
    r->document->line = beside.line;
    r->document->column = beside.column;
    if (code != CODE_OK || grow_table(r, beside.count) != CODE_OK) return r->error->code;
    shift_rows(beside.root, (json_int_t)r->document->count);
    if (beside.count > 0)
        memcpy(r->document->table + r->document->count, beside.table, beside.count * sizeof *beside.table);
    r->document->count += beside.count;
    *value = beside.root;
    return CODE_OK;
}
