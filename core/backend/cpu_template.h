/* The primitives of core/backend/backend.h in one arithmetic: REAL, NAME(x), CBLAS_GEMM, DTYPE and SMALLEST say
 * which. Included by core/backend/cpu.c alone. Sums but those of products are taken in float64,
 * also of float32 elements. */

static int NAME(allocate)(struct arena *arena, size_t elements, void **memory)
{
    /* The arena counts in doubles; a float32 pass takes half as many. */
    size_t per_double = sizeof(double) / sizeof(REAL);
    *memory = arena_doubles(arena, elements / per_double + 1);
    return *memory != NULL ? CODE_OK : CODE_OUT_OF_MEMORY;
}

static void NAME(release)(void *memory)
{
    (void)memory; /* the arena's */
}

static int NAME(upload)(size_t n, const double *host, void *to)
{
    REAL *y = to;
    for (size_t i = 0; i < n; i++)
        y[i] = (REAL)host[i];
    return CODE_OK;
}

static int NAME(download)(size_t n, const void *from, double *host)
{
    const REAL *x = from;
    for (size_t i = 0; i < n; i++)
        host[i] = (double)x[i];
    return CODE_OK;
}

/* Any layout by its strides, row by row of C, so that the innermost loop runs along B's rows where B is not
 * transposed. */
static void NAME(gemm_small)(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, REAL alpha,
                             const REAL *A, const REAL *B, REAL beta, REAL *C)
{
    size_t a_row = transpose_a ? 1 : k, a_step = transpose_a ? m : 1;
    size_t b_step = transpose_b ? 1 : n, b_column = transpose_b ? k : 1;
    for (size_t i = 0; i < m; i++) {
        REAL *c = C + i * n;
        for (size_t j = 0; j < n; j++)
            c[j] = beta != 0 ? beta * c[j] : 0;
        for (size_t p = 0; p < k; p++) {
            REAL a = alpha * A[i * a_row + p * a_step];
            const REAL *b = B + p * b_step;
            for (size_t j = 0; j < n; j++)
                c[j] += a * b[j * b_column];
        }
    }
}

/* The same sums in the same order for a C of n <= NARROW columns, n being a constant where it is called: they stay in
 * registers. In the networks of exercises these loops are most of a pass. */
static inline __attribute__((always_inline)) void NAME(gemm_columns)(size_t n, bool transpose_a, bool transpose_b,
                                                                     size_t m, size_t k, REAL alpha, const REAL *A,
                                                                     const REAL *B, REAL beta, REAL *C)
{
    size_t a_row = transpose_a ? 1 : k, a_step = transpose_a ? m : 1;
    size_t b_step = transpose_b ? 1 : n, b_column = transpose_b ? k : 1;
    for (size_t i = 0; i < m; i++) {
        REAL *c = C + i * n, sum[NARROW];
        for (size_t j = 0; j < n; j++)
            sum[j] = beta != 0 ? beta * c[j] : 0;
        const REAL *a = A + i * a_row, *b = B;
        for (size_t p = 0; p < k; p++, a += a_step, b += b_step) {
            REAL scaled = alpha * *a;
            for (size_t j = 0; j < n; j++)
                sum[j] += scaled * b[j * b_column];
        }
        for (size_t j = 0; j < n; j++)
            c[j] = sum[j];
    }
}

static void NAME(gemm_narrow)(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, REAL alpha,
                              const REAL *A, const REAL *B, REAL beta, REAL *C)
{
    switch (n) {
#define COLUMNS(count)                                                                                                 \
    case count:                                                                                                        \
        NAME(gemm_columns)(count, transpose_a, transpose_b, m, k, alpha, A, B, beta, C);                               \
        break;
        COLUMNS(1)
        COLUMNS(2)
        COLUMNS(3)
        COLUMNS(4)
        COLUMNS(5)
        COLUMNS(6)
        COLUMNS(7)
        COLUMNS(8)
#undef COLUMNS
    default:
        NAME(gemm_small)(transpose_a, transpose_b, m, n, k, alpha, A, B, beta, C);
    }
}

