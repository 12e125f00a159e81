#include "server/api/optimizer_step.h"

#include "core/update/update_check.h"
#include "server/api/read_body.h"
#include "server/api/reveal.h"
#include "server/counters.h"
#include "server/report/update_json.h"

int api_optimizer_step_measure(struct exchange *exchange, struct load *load, struct error *error)
{
    struct update_task *request = arena_zeroed(&exchange->arena, 1, sizeof *request);
    if (request == NULL) return error_out_of_memory(error);
    exchange->state = request;
    int code = read_body(exchange, &request->document, error);
    if (code == CODE_OK) code = update_task_read(&exchange->arena, exchange->options, request, error);
    if (code == CODE_OK && request->check.reveal) code = reveal_allowed(exchange, "reveal", error);
    load->work = request->work;
    return code;
}

int api_optimizer_step_run(struct exchange *exchange, struct error *error)
{
    struct update_task *request = exchange->state;
    struct update_report report;
    request->check.cancelled = &exchange->cancelled;
    if (update_check_run(&exchange->arena, &request->check, &report, error) != CODE_OK) return error->code;
    text_init(&exchange->answer, &exchange->arena);
    update_report_json(&exchange->answer, request, &report);
    if (exchange->answer.failed) return error_out_of_memory(error);
    exchange->status = 200;
    exchange->content_type = "application/json";
    for (size_t i = 0; i < report.found_count; i++)
        counters_mistake(report.found[i].slip->mistake);
    return CODE_OK;
}
