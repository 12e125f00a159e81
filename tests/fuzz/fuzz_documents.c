/* libFuzzer over document_read: any bytes are read or refused, and what comes out holds together. */
#include <stdint.h>
#include <string.h>

#include "server/body/document.h"
#include "server/limits.h"
#include "tests/fuzz/document_holds.h"
#include "tests/fuzz/holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), of_end = strlen(end);
    return n >= of_end && strcmp(text + n - of_end, end) == 0;
}

static void check_error(const struct error *error, int code, const struct document *document, const char *text,
                        size_t length)
{
    document_refusal_holds(error, code);
    if (code != CODE_MALFORMED_JSON) return;
    require(!ends_in(error->detail, ": it could not be understood here."), "a refusal that is not explained");
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
        document_holds(&document, length);
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