/* A product, to be made range by range of the rows or of the columns of C. */
struct NAME(product) {
    bool transpose_a, transpose_b, by_columns;
    size_t m, n, k;
    REAL alpha, beta;
    const REAL *A, *B;
    REAL *C;
};

/* So many rows of C, or columns, from `begin` on. */
static void NAME(gemm_range)(const struct NAME(product) * p, size_t begin, size_t size)
{
    size_t row = p->by_columns ? 0 : begin, column = p->by_columns ? begin : 0;
    size_t m = p->by_columns ? p->m : size, n = p->by_columns ? size : p->n;
    const REAL *A = p->A + (p->transpose_a ? row : row * p->k), *B = p->B + (p->transpose_b ? column * p->k : column);
    CBLAS_GEMM(CblasRowMajor, p->transpose_a ? CblasTrans : CblasNoTrans, p->transpose_b ? CblasTrans : CblasNoTrans,
               (int)m, (int)n, (int)p->k, p->alpha, A, (int)(p->transpose_a ? p->m : p->k), B,
               (int)(p->transpose_b ? p->k : p->n), p->beta, p->C + row * p->n + column, (int)p->n);
}

static void NAME(gemm_half)(void *context, size_t part)
{
    const struct NAME(product) *p = context;
    size_t whole = p->by_columns ? p->n : p->m, half = whole / 2 / PART_MULTIPLE * PART_MULTIPLE;
    NAME(gemm_range)(p, part == 0 ? 0 : half, part == 0 ? half : whole - half);
}

static int NAME(gemm)(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const void *A,
                      const void *B, double beta, void *C)
{
    double multiplications = (double)m * (double)n * (double)k;
    if (multiplications <= SMALL_GEMM || m > INT_MAX || n > INT_MAX || k > INT_MAX) {
        NAME(gemm_narrow)(transpose_a, transpose_b, m, n, k, (REAL)alpha, A, B, (REAL)beta, C);
        return CODE_OK;
    }
    struct NAME(product) product = {.transpose_a = transpose_a,
                                    .transpose_b = transpose_b,
                                    .by_columns = n > m,
                                    .m = m,
                                    .n = n,
                                    .k = k,
                                    .alpha = (REAL)alpha,
                                    .beta = (REAL)beta,
                                    .A = A,
                                    .B = B,
                                    .C = C};
    /* By its size alone, so that the same request gives the same bits whoever is there to help. */
    size_t whole = n > m ? n : m;
    if (multiplications >= LARGE_GEMM && whole >= 2 * PART_MULTIPLE)
        parallel_run(2, NAME(gemm_half), &product);
    else
        NAME(gemm_range)(&product, 0, whole);
    return CODE_OK;
}

static int NAME(map)(enum map f, double attribute, size_t n, const void *from, void *to)
{
    const REAL *x = from;
    REAL *y = to, a = (REAL)attribute;
    switch (f) {
#define MAP_CASE(name)                                                                                                 \
    case MAP_##name:                                                                                                   \
        for (size_t i = 0; i < n; i++)                                                                                 \
            y[i] = NAME(name)(a, x[i]);                                                                                \
        break;
        FORMULAS_OF_MAPS(MAP_CASE)
#undef MAP_CASE
    case MAP_COUNT:
        return CODE_DEVICE;
    }
    return CODE_OK;
}

