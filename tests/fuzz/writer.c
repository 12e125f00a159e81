#include "tests/fuzz/writer.h"

#include <math.h>

#include "server/text/number.h"

void write_number(struct text *text, double value)
{
    char digits[NUMBER_TEXT_MAX];
    if (isfinite(value))
        text_bytes(text, digits, number_write(value, digits));
    else
        text_add(text, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

void write_string(struct text *text, const char *string)
{
    text_add(text, "\"");
    for (const char *at = string; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') text_add(text, "\\");
        text_bytes(text, at, 1);
    }
    text_add(text, "\"");
}

void write_nested(struct text *text, size_t rank, const size_t *dim, const double *data)
{
    if (rank == 0) {
        write_number(text, data[0]);
        return;
    }
    size_t inner = 1;
    for (size_t i = 1; i < rank; i++)
        inner *= dim[i];
    text_add(text, "[");
    for (size_t i = 0; i < dim[0]; i++) {
        if (i > 0) text_add(text, ",");
        write_nested(text, rank - 1, dim + 1, data + i * inner);
    }
    text_add(text, "]");
}

void write_key(struct text *text, const char *name)
{
    if (text->length > 0 && text->data[text->length - 1] != '{') text_add(text, ",");
    write_string(text, name);
    text_add(text, ":");
}
