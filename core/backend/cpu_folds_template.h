/* Those primitives of core/backend/backend.h that make many numbers one, or go through them, along one axis, in one
 * arithmetic; included by core/backend/cpu_template.h.
 *
 * Columns are taken in strips, so that what is kept of each of them on the way is float64 and needs no memory. A strip
 * of one column, its width and stride being constants where it is called, stays in registers. */

enum { NAME(STRIP) = 128, NAME(LANES) = 8 };

/* Elements of a strip, row by row. */
#define EACH_OF_STRIP(...)                                                                                             \
    for (size_t i = 0; i < n; i++)                                                                                     \
        for (size_t j = 0; j < width; j++) {                                                                           \
            const size_t e = i * stride + j;                                                                           \
            __VA_ARGS__;                                                                                               \
        }

#define EACH_OF_WIDTH(...)                                                                                             \
    for (size_t j = 0; j < width; j++) {                                                                               \
        __VA_ARGS__;                                                                                                   \
    }

/* Sums that do not wait for each other. */
static double NAME(sum_of_run)(size_t n, const REAL *x)
{
    double lane[NAME(LANES)] = {0}, sum = 0;
    size_t whole = n - n % NAME(LANES);
    for (size_t i = 0; i < whole; i += NAME(LANES))
        for (size_t l = 0; l < NAME(LANES); l++)
            lane[l] += (double)x[i + l];
    for (size_t i = whole; i < n; i++)
        sum += (double)x[i];
    for (size_t l = 0; l < NAME(LANES); l++)
        sum += lane[l];
    return sum;
}

static inline __attribute__((always_inline)) void NAME(sum_strip)(size_t n, size_t stride, size_t width, const REAL *x,
                                                                  double *sum)
{
    if (stride == 1) {
        sum[0] = NAME(sum_of_run)(n, x);
        return;
    }
    EACH_OF_WIDTH(sum[j] = 0)
    EACH_OF_STRIP(sum[j] += (double)x[e])
}

/* The sum of squares of what is off `from`. */
static inline __attribute__((always_inline)) void NAME(square_strip)(size_t n, size_t stride, size_t width,
                                                                     const REAL *x, const double *from, double *sum)
{
    EACH_OF_WIDTH(sum[j] = 0)
    EACH_OF_STRIP(double off = (double)x[e] - from[j]; sum[j] += off * off)
}

/* The largest or least. A NaN is neither, but stays. */
static inline __attribute__((always_inline)) void NAME(extreme_strip)(bool least, size_t n, size_t stride, size_t width,
                                                                      const REAL *x, double *best)
{
    EACH_OF_WIDTH(best[j] = (double)x[j])
    if (least)
        EACH_OF_STRIP({
            double value = (double)x[e];
            best[j] = ((value < best[j]) | (value != value)) ? value : best[j];
        })
    else
        EACH_OF_STRIP({
            double value = (double)x[e];
            best[j] = ((value > best[j]) | (value != value)) ? value : best[j];
        })
}

/* And where the first of them stands. */
static inline __attribute__((always_inline)) void NAME(best_strip)(bool least, size_t n, size_t stride, size_t width,
                                                                   const REAL *x, double *best, double *at)
{
    EACH_OF_WIDTH(best[j] = (double)x[j]; at[j] = 0)
    EACH_OF_STRIP({
        double value = (double)x[e];
        bool better = (least ? value < best[j] : value > best[j]) || (isnan(value) && !isnan(best[j]));
        best[j] = better ? value : best[j];
        at[j] = better ? (double)i : at[j];
    })
}