static int NAME(map_gradient)(enum map f, double attribute, size_t n, const void *from, const void *result,
                              const void *upstream, void *to)
{
    const REAL *x = from, *y = result, *dy = upstream;
    REAL *dx = to, a = (REAL)attribute;
    switch (f) {
#define MAP_CASE(name)                                                                                                 \
    case MAP_##name:                                                                                                   \
        for (size_t i = 0; i < n; i++)                                                                                 \
            dx[i] = dy[i] * NAME(name##_slope)(a, x[i], y[i]);                                                         \
        break;
        FORMULAS_OF_MAPS(MAP_CASE)
#undef MAP_CASE
    case MAP_COUNT:
        return CODE_DEVICE;
    }
    return CODE_OK;
}

static int NAME(add_row)(size_t rows, size_t columns, const void *row, void *to)
{
    const REAL *v = row;
    REAL *X = to;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            X[i * columns + j] += v[j];
    return CODE_OK;
}

/* For a few columns, their number being a constant where it is called: the sums stay in registers. */
static inline __attribute__((always_inline)) void NAME(sum_columns)(size_t columns, size_t rows, const REAL *X, REAL *v)
{
    double sum[NARROW] = {0};
    for (size_t i = 0; i < rows; i++, X += columns)
        for (size_t j = 0; j < columns; j++)
            sum[j] += (double)X[j];
    for (size_t j = 0; j < columns; j++)
        v[j] = (REAL)sum[j];
}

/* Columns in strips, so that the sums of a strip are float64 and need no memory. */
static int NAME(sum_rows)(size_t rows, size_t columns, const void *from, void *to)
{
    enum { STRIP = 64 };
    const REAL *X = from;
    REAL *v = to;
    switch (columns) {
#define COLUMNS(count)                                                                                                 \
    case count:                                                                                                        \
        NAME(sum_columns)(count, rows, X, v);                                                                          \
        return CODE_OK;
        COLUMNS(1)
        COLUMNS(2)
        COLUMNS(3)
        COLUMNS(4)
#undef COLUMNS
    default:
        break;
    }
    for (size_t j0 = 0; j0 < columns; j0 += STRIP) {
        size_t width = columns - j0 < STRIP ? columns - j0 : STRIP;
        double sum[STRIP];
        for (size_t j = 0; j < width; j++)
            sum[j] = 0;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < width; j++)
                sum[j] += (double)X[i * columns + j0 + j];
        for (size_t j = 0; j < width; j++)
            v[j0 + j] = (REAL)sum[j];
    }
    return CODE_OK;
}

static int NAME(multiply)(size_t n, const void *one, const void *other, void *to)
{
    const REAL *x = one, *y = other;
    REAL *z = to;
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] * y[i];
    return CODE_OK;
}

static int NAME(multiply_row)(size_t rows, size_t columns, const void *factors, const void *from, void *to)
{
    const REAL *v = factors;
    for (size_t i = 0; i < rows; i++) {
        const REAL *x = (const REAL *)from + i * columns;
        REAL *y = (REAL *)to + i * columns;
        for (size_t j = 0; j < columns; j++)
            y[j] = x[j] * v[j];
    }
    return CODE_OK;
}

/* The offset in the smaller tensor of the next run along the last axis; index and *at are brought up to date. */
static void NAME(next_run)(const struct spread *s, size_t *index, size_t *at)
{
    for (size_t axis = s->rank - 1; axis-- > 0;) {
        *at += s->stride[axis];
        if (++index[axis] < s->dim[axis]) return;
        *at -= s->stride[axis] * index[axis];
        index[axis] = 0;
    }
}

static size_t NAME(runs_of)(const struct spread *s)
{
    size_t runs = 1;
    for (size_t axis = 0; axis + 1 < s->rank; axis++)
        runs *= s->dim[axis];
    return runs;
}

static int NAME(spread)(const struct spread *s, const void *from, void *to)
{
    size_t index[SPREAD_RANK_MAX] = {0}, at = 0, runs = NAME(runs_of)(s), n = s->dim[s->rank - 1];
    size_t step = s->stride[s->rank - 1];
    const REAL *x = from;
    REAL *y = to;
    for (size_t r = 0; r < runs; r++, y += n) {
        REAL first = x[at];
        if (step == 1)
            memcpy(y, x + at, n * sizeof(REAL));
        else if (step == 0)
            for (size_t j = 0; j < n; j++)
                y[j] = first;
        else
            for (size_t j = 0; j < n; j++)
                y[j] = x[at + j * step];
        NAME(next_run)(s, index, &at);
    }
    return CODE_OK;
}

