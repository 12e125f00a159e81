#include "server/api/metrics.h"

#include <stdint.h>

#include "core/base/memory.h"
#include "core/ops/mistake.h"
#include "server/counters.h"
#include "server/http/workers.h"

static unsigned long long get(const counter *c)
{
    return (unsigned long long)atomic_load_explicit(c, memory_order_relaxed);
}

static void head(struct text *text, const char *name, const char *type, const char *help)
{
    text_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_count(struct text *text, const char *name, const char *labels, unsigned long long value)
{
    text_format(text, "%s%s %llu\n", name, labels, value);
}

static void write_requests(struct text *text)
{
    const char *name = "gradcheckd_requests_total";
    head(text, name, "counter", "Requests by route and status; 499: the connection broke before the answer.");
    for (size_t r = 0; r <= counters.route_count; r++)
        for (size_t s = 0; s < COUNTERS_STATUSES; s++) {
            unsigned long long count = get(&counters.routes[r].by_status[s]);
            if (count == 0) continue;
            text_format(text, "%s{route=\"%s\",status=\"%d\"} %llu\n", name, counters.routes[r].name,
                        counters_statuses[s], count);
        }
}

static void write_durations(struct text *text)
{
    const char *name = "gradcheckd_request_duration_seconds";
    head(text, name, "histogram", "From the request line to the last byte of the answer.");
    for (size_t r = 0; r <= counters.route_count; r++) {
        const char *route = counters.routes[r].name;
        unsigned long long sum = 0;
        for (size_t b = 0; b < COUNTERS_BOUNDS; b++) {
            sum += get(&counters.routes[r].by_duration[b]);
            text_format(text, "%s_bucket{route=\"%s\",le=\"%g\"} %llu\n", name, route, counters_bounds[b], sum);
        }
        sum += get(&counters.routes[r].by_duration[COUNTERS_BOUNDS]);
        text_format(text, "%s_bucket{route=\"%s\",le=\"+Inf\"} %llu\n", name, route, sum);
        text_format(text, "%s_sum{route=\"%s\"} %.9f\n", name, route,
                    1e-9 * (double)get(&counters.routes[r].nanoseconds));
        text_format(text, "%s_count{route=\"%s\"} %llu\n", name, route, sum);
    }
}

static void write_work(struct text *text)
{
    head(text, "gradcheckd_checks_total", "counter", "Checks graded, by result.");
    write_count(text, "gradcheckd_checks_total", "{result=\"passed\"}", get(&counters.checks_passed));
    write_count(text, "gradcheckd_checks_total", "{result=\"failed\"}", get(&counters.checks_failed));
    head(text, "gradcheckd_device_failures_total", "counter",
         "Requests whose computation on a device failed, or found too little memory there, by cause.");
    write_count(text, "gradcheckd_device_failures_total", "{cause=\"device\"}", get(&counters.device_failures));
    write_count(text, "gradcheckd_device_failures_total", "{cause=\"memory\"}", get(&counters.device_shortages));
    head(text, "gradcheckd_mistakes_total", "counter", "Mistakes named in diagnoses, by id.");
    for (size_t i = 0; i < COUNTERS_MISTAKES_MAX && mistakes[i] != NULL; i++)
        text_format(text, "gradcheckd_mistakes_total{id=\"%s\"} %llu\n", mistakes[i]->id, get(&counters.mistakes[i]));
}

static void write_traffic(struct text *text)
{
    head(text, "gradcheckd_in_flight", "gauge", "Requests that have begun and are not answered yet.");
    write_count(text, "gradcheckd_in_flight", "", counters_in_flight());
    head(text, "gradcheckd_memory_bytes", "gauge", "What requests take of the memory, bodies and answers included.");
    write_count(text, "gradcheckd_memory_bytes", "", memory_taken());
    head(text, "gradcheckd_queue_length", "gauge", "Requests that wait for a worker.");
    write_count(text, "gradcheckd_queue_length", "", workers_waiting());
    head(text, "gradcheckd_bytes_received_total", "counter", "Bytes of request bodies.");
    write_count(text, "gradcheckd_bytes_received_total", "", get(&counters.bytes_received));
    head(text, "gradcheckd_bytes_sent_total", "counter", "Bytes of answer bodies.");
    write_count(text, "gradcheckd_bytes_sent_total", "", get(&counters.bytes_sent));
}

int api_metrics(struct exchange *exchange, struct error *error)
{
    (void)error;
    struct text *text = &exchange->answer;
    exchange->status = 200;
    exchange->content_type = "text/plain; version=0.0.4; charset=utf-8";
    exchange_answer_header(exchange, "Cache-Control", "no-store");
    text_init(text, &exchange->arena);
    write_requests(text);
    write_durations(text);
    write_work(text);
    write_traffic(text);
    head(text, "gradcheckd_build_info", "gauge", "Always 1; the label says the version.");
    write_count(text, "gradcheckd_build_info", "{version=\"" GRADCHECKD_VERSION "\"}", 1);
    return CODE_OK;
}
