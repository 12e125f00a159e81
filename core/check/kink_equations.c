#include "core/check/kink_equations.h"

#include <math.h>

#include "core/base/least_squares.h"
#include "core/base/numbers.h"

/* Spots whose choices change all tensors that are ready by multiples of one vector each: how often, by least squares.
 */
struct equations {
    const size_t *open;
    size_t open_count, n; /* n: elements of all tensors together */
    double *by;           /* [open_count, n]: what the first choice changes; */
    double *multiples;    /* [open_count, 3]: what the others are of that; */
    double *residual;     /* [n] */
    double *products;     /* [open_count, open_count], and the right side behind it */
};

static size_t elements_ready(const struct settling *s, size_t end, double *to, const double *less)
{
    size_t n = 0;
    for (size_t t = 0; t < s->tensor_count; t++) {
        if (s->tensors[t].student == NULL || !kink_ready(s, t, end)) continue;
        const double *g = kink_gradient(s, t);
        for (size_t e = 0; to != NULL && e < s->tensors[t].value->size; e++)
            to[n + e] = less != NULL ? g[e] - less[n + e] : g[e];
        n += s->tensors[t].value->size;
    }
    return n;
}

static int measure_all(struct settling *s, size_t end, struct equations *q)
{
    double *right = arena_doubles(s->arena, q->n), *other = arena_doubles(s->arena, q->n);
    if (right == NULL || other == NULL) return error_out_of_memory(s->error);
    elements_ready(s, end, right, NULL);
    for (size_t t = 0, n = 0; t < s->tensor_count; t++) {
        if (s->tensors[t].student == NULL || !kink_ready(s, t, end)) continue;
        for (size_t e = 0; e < s->tensors[t].value->size; e++, n++)
            q->residual[n] = s->tensors[t].student[e] - right[n];
    }
    for (size_t i = 0; i < q->open_count; i++) {
        struct spot *spot = &s->spots[q->open[i]];
        double *by = q->by + i * q->n;
        for (size_t k = 1; k <= spot->side_count; k++) {
            kink_choose(spot, k);
            if (kink_run(s) != CODE_OK) return s->error->code;
            elements_ready(s, end, k == 1 ? by : other, right);
            double squares = numbers_dot(q->n, by, by);
            q->multiples[3 * i + k - 1] = k == 1 ? 1 : squares > 0 ? numbers_dot(q->n, by, other) / squares : 0;
        }
        kink_choose(spot, 0);
    }
    return kink_run(s);
}

/* Makes the normal equations. */
static int set_up(struct settling *s, size_t end, struct equations *q)
{
    size_t n = q->open_count;
    q->by = arena_doubles(s->arena, n * q->n);
    q->multiples = arena_doubles(s->arena, 3 * n);
    q->residual = arena_doubles(s->arena, q->n);
    q->products = arena_doubles(s->arena, n * n + n);
    if (q->by == NULL || q->multiples == NULL || q->residual == NULL || q->products == NULL)
        return error_out_of_memory(s->error);
    if (measure_all(s, end, q) != CODE_OK) return s->error->code;
    for (size_t i = 0; i < n; i++) {
        q->products[n * n + i] = numbers_dot(q->n, q->by + i * q->n, q->residual);
        for (size_t j = 0; j < n; j++)
            q->products[i * n + j] = numbers_dot(q->n, q->by + i * q->n, q->by + j * q->n);
    }
    return CODE_OK;
}

/* The choice whose multiple is nearest. */
static size_t nearest_choice(const struct spot *spot, const double *multiples, double times)
{
    size_t nearest = 0;
    double off = fabs(times);
    for (size_t k = 1; k <= spot->side_count; k++)
        if (fabs(times - multiples[k - 1]) < off) {
            nearest = k;
            off = fabs(times - multiples[k - 1]);
        }
    return nearest;
}

int kink_settle_jointly(struct settling *s, size_t end, size_t *open)
{
    struct equations q = {.open = open, .n = elements_ready(s, end, NULL, NULL)};
    for (size_t i = 0; i < end; i++)
        if (!s->spots[i].settled) open[q.open_count++] = i;
    double rows = 3 * (double)q.open_count;
    if (q.open_count == 0 || q.n < q.open_count || !kink_may_keep(s, rows, (double)q.n)) return CODE_OK;
    size_t n = q.open_count, before = kink_fitting(s);
    if (set_up(s, end, &q) != CODE_OK) return s->error->code;
    double *times = q.products + n * n;
    if (!least_squares_solve(n, q.products, times)) return CODE_OK;
    for (size_t i = 0; i < n; i++) {
        struct spot *spot = &s->spots[open[i]];
        kink_choose(spot, nearest_choice(spot, q.multiples + 3 * i, times[i]));
    }
    if (kink_run(s) != CODE_OK) return s->error->code;
    bool better = kink_fitting(s) > before;
    for (size_t i = 0; i < n; i++) {
        s->spots[open[i]].settled = better;
        if (!better) kink_choose(&s->spots[open[i]], 0);
    }
    return better ? CODE_OK : kink_run(s);
}

/* ---- anywhere between the sides ---- */

