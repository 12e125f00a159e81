#include "server/body/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/body/elements.h"
#include "server/limits.h"

enum { LENGTH_SIZE = 8 };
#define HEADER_MAX LIMIT_MIB

/* The largest size up to which each whole number is a double. */
#define WHOLE_MAX 9007199254740992.0

static const struct {
    const char *name;
    enum element element;
} types[] = {
    {"BOOL", ELEMENT_BOOL}, {"I8", ELEMENT_I8},   {"U8", ELEMENT_U8},   {"I16", ELEMENT_I16}, {"U16", ELEMENT_U16},
    {"I32", ELEMENT_I32},   {"U32", ELEMENT_U32}, {"I64", ELEMENT_I64}, {"U64", ELEMENT_U64}, {"F16", ELEMENT_F16},
    {"BF16", ELEMENT_BF16}, {"F32", ELEMENT_F32}, {"F64", ELEMENT_F64},
};

/* One entry of the header. */
struct stored {
    const char *name;
    struct layout layout;
    size_t begin, end; /* of its bytes, behind the header */
    size_t number;     /* among all, in the header's order */
};

static uint64_t header_length(const char *bytes)
{
    uint64_t length = 0;
    for (int i = LENGTH_SIZE - 1; i >= 0; i--)
        length = length << 8 | (unsigned char)bytes[i];
    return length;
}

bool safetensors_is(const char *bytes, size_t length)
{
    return length > LENGTH_SIZE && bytes[LENGTH_SIZE] == '{' && bytes[LENGTH_SIZE - 1] == '\0';
}

/* ---- one entry ---- */

static int entry_fault(struct reading *r, const struct stored *stored, const char *fault)
{
    return reading_fault(r, "its tensor \"%.*s\" %s", LIMIT_NAME, stored->name, fault);
}

static bool is_size(double value)
{
    return value >= 0 && value <= WHOLE_MAX && value == (double)(uint64_t)value;
}

/* A list of sizes: its numbers; NULL where it is something else. */
static const struct tensor *sizes_of(const struct document *header, const json_t *value)
{
    const struct numbers *numbers = value != NULL ? document_numbers(header, value) : NULL;
    if (numbers == NULL || numbers->ragged || numbers->tensor.shape.rank != 1) return NULL;
    for (size_t i = 0; i < numbers->tensor.size; i++)
        if (!is_size(numbers->tensor.data[i])) return NULL;
    return &numbers->tensor;
}

static int read_type(struct reading *r, const json_t *dtype, struct stored *stored)
{
    const char *name = json_string_value(dtype);
    if (name == NULL) return entry_fault(r, stored, "has no dtype");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(name, types[i].name) != 0) continue;
        stored->layout.element = types[i].element;
        return CODE_OK;
    }
    return reading_unsupported(
        r, "its tensor \"%.*s\" is of type %.32s: BOOL, I8 to I64, U8 to U64, F16, BF16, F32 and F64 are read",
        LIMIT_NAME, stored->name, name);
}

static int read_entry(struct reading *r, const struct document *header, const json_t *entry, size_t room,
                      struct stored *stored)
{
    size_t needed;
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return entry_fault(r, stored, "is not told by dtype, shape and data_offsets alone");
    if (read_type(r, json_object_get(entry, "dtype"), stored) != CODE_OK) return r->error->code;
    const struct tensor *shape = sizes_of(header, json_object_get(entry, "shape"));
    const struct tensor *offsets = sizes_of(header, json_object_get(entry, "data_offsets"));
    if (shape == NULL) return entry_fault(r, stored, "has no list of sizes as its shape");
    if (shape->size > TENSOR_RANK_MAX) return entry_fault(r, stored, "has too many axes");
    stored->layout.shape.rank = shape->size;
    for (size_t i = 0; i < shape->size; i++)
        stored->layout.shape.dim[i] = (size_t)shape->data[i];
    if (elements_bytes(r, &stored->layout, &needed) != CODE_OK) return r->error->code;
    if (offsets == NULL || offsets->size != 2) return entry_fault(r, stored, "has no two data_offsets");
    stored->begin = (size_t)offsets->data[0];
    stored->end = (size_t)offsets->data[1];
    if (stored->begin > stored->end || stored->end > room)
        return entry_fault(r, stored, "is said to lie outside of the file, which may have been cut off");
    if (stored->end - stored->begin != needed)
        return entry_fault(r, stored, "has data_offsets that its shape does not fit");
    return CODE_OK;
}

