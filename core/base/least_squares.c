#include "core/base/least_squares.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"

/* What is left of a column beside the others, below which it is one of their sums. */
#define INDEPENDENT 1e-12

bool least_squares_solve(size_t n, double *a, double *b)
{
    for (size_t j = 0; j < n; j++) {
        if (a[j * n + j] == 0) {
            a[j * n + j] = 1;
            b[j] = 0;
        }
        double whole = a[j * n + j], pivot = whole;
        for (size_t k = 0; k < j; k++)
            pivot -= a[j * n + k] * a[j * n + k];
        if (!(pivot > INDEPENDENT * whole)) return false;
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

/* The search: some unknowns are free, all others stay where they are. */
struct between {
    size_t n;
    const double *a, *b, *low, *high;
    double *x;
    size_t *free, free_count;
    bool *is_free, *depends; /* depends: it was tried, and is a sum of the free ones */
    double *part, *to;       /* the equations of the free ones, and where they go */
    double least;            /* what promises no more than that is rounding */
};

/* How fast the distance falls with x[i]. */
static double slope(const struct between *w, size_t i)
{
    double s = w->b[i];
    for (size_t j = 0; j < w->n; j++)
        s -= w->a[i * w->n + j] * w->x[j];
    return s;
}

/* The unknown that is not free and promises most; n where none does. */
static size_t choose(const struct between *w)
{
    size_t best = w->n;
    double most = w->least;
    for (size_t i = 0; i < w->n; i++) {
        double length = sqrt(w->a[i * w->n + i]);
        if (w->is_free[i] || w->depends[i] || length == 0) continue;
        double s = slope(w, i);
        if ((s > 0 && w->x[i] >= w->high[i]) || (s < 0 && w->x[i] <= w->low[i])) continue;
        if (!(fabs(s) / length > most)) continue;
        most = fabs(s) / length;
        best = i;
    }
    return best;
}

static void free_one(struct between *w, size_t i)
{
    w->free[w->free_count++] = i;
    w->is_free[i] = true;
}

static void fix(struct between *w, size_t place)
{
    w->is_free[w->free[place]] = false;
    w->free[place] = w->free[--w->free_count];
}

/* Where the free ones go if nothing bounds them; false where one is a sum of the others. */
static bool aim(struct between *w)
{
    size_t m = w->free_count;
    for (size_t r = 0; r < m; r++) {
        w->to[r] = w->b[w->free[r]];
        for (size_t j = 0; j < w->n; j++)
            if (!w->is_free[j]) w->to[r] -= w->a[w->free[r] * w->n + j] * w->x[j];
        for (size_t c = 0; c <= r; c++)
            w->part[r * m + c] = w->a[w->free[r] * w->n + w->free[c]];
    }
    return least_squares_solve(m, w->part, w->to);
}

/* Goes there up to the first bound, and fixes what meets it. True where there was none on the way. */
static bool go(struct between *w)
{
    size_t first = w->free_count;
    double step = 1, bound = 0;
    for (size_t r = 0; r < w->free_count; r++) {
        size_t i = w->free[r];
        if (w->to[r] >= w->low[i] && w->to[r] <= w->high[i]) continue;
        double end = w->to[r] > w->high[i] ? w->high[i] : w->low[i];
        double part = (end - w->x[i]) / (w->to[r] - w->x[i]);
        if (first < w->free_count && part >= step) continue;
        first = r;
        step = part;
        bound = end;
    }
    for (size_t r = 0; r < w->free_count; r++)
        w->x[w->free[r]] += step * (w->to[r] - w->x[w->free[r]]);
    if (first == w->free_count) return true;
    w->x[w->free[first]] = bound;
    fix(w, first);
    return false;
}

bool least_squares_between(struct arena *arena, size_t n, const double *a, const double *b, const double *low,
                           const double *high, double *x)
{
    struct between w = {.n = n, .a = a, .b = b, .low = low, .high = high, .x = x};
    w.free = arena_array(arena, n, sizeof *w.free);
    w.is_free = arena_zeroed(arena, n, sizeof *w.is_free);
    w.depends = arena_zeroed(arena, n, sizeof *w.depends);
    w.part = arena_doubles(arena, n * n);
    w.to = arena_doubles(arena, n);
    if (w.free == NULL || w.is_free == NULL || w.depends == NULL || w.part == NULL || w.to == NULL) return false;
    memset(x, 0, n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        if (a[i * n + i] > 0) w.least = fmax(w.least, 1e-13 * fabs(b[i]) / sqrt(a[i * n + i]));
    for (size_t turns = 3 * n; turns > 0; turns--) { /* it ends by itself, but for rounding */
        size_t next = choose(&w);
        if (next == n) return true;
        free_one(&w, next);
        if (!aim(&w)) {
            fix(&w, w.free_count - 1);
            w.depends[next] = true;
            continue;
        }
        memset(w.depends, 0, n * sizeof *w.depends);
        while (!go(&w) && w.free_count > 0)
            if (!aim(&w)) break;
    }
    return true;
}
