#include "server/api/read_body.h"

#include "server/body/body.h"

static struct body body_of(const struct exchange *exchange)
{
    return (struct body){.media_type = exchange->media_type,
                         .content_type = exchange_header(exchange, "Content-Type"),
                         .coding = exchange->coding,
                         .bytes = exchange->body,
                         .length = exchange->body_length,
                         .most = exchange->options->max_body};
}

int read_body(struct exchange *exchange, struct document *document, struct error *error)
{
    const struct body body = body_of(exchange);
    int code = body_read(&body, &exchange->arena, &exchange->cancelled, document, error);
    exchange->line = document->line;
    exchange->column = document->column;
    return code;
}

int read_body_bytes(struct exchange *exchange, const char **bytes, size_t *length, struct error *error)
{
    const struct body body = body_of(exchange);
    return body_unpack(&body, &exchange->arena, &exchange->cancelled, bytes, length, error);
}