/* The sum of all that repeats one element of the smaller tensor, the first of these being at `from`; or of `width`
 * elements that stand side by side, where the last axis is not repeated. */
static void NAME(sum_repetitions)(const struct spread *s, size_t width, const REAL *from, double *sum)
{
    size_t index[SPREAD_RANK_MAX] = {0}, offset = 0, n = s->dim[s->rank - 1];
    for (size_t j = 0; j < width; j++)
        sum[j] = 0;
    do {
        const REAL *x = from + offset;
        if (s->stride[s->rank - 1] == 0)
            for (size_t j = 0; j < n; j++)
                sum[0] += (double)x[j];
        else
            for (size_t j = 0; j < width; j++)
                sum[j] += (double)x[j];
    } while (next_of_axes(s, true, index, &offset));
}

static int NAME(sum_spread)(const struct spread *s, const void *from, void *to)
{
    enum { STRIP = 64 };
    size_t index[SPREAD_RANK_MAX] = {0}, offset = 0, n = s->stride[s->rank - 1] == 0 ? 1 : s->dim[s->rank - 1];
    const REAL *x = from;
    REAL *y = to;
    do {
        for (size_t j0 = 0; j0 < n; j0 += STRIP) {
            double sum[STRIP];
            size_t width = n - j0 < STRIP ? n - j0 : STRIP;
            NAME(sum_repetitions)(s, width, x + offset + j0, sum);
            for (size_t j = 0; j < width; j++)
                *y++ = (REAL)sum[j];
        }
    } while (next_of_axes(s, false, index, &offset));
    return CODE_OK;
}

static int NAME(copy_rows)(size_t rows, size_t columns, size_t from_stride, const void *from, size_t to_stride,
                           void *to)
{
    for (size_t i = 0; i < rows; i++)
        memcpy((REAL *)to + i * to_stride, (const REAL *)from + i * from_stride, columns * sizeof(REAL));
    return CODE_OK;
}

static int NAME(axpby)(size_t n, double alpha, const void *from, double beta, void *to)
{
    const REAL *x = from;
    REAL *y = to, a = (REAL)alpha, b = (REAL)beta;
    if (b == 0)
        for (size_t i = 0; i < n; i++)
            y[i] = a * x[i];
    else
        for (size_t i = 0; i < n; i++)
            y[i] = a * x[i] + b * y[i];
    return CODE_OK;
}

static int NAME(dot)(size_t n, const void *a, const void *b, double *host)
{
    const REAL *x = a, *y = b;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)y[i];
    *host = sum;
    return CODE_OK;
}

static int NAME(first_outside)(size_t n, const void *from, double low, double high, size_t *host)
{
    const REAL *x = from;
    size_t i = 0;
    while (i < n && (double)x[i] >= low && (double)x[i] <= high)
        i++;
    *host = i;
    return CODE_OK;
}

static int NAME(loss)(enum elementwise_loss l, double attribute, size_t n, const void *prediction, const void *target,
                      double *host)
{
    const REAL *p = prediction, *t = target;
    REAL a = (REAL)attribute;
    double sum = 0;
    switch (l) {
#define LOSS_CASE(name)                                                                                                \
    case LOSS_##name:                                                                                                  \
        for (size_t i = 0; i < n; i++)                                                                                 \
            sum += (double)NAME(name)(a, p[i], t[i]);                                                                  \
        break;
        FORMULAS_OF_LOSSES(LOSS_CASE)
#undef LOSS_CASE
    case LOSS_COUNT:
        return CODE_DEVICE;
    }
    *host = sum;
    return CODE_OK;
}

