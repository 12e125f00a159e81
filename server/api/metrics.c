#include "server/api/metrics.h"

#include <stdint.h>
#include <string.h>

#include "server/api/routes.h"
#include "server/http/workers.h"

/* What is counted by status; the last stands for all others. 499 (as nginx has it): the connection broke
 * before the answer. */
static const int statuses[] = {200, 204, 304, 400, 404, 405, 411, 413, 415, 417, 422, 429, 499, 500, 501, 503, 0};

/* Upper ends of the histogram's buckets, in seconds. */
static const double bounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

enum {
    STATUS_COUNT = sizeof statuses / sizeof statuses[0],
    BOUND_COUNT = sizeof bounds / sizeof bounds[0],
    MISTAKES_MAX = 128,
    ROUTES_MAX = 32 /* the table's, then "static" and "other" */
};

static struct {
    atomic_uint_fast64_t requests[ROUTES_MAX][STATUS_COUNT];
    atomic_uint_fast64_t buckets[ROUTES_MAX][BOUND_COUNT + 1];
    atomic_uint_fast64_t nanoseconds[ROUTES_MAX];
    atomic_uint_fast64_t passed, failed, received, sent;
    atomic_uint_fast64_t device_failures, device_shortages;
    atomic_uint_fast64_t mistakes[MISTAKES_MAX]; /* by their place in the table */
    atomic_int_fast64_t in_flight;
} counters;