/* ---- all of them ---- */

static int by_place(const void *one, const void *other)
{
    const struct stored *a = one, *b = other;
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static int by_number(const void *one, const void *other)
{
    const struct stored *a = one, *b = other;
    return (a->number > b->number) - (a->number < b->number);
}

/* Nothing lies between two tensors, or behind the last, or belongs to two. Puts them back into the header's order. */
static int check_places(struct reading *r, struct stored *list, size_t count, size_t room)
{
    size_t at = 0;
    qsort(list, count, sizeof *list, by_place);
    for (size_t i = 0; i < count; i++) {
        if (list[i].begin != at)
            return entry_fault(r, &list[i], list[i].begin < at ? "lies over another one" : "has a hole before it");
        at = list[i].end;
    }
    if (at != room) return reading_fault(r, "%zu bytes lie behind its last tensor", room - at);
    qsort(list, count, sizeof *list, by_number);
    return CODE_OK;
}

static int read_header(struct reading *r, const char *text, size_t length, struct document *header)
{
    int code = document_read(r->arena, text, length, r->cancelled, header, r->error);
    if (code == CODE_OUT_OF_MEMORY || code == CODE_CANCELLED) return code;
    if (code == CODE_OK && json_is_object(header->root)) return CODE_OK;
    *r->error = (struct error){0};
    return reading_fault(r, "its header is no JSON object");
}

static int list_entries(struct reading *r, const struct document *header, size_t room, struct stored *list,
                        size_t *count)
{
    json_t *root = header->root;
    *count = 0;
    for (void *at = json_object_iter(root); at != NULL; at = json_object_iter_next(root, at)) {
        const char *name = json_object_iter_key(at);
        if (strcmp(name, "__metadata__") == 0) continue;
        list[*count] = (struct stored){.name = name, .number = *count};
        if (read_entry(r, header, json_object_iter_value(at), room, &list[*count]) != CODE_OK) return r->error->code;
        ++*count;
    }
    return check_places(r, list, *count, room);
}

int safetensors_read(struct reading *r, const char *bytes, size_t length, json_t **value)
{
    struct document header;
    uint64_t size = length >= LENGTH_SIZE ? header_length(bytes) : 0;
    if (size > HEADER_MAX) return reading_fault(r, "its header is said to be larger than %zu bytes", HEADER_MAX);
    if (length < LENGTH_SIZE || size > length - LENGTH_SIZE) return reading_fault(r, "its header is cut off");
    const char *data = bytes + LENGTH_SIZE + size;
    if (read_header(r, bytes + LENGTH_SIZE, (size_t)size, &header) != CODE_OK) return r->error->code;
    size_t count, room = (size_t)(bytes + length - data);
    struct stored *list = arena_array(r->arena, json_object_size(header.root), sizeof *list);
    if (list == NULL) return reading_out_of_memory(r);
    if (list_entries(r, &header, room, list, &count) != CODE_OK || reading_object(r, value) != CODE_OK)
        return r->error->code;
    for (size_t i = 0; i < count; i++) {
        struct tensor tensor;
        json_t *member;
        if (elements_read(r, &list[i].layout, data + list[i].begin, &tensor) != CODE_OK ||
            reading_tensor(r, &tensor, &member) != CODE_OK ||
            reading_put(r, *value, list[i].name, strlen(list[i].name), member) != CODE_OK)
            return r->error->code;
    }
    return CODE_OK;
}
