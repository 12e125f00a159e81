/* libFuzzer over document_read: any bytes are read or refused, and what comes out holds together. */
#include <stdint.h>
#include <string.h>

#include "server/body/document.h"
#include "server/limits.h"
#include "server/text/pointer.h"
#include "server/text/text.h"
#include "tests/fuzz/holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Every reference in the tree is to a row, and every row is referred to once. */
static size_t count_rows(const struct document *document, json_t *value, size_t depth)
{
    require(depth <= LIMIT_DEPTH + 1, "depth");
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

static void check_rows(const struct document *document, size_t length)
{
    for (size_t k = 0; k < document->count; k++) {
        const struct numbers *row = &document->table[k];
        size_t size = 0;
        if (row->ragged) continue;
        require(row->tensor.shape.rank <= TENSOR_RANK_MAX, "rank");
        require(shape_size(&row->tensor.shape, &size) && size == row->tensor.size && size <= length, "size");
        volatile double sum = 0; /* reads all of it, for the sanitizer */
        for (size_t i = 0; i < size; i++)
            sum = sum + row->tensor.data[i];
    }
}

static bool is_utf8(const char *at, size_t length)
{
    const char *end = at + length;
    while (at < end && text_utf8(at, end) > 0)
        at += text_utf8(at, end);
    return at == end;
}

static void check_error(const struct error *error, int code, const struct document *document, const char *text,
                        size_t length)
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
    if (code != CODE_MALFORMED_JSON) return;
    require(strstr(error->detail, "could not be understood") == NULL, "a refusal that is not explained");
    size_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    require(document->line >= 1 && document->line <= lines, "line");
    require(document->column >= 1 && document->column <= length + 1, "column");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static int ready;
    if (!ready) document_setup();
    ready = 1;
    struct arena arena;
    arena_init(&arena, 64 * LIMIT_MIB);
    struct document document;
    struct error error = {0};
    const char *text = (const char *)bytes;
    int code = document_read(&arena, text, length, NULL, &document, &error);
    if (code == CODE_OK) {
        check_rows(&document, length);
        require(count_rows(&document, document.root, 1) == document.count, "a row without its place");
    } else {
        check_error(&error, code, &document, text, length);
    }
    /* The same with hardly any memory: it fails cleanly or agrees. */
    arena_free(&arena);
    arena_init(&arena, (size_t)(length > 0 ? bytes[length / 2] : 0) * 2048);
    struct error again = {0};
    int second = document_read(&arena, text, length, NULL, &document, &again);
    require(second == code || second == CODE_OUT_OF_MEMORY, "another answer with less memory");
    arena_free(&arena);
    return 0;
}