static inline __attribute__((always_inline)) void NAME(fold_strip)(enum fold f, double a, size_t n, size_t stride,
                                                                   size_t width, const REAL *x, double *y)
{
    double other[NAME(STRIP)];
    switch (f) {
    case FOLD_sum:
        NAME(sum_strip)(n, stride, width, x, y);
        return;
    case FOLD_mean:
        NAME(sum_strip)(n, stride, width, x, y);
        EACH_OF_WIDTH(y[j] /= (double)n)
        return;
    case FOLD_max:
    case FOLD_min:
        NAME(extreme_strip)(f == FOLD_min, n, stride, width, x, y);
        return;
    case FOLD_argmax:
    case FOLD_argmin:
        NAME(best_strip)(f == FOLD_argmin, n, stride, width, x, other, y);
        return;
    case FOLD_prod:
        EACH_OF_WIDTH(y[j] = 1)
        EACH_OF_STRIP(y[j] *= (double)x[e])
        return;
    case FOLD_logsumexp: {
        double sum[NAME(STRIP)];
        NAME(extreme_strip)(false, n, stride, width, x, y);
        EACH_OF_WIDTH(sum[j] = 0)
        EACH_OF_STRIP(sum[j] += (double)exp(x[e] - (REAL)y[j]))
        EACH_OF_WIDTH(y[j] = isinf(y[j]) ? y[j] : y[j] + log(sum[j]))
        return;
    }
    case FOLD_variance:
        NAME(sum_strip)(n, stride, width, x, other);
        EACH_OF_WIDTH(other[j] /= (double)n)
        NAME(square_strip)(n, stride, width, x, other, y);
        EACH_OF_WIDTH(y[j] /= (double)n - a)
        return;
    case FOLD_norm:
        EACH_OF_WIDTH(other[j] = 0)
        NAME(square_strip)(n, stride, width, x, other, y);
        EACH_OF_WIDTH(y[j] = sqrt(y[j]))
        return;
    case FOLD_COUNT:
        break;
    }
    EACH_OF_WIDTH(y[j] = (double)NAN)
}

static inline __attribute__((always_inline)) void NAME(fold_into)(enum fold f, double a, size_t n, size_t stride,
                                                                  size_t width, const REAL *x, REAL *y)
{
    double made[NAME(STRIP)];
    NAME(fold_strip)(f, a, n, stride, width, x, made);
    EACH_OF_WIDTH(y[j] = (REAL)made[j])
}

static int NAME(fold)(enum fold f, double a, const struct rows_of_fold *rows, const void *from, void *to)
{
    const size_t n = rows->n, inner = rows->inner;
    if (f >= FOLD_COUNT) return CODE_DEVICE;
    for (size_t o = 0; o < rows->outer; o++)
        for (size_t j0 = 0; j0 < inner; j0 += NAME(STRIP)) {
            const REAL *x = (const REAL *)from + o * n * inner + j0;
            REAL *y = (REAL *)to + o * inner + j0;
            if (inner == 1)
                NAME(fold_into)(f, a, n, 1, 1, x, y);
            else
                NAME(fold_into)(f, a, n, inner, inner - j0 < NAME(STRIP) ? inner - j0 : NAME(STRIP), x, y);
        }
    return CODE_OK;
}

/* The product of all others, from those before and those behind: a factor of 0 divides nothing. */
static inline __attribute__((always_inline)) void NAME(product_shares)(size_t n, size_t stride, size_t width,
                                                                       const REAL *x, const REAL *dy, REAL *dx)
{
    double product[NAME(STRIP)];
    EACH_OF_WIDTH(product[j] = 1)
    EACH_OF_STRIP(dx[e] = (REAL)product[j]; product[j] *= (double)x[e])
    EACH_OF_WIDTH(product[j] = (double)dy[j])
    for (size_t i = n; i-- > 0;)
        EACH_OF_WIDTH({
            size_t e = i * stride + j;
            dx[e] = (REAL)((double)dx[e] * product[j]);
            product[j] *= (double)x[e];
        })
}

/* The first of the largest or least has it all. */
static inline __attribute__((always_inline)) void NAME(best_shares)(bool least, size_t n, size_t stride, size_t width,
                                                                    const REAL *x, const REAL *dy, REAL *dx)
{
    double best[NAME(STRIP)], at[NAME(STRIP)];
    NAME(best_strip)(least, n, stride, width, x, best, at);
    EACH_OF_STRIP(dx[e] = 0)
    EACH_OF_WIDTH(dx[(size_t)at[j] * stride + j] = dy[j])
}

