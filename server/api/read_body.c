#include "server/api/read_body.h"

#include "server/body/body.h"

int read_body(struct exchange *exchange, struct document *document, struct error *error)
{
    int code = body_read(exchange->media_type, &exchange->arena, exchange->body, exchange->body_length,
                         &exchange->cancelled, document, error);
    exchange->line = document->line;
    exchange->column = document->column;
    return code;
}
