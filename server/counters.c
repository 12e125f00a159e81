#include "server/counters.h"

#include <stdint.h>

#include "core/ops/mistake.h"

const int counters_statuses[COUNTERS_STATUSES] = {200, 204, 304, 400, 401, 403, 404, 405, 411, 413, 414,
                                                  415, 417, 421, 422, 429, 499, 500, 501, 503, 0};

const double counters_bounds[COUNTERS_BOUNDS] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                 0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

struct counters counters = {.routes[0].name = "other"};

static void add(counter *c, uint64_t amount)
{
    atomic_fetch_add_explicit(c, amount, memory_order_relaxed);
}

void counters_add_route(const char *name)
{
    if (counters.route_count == COUNTERS_ROUTES_MAX) return;
    counters.routes[counters.route_count++].name = name;
    counters.routes[counters.route_count].name = "other";
}

void counters_request_begins(void)
{
    atomic_fetch_add_explicit(&counters.in_flight, 1, memory_order_relaxed);
}

void counters_request_ends(size_t route, int status, double seconds, size_t received, size_t sent)
{
    atomic_fetch_sub_explicit(&counters.in_flight, 1, memory_order_relaxed);
    if (route > counters.route_count) route = counters.route_count;
    if (status == 0) status = COUNTERS_BROKEN;
    size_t column = 0, bucket = 0;
    while (column < COUNTERS_STATUSES - 1 && counters_statuses[column] != status)
        column++;
    while (bucket < COUNTERS_BOUNDS && seconds > counters_bounds[bucket])
        bucket++;
    add(&counters.routes[route].by_status[column], 1);
    add(&counters.routes[route].by_duration[bucket], 1);
    add(&counters.routes[route].nanoseconds, seconds > 0 ? (uint64_t)(seconds * 1e9) : 0);
    add(&counters.bytes_received, received);
    add(&counters.bytes_sent, sent);
}

size_t counters_in_flight(void)
{
    int_fast64_t in_flight = atomic_load_explicit(&counters.in_flight, memory_order_relaxed);
    return in_flight > 0 ? (size_t)in_flight : 0;
}

void counters_check(bool passed)
{
    add(passed ? &counters.checks_passed : &counters.checks_failed, 1);
}

void counters_mistake(const struct mistake *mistake)
{
    for (size_t i = 0; i < COUNTERS_MISTAKES_MAX && mistakes[i] != NULL; i++)
        if (mistakes[i] == mistake) add(&counters.mistakes[i], 1);
}

void counters_device_failure(bool memory)
{
    add(memory ? &counters.device_shortages : &counters.device_failures, 1);
}
