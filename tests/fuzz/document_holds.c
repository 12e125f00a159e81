#include "tests/fuzz/document_holds.h"

#include <string.h>

#include "server/limits.h"
#include "server/text/pointer.h"
#include "server/text/text.h"
#include "tests/fuzz/holds.h"

/* Every reference in the tree is to a row, and every row is referred to once. */
static size_t count_rows(const struct document *document, json_t *value, size_t depth)
{
    require(depth <= LIMIT_DEPTH + 3, "depth"); /* a file's own, below the member of a member */
    if (document_numbers(document, value) != NULL) return 1;
    size_t rows = 0, i;
    const char *key;
    json_t *inner;
    if (json_is_object(value)) {
        json_object_foreach(value, key, inner) rows += count_rows(document, inner, depth + 1);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, inner) rows += count_rows(document, inner, depth + 1);
    }
    return rows;
}

void document_holds(const struct document *document, size_t most)
{
    for (size_t k = 0; k < document->count; k++) {
        const struct numbers *row = &document->table[k];
        size_t size = 0;
        if (row->ragged) continue;
        require(row->tensor.shape.rank <= TENSOR_RANK_MAX, "rank");
        require(shape_size(&row->tensor.shape, &size) && size == row->tensor.size && size <= most, "size");
        volatile double sum = 0; /* reads all of it, for the sanitizer */
        for (size_t i = 0; i < size; i++)
            sum = sum + row->tensor.data[i];
    }
    require(count_rows(document, document->root, 1) == document->count, "a row without its place");
}

static bool is_utf8(const char *at, size_t length)
{
    const char *end = at + length;
    while (at < end && text_utf8(at, end) > 0)
        at += text_utf8(at, end);
    return at == end;
}

void document_refusal_holds(const struct error *error, int code)
{
    struct arena arena;
    struct text pointer;
    require(code == error->code && error->detail[0] != '\0', "an error without a sentence");
    require(is_utf8(error->detail, strlen(error->detail)), "a detail that is not UTF-8");
    arena_init(&arena, LIMIT_MIB);
    text_init(&pointer, &arena);
    pointer_write(&pointer, error);
    require(pointer.length == 0 || is_utf8(pointer.data, pointer.length), "a pointer that is not UTF-8");
    arena_free(&arena);
}
