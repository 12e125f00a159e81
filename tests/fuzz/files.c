#include "tests/fuzz/files.h"

#include "server/body/files.h"
#include "server/limits.h"
#include "tests/fuzz/document_holds.h"
#include "tests/fuzz/holds.h"

/* What a tensor may come to: elements of a byte each, of what was sent and of what came out. */
static size_t most_elements(size_t length)
{
    return length + FILES_MOST;
}

static int read_with(size_t memory, files_reader *reader, const char *bytes, size_t length, struct arena *arena,
                     struct document *document, struct error *error)
{
    arena_init(arena, memory);
    *document = (struct document){0};
    *error = (struct error){0};
    struct reading r = {.arena = arena, .document = document, .error = error, .most = FILES_MOST, .room = FILES_MOST};
    return reader(&r, bytes, length);
}

void files_try(files_reader *reader, const char *bytes, size_t length)
{
    static bool ready;
    struct arena arena;
    struct document document;
    struct error error;
    if (!ready) document_setup();
    ready = true;
    int code = read_with(64 * LIMIT_MIB, reader, bytes, length, &arena, &document, &error);
    if (code == CODE_OK)
        document_holds(&document, most_elements(length));
    else
        document_refusal_holds(&error, code);
    arena_free(&arena);
    size_t memory = (size_t)(length > 0 ? (unsigned char)bytes[length / 2] : 0) * 2048;
    int second = read_with(memory, reader, bytes, length, &arena, &document, &error);
    require(second == code || second == CODE_OUT_OF_MEMORY, "another answer with less memory");
    arena_free(&arena);
}

int files_root(struct reading *r, const char *bytes, size_t length)
{
    json_t *value = NULL;
    int code = files_read(r, bytes, length, &value);
    r->document->root = value;
    return code;
}
