#include "core/check/kink_equations.h"

#include <math.h>

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
    if (right == NULL || other == NULL) return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
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

/* Solves the normal equations by Cholesky's method, in place; false where they do not say enough. What changes nothing,
 * as an ELU whose slopes meet, is not to be found out and stays as it is. */
static bool solve(size_t n, double *a, double *b)
{
    for (size_t j = 0; j < n; j++) {
        if (a[j * n + j] == 0) {
            a[j * n + j] = 1;
            b[j] = 0;
        }
        double whole = a[j * n + j], pivot = whole;
        for (size_t k = 0; k < j; k++)
            pivot -= a[j * n + k] * a[j * n + k];
        if (!(pivot > 1e-12 * whole)) return false;
        a[j * n + j] = sqrt(pivot);
        for (size_t i = j + 1; i < n; i++) {
            for (size_t k = 0; k < j; k++)
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
            a[i * n + j] /= a[j * n + j];
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
    return true;
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

/* What is still open down to a stage, by all tensors that are ready; taken back where it does not make more of them the
 * student's. */
int kink_settle_jointly(struct settling *s, size_t end, size_t *open)
{
    struct equations q = {.open = open, .n = elements_ready(s, end, NULL, NULL)};
    for (size_t i = 0; i < end; i++)
        if (!s->spots[i].settled) open[q.open_count++] = i;
    double rows = 3 * (double)q.open_count;
    if (q.open_count == 0 || q.n < q.open_count || rows * (double)q.n > KINK_KEPT_MOST || kink_takes_too_long(s, rows))
        return CODE_OK;
    size_t n = q.open_count, before = kink_fitting(s);
    q.by = arena_doubles(s->arena, n * q.n);
    q.multiples = arena_doubles(s->arena, 3 * n);
    q.residual = arena_doubles(s->arena, q.n);
    q.products = arena_doubles(s->arena, n * n + n);
    if (q.by == NULL || q.multiples == NULL || q.residual == NULL || q.products == NULL)
        return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
    if (measure_all(s, end, &q) != CODE_OK) return s->error->code;
    double *times = q.products + n * n;
    for (size_t i = 0; i < n; i++) {
        times[i] = numbers_dot(q.n, q.by + i * q.n, q.residual);
        for (size_t j = 0; j <= i; j++)
            q.products[i * n + j] = numbers_dot(q.n, q.by + i * q.n, q.by + j * q.n);
    }
    if (!solve(n, q.products, times)) return CODE_OK;
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