static void add(atomic_uint_fast64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Rows of the counters: the table's routes that fit, then static, then all else. */
static size_t table_rows(void)
{
    return route_count < ROUTES_MAX - 2 ? route_count : ROUTES_MAX - 2;
}

static size_t row_of(const struct route *route)
{
    if (route == &static_route) return table_rows();
    if (route == NULL || (size_t)(route - routes) >= table_rows()) return table_rows() + 1;
    return (size_t)(route - routes);
}

static const char *row_name(size_t row)
{
    if (row < table_rows()) return routes[row].path;
    return row == table_rows() ? static_route.path : "other";
}

void metrics_request_begins(void)
{
    atomic_fetch_add_explicit(&counters.in_flight, 1, memory_order_relaxed);
}

void metrics_request_ends(const struct route *route, int status, double seconds, size_t received, size_t sent)
{
    atomic_fetch_sub_explicit(&counters.in_flight, 1, memory_order_relaxed);
    if (status == 0) status = 499;
    size_t row = row_of(route), column = 0, bucket = 0;
    while (column < STATUS_COUNT - 1 && statuses[column] != status)
        column++;
    while (bucket < BOUND_COUNT && seconds > bounds[bucket])
        bucket++;
    add(&counters.requests[row][column], 1);
    add(&counters.buckets[row][bucket], 1);
    add(&counters.nanoseconds[row], seconds > 0 ? (uint64_t)(seconds * 1e9) : 0);
    add(&counters.received, received);
    add(&counters.sent, sent);
}

void metrics_check(bool passed)
{
    add(passed ? &counters.passed : &counters.failed, 1);
}

void metrics_mistake(const struct mistake *mistake)
{
    for (size_t i = 0; i < MISTAKES_MAX && mistakes[i] != NULL; i++)
        if (mistakes[i] == mistake) add(&counters.mistakes[i], 1);
}

void metrics_device_failure(bool memory)
{
    add(memory ? &counters.device_shortages : &counters.device_failures, 1);
}

static void head(struct text *text, const char *name, const char *type, const char *help)
{
    text_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_count(struct text *text, const char *name, const char *labels, uint64_t value)
{
    text_format(text, "%s%s %llu\n", name, labels, (unsigned long long)value);
}

static void write_requests(struct text *text)
{
    const char *name = "gradcheckd_requests_total";
    head(text, name, "counter", "Requests by route and status; 499: the connection broke before the answer.");
    for (size_t row = 0; row < table_rows() + 2; row++) {
        for (size_t column = 0; column < STATUS_COUNT; column++) {
            uint64_t count = get(&counters.requests[row][column]);
            if (count == 0) continue;
            text_format(text, "%s{route=\"%s\",status=\"%d\"} %llu\n", name, row_name(row), statuses[column],
                        (unsigned long long)count);
        }
    }
}

static void write_histogram(struct text *text)
{
    const char *name = "gradcheckd_request_duration_seconds";
    head(text, name, "histogram", "From the request line to the last byte of the answer.");
    for (size_t row = 0; row < table_rows() + 2; row++) {
        unsigned long long sum = 0;
        for (size_t bucket = 0; bucket < BOUND_COUNT; bucket++) {
            sum += get(&counters.buckets[row][bucket]);
            text_format(text, "%s_bucket{route=\"%s\",le=\"%g\"} %llu\n", name, row_name(row), bounds[bucket], sum);
        }
        sum += get(&counters.buckets[row][BOUND_COUNT]);
        text_format(text, "%s_bucket{route=\"%s\",le=\"+Inf\"} %llu\n", name, row_name(row), sum);
        text_format(text, "%s_sum{route=\"%s\"} %.9f\n", name, row_name(row),
                    1e-9 * (double)get(&counters.nanoseconds[row]));
        text_format(text, "%s_count{route=\"%s\"} %llu\n", name, row_name(row), sum);
    }
}

enum outcome metrics_handle(struct exchange *exchange, bool heavy)
{
    (void)heavy;
    struct text *text = &exchange->answer;
    exchange->status = 200;
    exchange->content_type = "text/plain; version=0.0.4; charset=utf-8";
    exchange_answer_header(exchange, "Cache-Control", "no-store");
    text_init(text, &exchange->arena);
    write_requests(text);
    write_histogram(text);
    head(text, "gradcheckd_checks_total", "counter", "Checks graded, by result.");
    write_count(text, "gradcheckd_checks_total", "{result=\"passed\"}", get(&counters.passed));
    write_count(text, "gradcheckd_checks_total", "{result=\"failed\"}", get(&counters.failed));
    head(text, "gradcheckd_device_failures_total", "counter",
         "Requests whose computation on the CUDA device failed, or found too little memory, by cause.");
    write_count(text, "gradcheckd_device_failures_total", "{cause=\"device\"}", get(&counters.device_failures));
    write_count(text, "gradcheckd_device_failures_total", "{cause=\"memory\"}", get(&counters.device_shortages));
    head(text, "gradcheckd_mistakes_total", "counter", "Mistakes named in diagnoses, by id.");
    for (size_t i = 0; i < MISTAKES_MAX && mistakes[i] != NULL; i++)
        text_format(text, "gradcheckd_mistakes_total{id=\"%s\"} %llu\n", mistakes[i]->id,
                    (unsigned long long)get(&counters.mistakes[i]));
    head(text, "gradcheckd_in_flight", "gauge", "Requests that have begun and are not answered yet.");
    int_fast64_t in_flight = atomic_load_explicit(&counters.in_flight, memory_order_relaxed);
    write_count(text, "gradcheckd_in_flight", "", in_flight > 0 ? (uint64_t)in_flight : 0);
    head(text, "gradcheckd_queue_length", "gauge", "Requests that wait for a worker.");
    write_count(text, "gradcheckd_queue_length", "", workers_waiting());
    head(text, "gradcheckd_bytes_received_total", "counter", "Bytes of request bodies.");
    write_count(text, "gradcheckd_bytes_received_total", "", get(&counters.received));
    head(text, "gradcheckd_bytes_sent_total", "counter", "Bytes of answer bodies.");
    write_count(text, "gradcheckd_bytes_sent_total", "", get(&counters.sent));
    head(text, "gradcheckd_build_info", "gauge", "Always 1; the label says the version.");
    write_count(text, "gradcheckd_build_info", "{version=\"" GRADCHECKD_VERSION "\"}", 1);
    return OUTCOME_ANSWERED;
}
