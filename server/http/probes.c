#include "server/http/probes.h"

static atomic_bool draining;

static void answer_plain(struct exchange *exchange, int status, const char *word)
{
    exchange->status = status;
    exchange->content_type = "text/plain; charset=utf-8";
    text_init(&exchange->answer, &exchange->arena);
    text_add(&exchange->answer, word);
    exchange_answer_header(exchange, "Cache-Control", "no-store");
}

int probes_health(struct exchange *exchange, struct error *error)
{
    (void)error;
    answer_plain(exchange, 200, "ok\n");
    return CODE_OK;
}

int probes_ready(struct exchange *exchange, struct error *error)
{
    (void)error;
    if (probes_draining()) {
        answer_plain(exchange, 503, "draining\n");
        exchange_answer_header(exchange, "Retry-After", "1");
    } else {
        answer_plain(exchange, 200, "ok\n");
    }
    return CODE_OK;
}

void probes_drain(void)
{
    atomic_store(&draining, true);
}

bool probes_draining(void)
{
    return atomic_load_explicit(&draining, memory_order_relaxed);
}
