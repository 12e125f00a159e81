#include "core/language/program_text.h"

#include <stdarg.h>
#include <stdio.h>

int text_fault(struct text_reader *reader, struct spot spot, const char *format, ...)
{
    char detail[ERROR_DETAIL_MAX];
    if (reader->error->code != CODE_OK) return reader->error->code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    reader->fault = spot;
    return error_set(reader->error, CODE_PROGRAM_ERROR, "line %u, column %u: %s", spot.line, spot.column, detail);
}

int text_fault_at(struct text_reader *reader, struct spot spot, const struct error *what)
{
    if (what->code == CODE_SHAPE_MISMATCH || what->code == CODE_OUT_OF_RANGE || what->code == CODE_PROGRAM_ERROR)
        return text_fault(reader, spot, "%s", what->detail);
    return error_set(reader->error, what->code, "%s", what->detail);
}
