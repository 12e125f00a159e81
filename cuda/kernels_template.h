/* The kernels in one arithmetic, said by REAL and NAME(x). Included by backend.cu alone. Whatever the grid, they go
 * through all elements; sums are taken in float64. */

/* For i: every element that is this thread's. */
#define EACH(i, n)                                                                                                     \
    for (size_t i = (size_t)block_index() * block_size() + thread_index(),                                             \
                step_##i = (size_t)grid_size() * block_size();                                                         \
         i < (n); i += step_##i)

/* ---- elementwise ---- */

KERNEL void NAME(map_kernel)(enum map f, REAL a, size_t n, const REAL *x, REAL *y)
{
    EACH(i, n) y[i] = NAME(map_one)(f, a, x[i]);
}

KERNEL void NAME(map_gradient_kernel)(enum map f, REAL a, size_t n, const REAL *x, const REAL *y, const REAL *dy,
                                      REAL *dx)
{
    EACH(i, n) dx[i] = dy[i] * NAME(map_slope_one)(f, a, x[i], y[i]);
}

KERNEL void NAME(loss_gradient_kernel)(enum elementwise_loss l, REAL a, REAL scale, size_t n, const REAL *p,
                                       const REAL *t, REAL *dp)
{
    EACH(i, n) dp[i] = scale * NAME(loss_slope_one)(l, a, p[i], t[i]);
}

KERNEL void NAME(update_kernel)(struct update u, size_t n, const REAL *g, REAL *w, REAL *first, REAL *second)
{
    switch (u.rule) {
#define UPDATE_CASE(name)                                                                                              \
    case UPDATE_##name:                                                                                                \
        EACH(i, n) NAME(update_##name)(&u, g[i], &w[i], &first[i], &second[i]);                                        \
        break;
        FORMULAS_OF_UPDATES(UPDATE_CASE)
#undef UPDATE_CASE
    case UPDATE_COUNT:
        break;
    }
}

KERNEL void NAME(multiply_kernel)(size_t n, const REAL *x, const REAL *y, REAL *z)
{
    EACH(i, n) z[i] = x[i] * y[i];
}

KERNEL void NAME(axpby_kernel)(size_t n, REAL a, const REAL *x, REAL b, REAL *y)
{
    EACH(i, n) y[i] = b == 0 ? a * x[i] : a * x[i] + b * y[i];
}

/* ---- matrices and row vectors ---- */

/* Each thread goes down one column of a strip, so that no index has to be divided. Blocks: strips of WARP columns times
 * chunks of rows. Within a chunk each warp takes every WARPS-th row. */
#define COLUMN(strips) ((size_t)(block_index() % (strips)) * WARP + thread_index() % WARP)
#define EACH_ROW(i, rows, strips, chunks)                                                                              \
    for (size_t i = (size_t)(block_index() / (strips)) * WARPS + thread_index() / WARP; i < (rows);                    \
         i += WARPS * (size_t)(chunks))

/* X[i,j] += v[j] */
KERNEL void NAME(add_row_kernel)(size_t rows, size_t columns, unsigned strips, unsigned chunks, const REAL *v, REAL *X)
{
    size_t j = COLUMN(strips);
    if (j >= columns) return;
    REAL add = v[j];
    EACH_ROW(i, rows, strips, chunks) X[i * columns + j] += add;
}

/* Y[i,j] = X[i,j] * v[j] */
KERNEL void NAME(multiply_row_kernel)(size_t rows, size_t columns, unsigned strips, unsigned chunks, const REAL *v,
                                      const REAL *X, REAL *Y)
{
    size_t j = COLUMN(strips);
    if (j >= columns) return;
    REAL factor = v[j];
    EACH_ROW(i, rows, strips, chunks) Y[i * columns + j] = X[i * columns + j] * factor;
}

/* to[i * to_stride + j] = from[i * from_stride + j] */
KERNEL void NAME(copy_rows_kernel)(size_t rows, size_t columns, unsigned strips, unsigned chunks, size_t from_stride,
                                   const REAL *from, size_t to_stride, REAL *to)
{
    size_t j = COLUMN(strips);
    if (j >= columns) return;
    EACH_ROW(i, rows, strips, chunks) to[i * to_stride + j] = from[i * from_stride + j];
}

#undef COLUMN
#undef EACH_ROW

/* ---- a tensor that is repeated in a larger one ---- */

/* to[i, j, ...] = from[i * stride[0] + j * stride[1] + ...], n elements in all */
KERNEL void NAME(spread_kernel)(size_t n, struct spread s, const REAL *from, REAL *to)
{
    EACH(e, n)
    {
        size_t at = 0, rest = e;
        for (size_t axis = s.rank; axis-- > 0; rest /= s.dim[axis])
            at += rest % s.dim[axis] * s.stride[axis];
        to[e] = from[at];
    }
}

/* Back: a thread for each of the n elements of the smaller adds up the `times` that it is repeated, in order. */
KERNEL void NAME(sum_spread_kernel)(size_t n, size_t times, struct spread s, const REAL *from, REAL *to)
{
    EACH(e, n)
    {
        double sum = 0;
        for (size_t t = 0; t < times; t++) {
            size_t at = 0, step = 1, own = e, again = t;
            for (size_t axis = s.rank; axis-- > 0; step *= s.dim[axis]) {
                size_t *rest = s.stride[axis] > 0 ? &own : &again;
                at += *rest % s.dim[axis] * step;
                *rest /= s.dim[axis];
            }
            sum += (double)from[at];
        }
        to[e] = (REAL)sum;
    }
}

/* ---- tensors that are repeated to one shape ---- */

/* Where an element of the output lies in each of the tensors. Along a single axis, which most are, nothing is divided.
 */
struct NAME(places) {
    size_t at[BROADCAST_TENSORS];
};

DEVICE struct NAME(places) NAME(places_of)(const struct broadcast *s, size_t element)
{
    struct NAME(places) p = {{0, 0, 0}};
    for (size_t axis = s->rank; axis-- > 1; element /= s->dim[axis])
        for (unsigned k = 0; k < BROADCAST_TENSORS; k++)
            p.at[k] += element % s->dim[axis] * s->stride[k][axis];
    for (unsigned k = 0; k < BROADCAST_TENSORS; k++)
        p.at[k] += element * s->stride[k][0];
    return p;
}

KERNEL void NAME(binary_kernel)(enum binary f, size_t n, struct broadcast s, const REAL *a, const REAL *b, REAL *y)
{
    EACH(e, n)
    {
        const struct NAME(places) p = NAME(places_of)(&s, e);
        y[e] = NAME(binary_one)(f, a[p.at[0]], b[p.at[1]]);
    }
}

KERNEL void NAME(choose_kernel)(size_t n, struct broadcast s, const REAL *c, const REAL *a, const REAL *b, REAL *y)
{
    EACH(e, n)
    {
        const struct NAME(places) p = NAME(places_of)(&s, e);
        y[e] = c[p.at[0]] != 0 ? a[p.at[1]] : b[p.at[2]];
    }
}

/* The gradient of a tensor of n elements, each of them repeated so many times: a thread adds up these, in order; or
 * (WIDE) a block does, each thread every so-many-th of them. */
template <bool WIDE>
KERNEL void NAME(binary_gradient_kernel)(enum binary f, bool second, size_t n, size_t times, struct broadcast s,
                                         const REAL *a, const REAL *b, const REAL *y, const REAL *dy, REAL *dx)
{
    const size_t first = WIDE ? block_index() : (size_t)block_index() * block_size() + thread_index();
    const size_t step = WIDE ? grid_size() : (size_t)grid_size() * block_size();
    for (size_t e = first; e < n; e += step) {
        double sum = 0;
        for (size_t t = WIDE ? thread_index() : 0; t < times; t += WIDE ? block_size() : 1) {
            size_t at = 0, at_a = 0, at_b = 0, stride = 1, own = e, again = t;
            for (size_t axis = s.rank; axis-- > 0; stride *= s.dim[axis]) {
                size_t *rest = s.stride[second][axis] > 0 ? &own : &again;
                const size_t index = *rest % s.dim[axis];
                at += index * stride;
                at_a += index * s.stride[0][axis];
                at_b += index * s.stride[1][axis];
                *rest /= s.dim[axis];
            }
            sum += (double)NAME(binary_gradient_one)(f, second, a[at_a], b[at_b], y[at], dy[at]);
        }
        if (WIDE) sum = block_reduce<tree_sum>(sum, shared_memory<double>());
        if (!WIDE || thread_index() == 0) dx[e] = (REAL)sum;
    }
}

/* Sums (or counts) over the rows of a chunk, to partials [chunks, columns]; X's rows are `stride`
 * apart. In a block each warp takes every WARPS-th
 * row; their sums are added in order. */
template <typename T, typename VALUE>
DEVICE void NAME(strip_reduce)(size_t rows, size_t columns, size_t stride, unsigned strips, unsigned chunks,
                               const REAL *X, T *partials, VALUE value)
{
    T *shared = shared_memory<T>(); /* [WARPS, WARP] */
    unsigned strip = block_index() % strips, chunk = block_index() / strips, lane = thread_index() % WARP,
             warp = thread_index() / WARP;
    size_t j = (size_t)strip * WARP + lane;
    T sum = 0;
    for (size_t i = (size_t)chunk * WARPS + warp; j < columns && i < rows; i += (size_t)chunks * WARPS)
        sum += value(X[i * stride + j]);
    shared[warp * WARP + lane] = sum;
    barrier();
    if (warp != 0 || j >= columns) return;
    for (unsigned w = 1; w < WARPS; w++)
        sum += shared[w * WARP + lane];
    partials[chunk * columns + j] = sum;
}

struct NAME(as_double) {
    DEVICE_MEMBER double operator()(REAL x) const
    {
        return (double)x;
    }
};

struct NAME(is_within) {
    REAL least, most;
    DEVICE_MEMBER unsigned long long operator()(REAL x) const
    {
        return x >= least && x <= most;
    }
};

KERNEL void NAME(sum_rows_kernel)(size_t rows, size_t columns, size_t stride, unsigned strips, unsigned chunks,
                                  const REAL *X, double *partials)
{
    NAME(strip_reduce)(rows, columns, stride, strips, chunks, X, partials, NAME(as_double){});
}

KERNEL void NAME(count_within_kernel)(size_t rows, size_t columns, size_t stride, unsigned strips, unsigned chunks,
                                      const REAL *X, REAL least, REAL most, unsigned long long *partials)
{
    NAME(strip_reduce)(rows, columns, stride, strips, chunks, X, partials, NAME(is_within){least, most});
}

KERNEL void NAME(sum_rows_finish_kernel)(size_t columns, unsigned chunks, const double *partials, REAL *v)
{
    EACH(j, columns)
    {
        double sum = 0;
        for (unsigned c = 0; c < chunks; c++)
            sum += partials[c * columns + j];
        v[j] = (REAL)sum;
    }
}

/* ---- reductions over all elements: partial results by block ---- */

KERNEL void NAME(dot_kernel)(size_t n, const REAL *x, const REAL *y, double *partials)
{
    double sum = 0;
    EACH(i, n) sum += (double)x[i] * (double)y[i];
    sum = block_reduce<tree_sum>(sum, shared_memory<double>());
    if (thread_index() == 0) partials[block_index()] = sum;
}

KERNEL void NAME(first_outside_kernel)(size_t n, const REAL *x, double low, double high, unsigned long long *partials)
{
    unsigned long long first = n;
    EACH(i, n)
    {
        bool inside = (double)x[i] >= low && (double)x[i] <= high;
        if (inside) continue;
        first = i; /* a thread goes through its elements in order */
        break;
    }
    first = block_reduce<tree_min>(first, shared_memory<unsigned long long>());
    if (thread_index() == 0) partials[block_index()] = first;
}

KERNEL void NAME(loss_kernel)(enum elementwise_loss l, REAL a, size_t n, const REAL *p, const REAL *t, double *partials)
{
    double sum = 0;
    EACH(i, n) sum += (double)NAME(loss_one)(l, a, p[i], t[i]);
    sum = block_reduce<tree_sum>(sum, shared_memory<double>());
    if (thread_index() == 0) partials[block_index()] = sum;
}

/* ---- rows: softmax and its kin, normalization ---- */

/* This step's row of a matrix; no elements where the team has none. */
DEVICE const REAL *NAME(row_of)(const REAL *X, size_t row, size_t rows, size_t columns, size_t *n)
{
    *n = row < rows ? columns : 0;
    return X + (row < rows ? row * columns : 0);
}

/* The largest of a row and the sum of exponentials above it, to the whole team. N is size_t, or unsigned for what has
 * few elements: it takes fewer registers. */
template <bool WIDE, typename N>
DEVICE void NAME(row_exponentials)(const struct team *t, N n, const REAL *x, void *shared, REAL *max, double *sum)
{
    REAL largest = -(REAL)INFINITY;
    for (N j = t->lane; j < n; j += t->width)
        largest = tree_max::of(largest, x[j]);
    largest = team_reduce<WIDE, tree_max>(largest, t->width, shared);
    double above = 0;
    NOT_UNROLLED
    for (N j = t->lane; j < n; j += t->width)
        above += (double)exp(x[j] - largest);
    *sum = team_reduce<WIDE, tree_sum>(above, t->width, shared);
    *max = largest;
}

/* A lane's part of -sum T log softmax(P) of a row, added to *loss. */
template <bool WIDE, typename N>
DEVICE void NAME(row_cross_entropy)(const struct team *t, N n, const REAL *p, const REAL *target, void *shared,
                                    double *loss)
{
    REAL max;
    double sum;
    NAME(row_exponentials)<WIDE>(t, n, p, shared, &max, &sum);
    double log_sum = log(sum);
    for (N j = t->lane; j < n; j += t->width)
        *loss += (double)target[j] * (log_sum + ((double)max - (double)p[j]));
}

/* dP = scale (softmax(P) sum(T) - T) of a row. */
template <bool WIDE, typename N>
DEVICE void NAME(row_cross_entropy_gradient)(const struct team *t, double scale, N n, const REAL *p, const REAL *target,
                                             void *shared, REAL *dp)
{
    REAL max;
    double sum, weight = 0;
    NAME(row_exponentials)<WIDE>(t, n, p, shared, &max, &sum);
    for (N j = t->lane; j < n; j += t->width)
        weight += (double)target[j];
    weight = team_reduce<WIDE, tree_sum>(weight, t->width, shared);
    NOT_UNROLLED
    for (N j = t->lane; j < n; j += t->width)
        dp[j] = (REAL)(scale * ((double)exp(p[j] - max) / sum * weight - (double)target[j]));
}

template <bool WIDE>
KERNEL void NAME(softmax_kernel)(bool logarithm, size_t rows, size_t columns, unsigned width, const REAL *X, REAL *Y)
{
    const struct team t = team_of<WIDE>(width);
    for (size_t base = t.base; base < rows; base += t.step) {
        size_t n;
        const REAL *x = NAME(row_of)(X, base + t.number, rows, columns, &n);
        REAL *y = Y + (x - X), max;
        double sum;
        NAME(row_exponentials)<WIDE>(&t, n, x, shared_memory<void>(), &max, &sum);
        REAL log_sum = (REAL)log(sum);
        for (size_t j = t.lane; j < n; j += t.width)
            y[j] = logarithm ? x[j] - max - log_sum : (REAL)((double)exp(x[j] - max) / sum);
    }
}

template <bool WIDE>
KERNEL void NAME(softmax_gradient_kernel)(bool logarithm, size_t rows, size_t columns, unsigned width, const REAL *Y,
                                          const REAL *dY, REAL *dX)
{
    const struct team t = team_of<WIDE>(width);
    for (size_t base = t.base; base < rows; base += t.step) {
        size_t n;
        const REAL *y = NAME(row_of)(Y, base + t.number, rows, columns, &n), *dy = dY + (y - Y);
        REAL *dx = dX + (y - Y);
        double sum = 0;
        for (size_t j = t.lane; j < n; j += t.width)
            sum += logarithm ? (double)dy[j] : (double)dy[j] * (double)y[j];
        sum = team_reduce<WIDE, tree_sum>(sum, t.width, shared_memory<void>());
        for (size_t j = t.lane; j < n; j += t.width)
            dx[j] = logarithm ? (REAL)((double)dy[j] - (double)exp(y[j]) * sum)
                              : (REAL)((double)y[j] * ((double)dy[j] - sum));
    }
}

template <bool WIDE>
KERNEL void NAME(softmax_cross_entropy_kernel)(size_t rows, size_t columns, unsigned width, const REAL *P,
                                               const REAL *T, double *partials)
{
    const struct team t = team_of<WIDE>(width);
    double loss = 0;
    for (size_t base = t.base; base < rows; base += t.step) {
        size_t n;
        const REAL *p = NAME(row_of)(P, base + t.number, rows, columns, &n);
        NAME(row_cross_entropy)<WIDE>(&t, n, p, T + (p - P), shared_memory<void>(), &loss);
    }
    loss = block_reduce<tree_sum>(loss, shared_memory<double>());
    if (thread_index() == 0) partials[block_index()] = loss;
}

template <bool WIDE>
KERNEL void NAME(softmax_cross_entropy_gradient_kernel)(double scale, size_t rows, size_t columns, unsigned width,
                                                        const REAL *P, const REAL *T, REAL *dP)
{
    const struct team t = team_of<WIDE>(width);
    for (size_t base = t.base; base < rows; base += t.step) {
        size_t n;
        const REAL *p = NAME(row_of)(P, base + t.number, rows, columns, &n);
        NAME(row_cross_entropy_gradient)<WIDE>(&t, scale, n, p, T + (p - P), shared_memory<void>(), dP + (p - P));
    }
}

/* The first class whose target is not 0, the last one where there is none, to the whole team. */
template <bool WIDE>
DEVICE size_t NAME(row_class)(const struct team *t, size_t columns, size_t n, const REAL *one_hot, void *shared)
{
    unsigned long long c = columns - 1;
    for (size_t j = t->lane; j < n; j += t->width)
        if (j < c && one_hot[j] != 0) c = j;
    return (size_t)team_reduce<WIDE, tree_min>(c, t->width, shared);
}

template <bool WIDE>
KERNEL void NAME(hinge_kernel)(size_t rows, size_t columns, unsigned width, const REAL *P, const REAL *T,
                               double *partials)
{
    const struct team t = team_of<WIDE>(width);
    double loss = 0;
    for (size_t base = t.base; base < rows; base += t.step) {
        size_t n;
        const REAL *p = NAME(row_of)(P, base + t.number, rows, columns, &n);
        size_t c = NAME(row_class)<WIDE>(&t, columns, n, T + (p - P), shared_memory<void>());
        for (size_t j = t.lane; j < n; j += t.width) {
            double margin = (double)p[j] - (double)p[c] + 1;
            if (j != c && !(margin <= 0)) loss += margin; /* a NaN is not lost */
        }
    }
    loss = block_reduce<tree_sum>(loss, shared_memory<double>());
    if (thread_index() == 0) partials[block_index()] = loss;
}

template <bool WIDE>
KERNEL void NAME(hinge_gradient_kernel)(double scale, size_t rows, size_t columns, unsigned width, const REAL *P,
                                        const REAL *T, REAL *dP)
{
    const struct team t = team_of<WIDE>(width);
    for (size_t base = t.base; base < rows; base += t.step) {
        size_t n;
        const REAL *p = NAME(row_of)(P, base + t.number, rows, columns, &n);
        REAL *dp = dP + (p - P);
        size_t c = NAME(row_class)<WIDE>(&t, columns, n, T + (p - P), shared_memory<void>());
        double violated = 0;
        for (size_t j = t.lane; j < n; j += t.width) {
            bool violates = j != c && (double)p[j] - (double)p[c] + 1 > 0;
            if (j != c) dp[j] = violates ? (REAL)scale : 0;
            violated += violates;
        }
        violated = team_reduce<WIDE, tree_sum>(violated, t.width, shared_memory<void>());
        if (t.lane == 0 && n > 0) dp[c] = (REAL)(-scale * violated);
    }
}

/* mean = sum(x) / columns, inverse = 1 / sqrt(sum((x - mean)^2) / columns + eps), y = (x - mean) * inverse, by rows.
 * The mean is taken off before anything is squared: a row far from 0 would lose its variance otherwise. */
template <bool WIDE>
KERNEL void NAME(normalize_kernel)(double eps, size_t rows, size_t columns, unsigned width, const REAL *X, REAL *Y,
                                   REAL *inverse)
{
    const struct team t = team_of<WIDE>(width);
    for (size_t base = t.base; base < rows; base += t.step) {
        size_t n;
        const REAL *x = NAME(row_of)(X, base + t.number, rows, columns, &n);
        REAL *y = Y + (x - X);
        double sum = 0, squares = 0;
        for (size_t j = t.lane; j < n; j += t.width)
            sum += (double)x[j];
        const double mean = team_reduce<WIDE, tree_sum>(sum, t.width, shared_memory<void>()) / (double)columns;
        for (size_t j = t.lane; j < n; j += t.width)
            squares += ((double)x[j] - mean) * ((double)x[j] - mean);
        squares = team_reduce<WIDE, tree_sum>(squares, t.width, shared_memory<void>());
        const double scale = 1 / sqrt(squares / (double)columns + eps);
        for (size_t j = t.lane; j < n; j += t.width)
            y[j] = (REAL)(((double)x[j] - mean) * scale);
        if (t.lane == 0 && n > 0) inverse[base + t.number] = (REAL)scale;
    }
}

/* dx = inverse * (dy - sum(dy) / columns - y * sum(dy * y) / columns), by rows. dX may be dY: a thread writes what it
 * alone has read. */
template <bool WIDE>
KERNEL void NAME(normalize_gradient_kernel)(size_t rows, size_t columns, unsigned width, const REAL *Y,
                                            const REAL *inverse, const REAL *dY, REAL *dX)
{
    const struct team t = team_of<WIDE>(width);
    for (size_t base = t.base; base < rows; base += t.step) {
        size_t n;
        const REAL *y = NAME(row_of)(Y, base + t.number, rows, columns, &n), *dy = dY + (y - Y);
        REAL *dx = dX + (y - Y);
        double sum = 0, along = 0, scale = n > 0 ? (double)inverse[base + t.number] : 0;
        for (size_t j = t.lane; j < n; j += t.width) {
            sum += (double)dy[j];
            along += (double)dy[j] * (double)y[j];
        }
        sum = team_reduce<WIDE, tree_sum>(sum, t.width, shared_memory<void>());
        along = team_reduce<WIDE, tree_sum>(along, t.width, shared_memory<void>());
        const double mean = sum / (double)columns, slope = along / (double)columns;
        for (size_t j = t.lane; j < n; j += t.width)
            dx[j] = (REAL)(scale * ((double)dy[j] - mean - (double)y[j] * slope));
    }
}

#undef EACH
