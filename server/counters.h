/* What the daemon counts; GET /metrics writes it out. The counting functions take no lock; any thread may call them. */
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct mistake;

enum { COUNTERS_STATUSES = 21, COUNTERS_BOUNDS = 16, COUNTERS_ROUTES_MAX = 32, COUNTERS_MISTAKES_MAX = 256 };

/* What is counted by status; the last, 0, stands for all others. COUNTERS_BROKEN (as nginx has it): the connection
 * broke before the answer. */
enum { COUNTERS_BROKEN = 499 };
extern const int counters_statuses[COUNTERS_STATUSES];

/* Upper ends of the buckets of durations, in seconds; the last bucket, behind them, has no end. */
extern const double counters_bounds[COUNTERS_BOUNDS];

typedef atomic_uint_fast64_t counter;

extern struct counters {
    struct {
        const char *name;
        counter by_status[COUNTERS_STATUSES];
        counter by_duration[COUNTERS_BOUNDS + 1];
        counter nanoseconds;
    } routes[COUNTERS_ROUTES_MAX + 1]; /* in the order of their table; the last of route_count + 1 is "other" */
    size_t route_count;
    counter checks_passed, checks_failed;
    counter bytes_received, bytes_sent; /* of bodies */
    counter device_failures, device_shortages;
    counter mistakes[COUNTERS_MISTAKES_MAX]; /* by their place in core's table */
    atomic_int_fast64_t in_flight;
} counters;

/* Before the first request: the next route of the table. Those beyond COUNTERS_ROUTES_MAX are counted as "other". */
void counters_add_route(const char *name);

/* A request begins; it ends with an answer of that status, or with 0 where the connection broke before one was
 * complete. route: its place in the table, or anything behind the table where none fits. Bytes are those of the bodies.
 */
void counters_request_begins(void);
void counters_request_ends(size_t route, int status, double seconds, size_t received, size_t sent);

/* Requests that have begun and have not ended. */
size_t counters_in_flight(void);

/* A check was graded. */
void counters_check(bool passed);

/* A mistake was named in a diagnosis. */
void counters_mistake(const struct mistake *mistake);

/* A request's computation on a device failed, or found too little memory there. */
void counters_device_failure(bool memory);

#endif