static inline __attribute__((always_inline)) int NAME(share_strip)(enum fold f, double a, size_t n, size_t stride,
                                                                   size_t width, const REAL *x, const REAL *y,
                                                                   const REAL *dy, REAL *dx)
{
    double middle[NAME(STRIP)];
    const double degrees = (double)n - a;
    switch (f) {
    case FOLD_sum:
        EACH_OF_STRIP(dx[e] = dy[j])
        return CODE_OK;
    case FOLD_mean:
        EACH_OF_WIDTH(middle[j] = (double)dy[j] / (double)n)
        EACH_OF_STRIP(dx[e] = (REAL)middle[j])
        return CODE_OK;
    case FOLD_max:
    case FOLD_min:
        NAME(best_shares)(f == FOLD_min, n, stride, width, x, dy, dx);
        return CODE_OK;
    case FOLD_prod:
        NAME(product_shares)(n, stride, width, x, dy, dx);
        return CODE_OK;
    case FOLD_logsumexp:
        EACH_OF_STRIP(dx[e] = dy[j] * exp(x[e] - y[j]))
        return CODE_OK;
    case FOLD_variance:
        NAME(sum_strip)(n, stride, width, x, middle);
        EACH_OF_WIDTH(middle[j] /= (double)n)
        EACH_OF_STRIP(dx[e] = (REAL)((double)dy[j] * 2 * ((double)x[e] - middle[j]) / degrees))
        return CODE_OK;
    case FOLD_norm:
        EACH_OF_STRIP(dx[e] = y[j] == 0 ? 0 : (REAL)((double)dy[j] * (double)x[e] / (double)y[j]))
        return CODE_OK;
    case FOLD_argmax:
    case FOLD_argmin:
    case FOLD_COUNT:
        break;
    }
    return CODE_DEVICE;
}

static int NAME(fold_gradient)(enum fold f, double a, const struct rows_of_fold *rows, const void *from,
                               const void *result, const void *upstream, void *to)
{
    const size_t n = rows->n, inner = rows->inner;
    int code = CODE_OK;
    for (size_t o = 0; code == CODE_OK && o < rows->outer; o++)
        for (size_t j0 = 0; code == CODE_OK && j0 < inner; j0 += NAME(STRIP)) {
            const REAL *x = (const REAL *)from + o * n * inner + j0, *y = (const REAL *)result + o * inner + j0;
            const REAL *dy = (const REAL *)upstream + o * inner + j0;
            REAL *dx = (REAL *)to + o * n * inner + j0;
            size_t width = inner - j0 < NAME(STRIP) ? inner - j0 : NAME(STRIP);
            code = inner == 1 ? NAME(share_strip)(f, a, n, 1, 1, x, y, dy, dx)
                              : NAME(share_strip)(f, a, n, inner, width, x, y, dy, dx);
        }
    return code;
}

static inline __attribute__((always_inline)) void NAME(cumsum_strip)(bool backwards, size_t n, size_t stride,
                                                                     size_t width, const REAL *x, REAL *y)
{
    double sum[NAME(STRIP)];
    EACH_OF_WIDTH(sum[j] = 0)
    for (size_t turn = 0; turn < n; turn++) {
        const size_t i = backwards ? n - 1 - turn : turn;
        EACH_OF_WIDTH(sum[j] += (double)x[i * stride + j]; y[i * stride + j] = (REAL)sum[j])
    }
}

static int NAME(cumsum)(bool backwards, const struct rows_of_fold *rows, const void *from, void *to)
{
    const size_t n = rows->n, inner = rows->inner;
    for (size_t o = 0; o < rows->outer; o++)
        for (size_t j0 = 0; j0 < inner; j0 += NAME(STRIP)) {
            const REAL *x = (const REAL *)from + o * n * inner + j0;
            REAL *y = (REAL *)to + o * n * inner + j0;
            size_t width = inner - j0 < NAME(STRIP) ? inner - j0 : NAME(STRIP);
            if (inner == 1)
                NAME(cumsum_strip)(backwards, n, 1, 1, x, y);
            else
                NAME(cumsum_strip)(backwards, n, inner, width, x, y);
        }
    return CODE_OK;
}

#undef EACH_OF_STRIP
#undef EACH_OF_WIDTH
