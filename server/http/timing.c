#include "server/http/timing.h"

#include <math.h>

#include "server/text/number.h"

void timing_add(struct text *text, const char *name, double seconds)
{
    char number[NUMBER_TEXT_MAX];
    size_t length = number_write(round(seconds * 1e6) / 1e3, number);
    if (text->length > 0) text_add(text, ", ");
    text_add(text, name);
    text_add(text, ";dur=");
    text_bytes(text, number, length);
}

void timing_answer(struct exchange *exchange, struct text *text)
{
    text_bytes(text, "", 1);
    if (!text->failed) exchange_answer_header(exchange, "Server-Timing", text->data);
}