/* Products that the search for slopes between the sides may take, about. */
#define BETWEEN_MOST 1e8

/* How often each change may be made: between the sides that a spot has and where it is. */
static void find_bounds(const struct settling *s, const struct equations *q, double *low, double *high)
{
    for (size_t i = 0; i < q->open_count; i++) {
        low[i] = high[i] = 0;
        for (size_t k = 0; k < s->spots[q->open[i]].side_count; k++) {
            low[i] = fmin(low[i], q->multiples[3 * i + k]);
            high[i] = fmax(high[i], q->multiples[3 * i + k]);
        }
    }
}

/* Below that part of the largest, what is left of a change divided by another is rounding; and a unit says nothing. */
#define UNIT_ROUNDING 1e-9
#define UNIT_LEAST 1e-6

/* The largest of which both are whole multiples, up to `rounding`. */
static double common_unit(double a, double b, double rounding)
{
    while (b > rounding) {
        double left = fmod(a, b);
        a = b;
        b = b - left <= rounding ? 0 : left;
    }
    return a;
}

/* What all changes of one number are whole multiples of, as data with few decimals makes them; 0 where there is none.
 * *range: about how far all of them together, chosen at random, reach. */
static double unit_of(const struct settling *s, const struct equations *q, size_t e, double *range)
{
    double unit = 0, largest = 0;
    *range = 0;
    for (size_t i = 0; i < q->open_count; i++)
        largest = fmax(largest, fabs(q->by[i * q->n + e]));
    for (size_t i = 0; i < q->open_count; i++) {
        double most = 0;
        for (size_t k = 0; k < s->spots[q->open[i]].side_count; k++) {
            double change = fabs(q->multiples[3 * i + k] * q->by[i * q->n + e]);
            unit = common_unit(fmax(unit, change), fmin(unit, change), UNIT_ROUNDING * largest);
            most = fmax(most, change);
        }
        *range += most * most;
    }
    *range = 2 * sqrt(*range);
    return unit > UNIT_LEAST * largest ? unit : 0;
}

/* Whether the choices are more than the sums that they can come to, so that any sum between has some that make it; and
 * what is looked for is such a sum. */
static bool are_ambiguous(const struct settling *s, const struct equations *q)
{
    double choices = 0, sums = 0;
    for (size_t i = 0; i < q->open_count; i++)
        choices += log2(1 + (double)s->spots[q->open[i]].side_count);
    for (size_t t = 0, n = 0; t < s->tensor_count; t++) {
        if (s->tensors[t].student == NULL || !kink_ready(s, t, s->count)) continue;
        for (size_t e = 0; e < s->tensors[t].value->size; e++, n++) {
            double range, allowed = s->tensors[t].allowed[e], unit = unit_of(s, q, n, &range);
            if (unit > 2 * allowed && fabs(remainder(q->residual[n], unit)) > allowed) return false;
            sums += log2(1 + range / fmax(unit, 2 * allowed));
        }
    }
    return choices > sums;
}

/* Adds the changes to the pass's gradients, so often each. */
static void add_changes(struct settling *s, const struct equations *q, const double *times)
{
    for (size_t t = 0, n = 0; t < s->tensor_count; t++) {
        size_t size = s->tensors[t].value->size;
        if (s->tensors[t].student == NULL || !kink_ready(s, t, s->count)) continue;
        double *g = s->pass->gradients[s->tensors[t].value->index];
        for (size_t i = 0; i < q->open_count; i++)
            for (size_t e = 0; times[i] != 0 && e < size; e++)
                g[e] += times[i] * q->by[i * q->n + n + e];
        n += size;
    }
}

int kink_settle_between(struct settling *s, size_t *open, bool *ambiguous)
{
    struct equations q = {.open = open, .n = elements_ready(s, s->count, NULL, NULL)};
    for (size_t i = 0; i < s->count; i++)
        if (kink_is_of_error(&s->spots[i])) open[q.open_count++] = i;
    double n = (double)q.open_count, rows = 3 * n, rank = fmin(n, (double)q.n);
    if (n == 0 || n * (n * n + rank * rank * rank) > BETWEEN_MOST || !kink_may_keep(s, rows, (double)q.n))
        return CODE_OK;
    double *low = arena_doubles(s->arena, q.open_count), *high = arena_doubles(s->arena, q.open_count);
    double *times = arena_doubles(s->arena, q.open_count);
    if (low == NULL || high == NULL || times == NULL) return error_out_of_memory(s->error);
    for (size_t i = 0; i < q.open_count; i++)
        kink_choose(&s->spots[open[i]], 0);
    if (kink_run(s) != CODE_OK || set_up(s, s->count, &q) != CODE_OK) return s->error->code;
    *ambiguous = are_ambiguous(s, &q);
    find_bounds(s, &q, low, high);
    if (!least_squares_between(s->arena, q.open_count, q.products, q.products + q.open_count * q.open_count, low, high,
                               times))
        return error_out_of_memory(s->error);
    add_changes(s, &q, times);
    for (size_t i = 0; i < q.open_count; i++)
        s->spots[open[i]].between = times[i] != 0;
    return CODE_OK;
}
