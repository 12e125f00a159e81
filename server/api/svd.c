#include "server/api/svd.h"

#include "server/api/read_body.h"
#include "server/report/svd_json.h"

int api_svd_measure(struct exchange *exchange, struct load *load, struct error *error)
{
    struct svd_task *request = arena_zeroed(&exchange->arena, 1, sizeof *request);
    if (request == NULL) return error_out_of_memory(error);
    exchange->state = request;
    int code = read_body(exchange, &request->document, error);
    if (code == CODE_OK) code = svd_task_read(&exchange->arena, exchange->options, request, error);
    load->work = request->work;
    return code;
}

int api_svd_run(struct exchange *exchange, struct error *error)
{
    struct svd_task *request = exchange->state;
    for (size_t i = 0; i < request->count; i++) {
        struct weight *weight = &request->weights[i];
        if (atomic_load_explicit(&exchange->cancelled, memory_order_relaxed))
            return error_set(error, CODE_CANCELLED, "the work was cancelled");
        if (svd_of(&exchange->arena, weight->rows, weight->columns, weight->tensor->data, request->vectors,
                   &weight->svd, error) == CODE_OK)
            continue;
        error_at(error, weight->name);
        return error_at(error, "parameters");
    }
    text_init(&exchange->answer, &exchange->arena);
    svd_report(&exchange->answer, request);
    if (exchange->answer.failed) return error_out_of_memory(error);
    exchange->status = 200;
    exchange->content_type = "application/json";
    return CODE_OK;
}