static int NAME(loss_gradient)(enum elementwise_loss l, double attribute, double scale, size_t n,
                               const void *prediction, const void *target, void *to)
{
    const REAL *p = prediction, *t = target;
    REAL *dp = to, a = (REAL)attribute, s = (REAL)scale;
    switch (l) {
#define LOSS_CASE(name)                                                                                                \
    case LOSS_##name:                                                                                                  \
        for (size_t i = 0; i < n; i++)                                                                                 \
            dp[i] = s * NAME(name##_slope)(a, p[i], t[i]);                                                             \
        break;
        FORMULAS_OF_LOSSES(LOSS_CASE)
#undef LOSS_CASE
    case LOSS_COUNT:
        return CODE_DEVICE;
    }
    return CODE_OK;
}

static int NAME(count_within)(size_t rows, size_t columns, const void *from, double low, double high, size_t *host)
{
    const REAL *X = from, least = (REAL)low, most = (REAL)high;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            host[j] += X[i * columns + j] >= least && X[i * columns + j] <= most;
    return CODE_OK;
}

static int NAME(update)(const struct update *step, size_t n, const void *gradients, void *parameters, void *one,
                        void *two)
{
    const struct update u = *step; /* a copy that nothing below can change: its numbers stay in registers */
    const REAL *g = gradients;
    REAL *w = parameters, *first = one, *second = two;
    switch (u.rule) {
#define UPDATE_CASE(name)                                                                                              \
    case UPDATE_##name:                                                                                                \
        for (size_t i = 0; i < n; i++)                                                                                 \
            NAME(update_##name)(&u, g[i], &w[i], &first[i], &second[i]);                                               \
        break;
        FORMULAS_OF_UPDATES(UPDATE_CASE)
#undef UPDATE_CASE
    case UPDATE_COUNT:
        return CODE_DEVICE;
    }
    return CODE_OK;
}

#include "core/backend/cpu_views_template.h"
#include "core/backend/cpu_folds_template.h"

static const struct backend NAME(backend) = {
    .device = "cpu",
    .dtype = DTYPE,
    .element_size = sizeof(REAL),
    .smallest = (double)SMALLEST,
    .allocate = NAME(allocate),
    .release = NAME(release),
    .upload = NAME(upload),
    .download = NAME(download),
    .gemm = NAME(gemm),
    .map = NAME(map),
    .map_gradient = NAME(map_gradient),
    .add_row = NAME(add_row),
    .sum_rows = NAME(sum_rows),
    .softmax = NAME(softmax),
    .softmax_gradient = NAME(softmax_gradient),
    .normalize = NAME(normalize),
    .normalize_gradient = NAME(normalize_gradient),
    .multiply = NAME(multiply),
    .multiply_row = NAME(multiply_row),
    .spread = NAME(spread),
    .sum_spread = NAME(sum_spread),
    .binary = NAME(binary),
    .binary_gradient = NAME(binary_gradient),
    .choose = NAME(choose),
    .copy_rows = NAME(copy_rows),
    .axpby = NAME(axpby),
    .dot = NAME(dot),
    .first_outside = NAME(first_outside),
    .loss = NAME(loss),
    .loss_gradient = NAME(loss_gradient),
    .softmax_cross_entropy = NAME(softmax_cross_entropy),
    .softmax_cross_entropy_gradient = NAME(softmax_cross_entropy_gradient),
    .hinge = NAME(hinge),
    .hinge_gradient = NAME(hinge_gradient),
    .count_within = NAME(count_within),
    .update = NAME(update),
    .view_read = NAME(view_read),
    .view_write = NAME(view_write),
    .view_add = NAME(view_add),
    .view_fill = NAME(view_fill),
    .index_read = NAME(index_read),
    .index_write = NAME(index_write),
    .index_add = NAME(index_add),
    .index_take = NAME(index_take),
    .first_no_index = NAME(first_no_index),
    .fold = NAME(fold),
    .fold_gradient = NAME(fold_gradient),
    .cumsum = NAME(cumsum),
};
