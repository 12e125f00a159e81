/* Those primitives of core/backend/backend.h that work on the rows of a matrix, in one arithmetic; included as
 * core/backend/cpu_template.h is. */

/* The largest of a row, and the logarithm of the sum of exponentials above it. */
static REAL NAME(row_max)(size_t columns, const REAL *x)
{
    REAL max = x[0];
    for (size_t j = 1; j < columns; j++)
        if (x[j] > max) max = x[j];
    return max;
}

static double NAME(row_sum_exp)(size_t columns, const REAL *x, REAL max)
{
    double sum = 0;
    for (size_t j = 0; j < columns; j++)
        sum += (double)exp(x[j] - max);
    return sum;
}

static int NAME(softmax)(bool logarithm, size_t rows, size_t columns, const void *from, void *to)
{
    for (size_t i = 0; i < rows; i++) {
        const REAL *x = (const REAL *)from + i * columns;
        REAL *y = (REAL *)to + i * columns;
        REAL max = NAME(row_max)(columns, x);
        double sum = NAME(row_sum_exp)(columns, x, max);
        REAL log_sum = (REAL)log(sum);
        for (size_t j = 0; j < columns; j++)
            y[j] = logarithm ? x[j] - max - log_sum : (REAL)((double)exp(x[j] - max) / sum);
    }
    return CODE_OK;
}

static int NAME(softmax_gradient)(bool logarithm, size_t rows, size_t columns, const void *result, const void *upstream,
                                  void *to)
{
    for (size_t i = 0; i < rows; i++) {
        const REAL *y = (const REAL *)result + i * columns, *dy = (const REAL *)upstream + i * columns;
        REAL *dx = (REAL *)to + i * columns;
        double sum = 0;
        for (size_t j = 0; j < columns; j++)
            sum += logarithm ? (double)dy[j] : (double)dy[j] * (double)y[j];
        for (size_t j = 0; j < columns; j++)
            dx[j] = logarithm ? (REAL)((double)dy[j] - (double)exp(y[j]) * sum)
                              : (REAL)((double)y[j] * ((double)dy[j] - sum));
    }
    return CODE_OK;
}

static int NAME(normalize)(double eps, size_t rows, size_t columns, const void *from, void *to, void *inverse)
{
    for (size_t i = 0; i < rows; i++) {
        const REAL *x = (const REAL *)from + i * columns;
        REAL *y = (REAL *)to + i * columns;
        double sum = 0, squares = 0;
        for (size_t j = 0; j < columns; j++)
            sum += (double)x[j];
        double mean = sum / (double)columns;
        for (size_t j = 0; j < columns; j++)
            squares += ((double)x[j] - mean) * ((double)x[j] - mean);
        double scale = 1 / sqrt(squares / (double)columns + eps);
        for (size_t j = 0; j < columns; j++)
            y[j] = (REAL)(((double)x[j] - mean) * scale);
        ((REAL *)inverse)[i] = (REAL)scale;
    }
    return CODE_OK;
}

static int NAME(normalize_gradient)(size_t rows, size_t columns, const void *result, const void *inverse,
                                    const void *upstream, void *to)
{
    for (size_t i = 0; i < rows; i++) {
        const REAL *y = (const REAL *)result + i * columns, *dy = (const REAL *)upstream + i * columns;
        REAL *dx = (REAL *)to + i * columns;
        double sum = 0, along = 0, scale = (double)((const REAL *)inverse)[i];
        for (size_t j = 0; j < columns; j++) {
            sum += (double)dy[j];
            along += (double)dy[j] * (double)y[j];
        }
        double mean = sum / (double)columns, slope = along / (double)columns;
        for (size_t j = 0; j < columns; j++)
            dx[j] = (REAL)(scale * ((double)dy[j] - mean - (double)y[j] * slope));
    }
    return CODE_OK;
}

/* By rows: sum(t) * (max + log sum exp(p - max)) - sum(t p), kept together as sum t * (lse - p) against
 * cancellation. */
static int NAME(softmax_cross_entropy)(size_t rows, size_t columns, const void *prediction, const void *target,
                                       double *host)
{
    double loss = 0;
    for (size_t i = 0; i < rows; i++) {
        const REAL *p = (const REAL *)prediction + i * columns, *t = (const REAL *)target + i * columns;
        REAL max = NAME(row_max)(columns, p);
        double log_sum = log(NAME(row_sum_exp)(columns, p, max));
        for (size_t j = 0; j < columns; j++)
            loss += (double)t[j] * (log_sum + ((double)max - (double)p[j]));
    }
    *host = loss;
    return CODE_OK;
}

static int NAME(softmax_cross_entropy_gradient)(double scale, size_t rows, size_t columns, const void *prediction,
                                                const void *target, void *to)
{
    for (size_t i = 0; i < rows; i++) {
        const REAL *p = (const REAL *)prediction + i * columns, *t = (const REAL *)target + i * columns;
        REAL *dp = (REAL *)to + i * columns;
        REAL max = NAME(row_max)(columns, p);
        double sum = NAME(row_sum_exp)(columns, p, max), weight = 0;
        for (size_t j = 0; j < columns; j++)
            weight += (double)t[j];
        for (size_t j = 0; j < columns; j++)
            dp[j] = (REAL)(scale * ((double)exp(p[j] - max) / sum * weight - (double)t[j]));
    }
    return CODE_OK;
}

static size_t NAME(class_of)(size_t columns, const REAL *one_hot)
{
    size_t c = 0;
    while (c + 1 < columns && one_hot[c] == 0)
        c++;
    return c;
}

static int NAME(hinge)(size_t rows, size_t columns, const void *prediction, const void *target, double *host)
{
    double loss = 0;
    for (size_t i = 0; i < rows; i++) {
        const REAL *p = (const REAL *)prediction + i * columns;
        size_t c = NAME(class_of)(columns, (const REAL *)target + i * columns);
        for (size_t j = 0; j < columns; j++) {
            double margin = (double)p[j] - (double)p[c] + 1;
            if (j != c && !(margin <= 0)) loss += margin; /* a NaN is not lost */
        }
    }
    *host = loss;
    return CODE_OK;
}

/* 1 for every class whose margin is violated, and minus their number for the right one */
static int NAME(hinge_gradient)(double scale, size_t rows, size_t columns, const void *prediction, const void *target,
                                void *to)
{
    for (size_t i = 0; i < rows; i++) {
        const REAL *p = (const REAL *)prediction + i * columns;
        REAL *dp = (REAL *)to + i * columns;
        size_t c = NAME(class_of)(columns, (const REAL *)target + i * columns);
        double violated = 0;
        for (size_t j = 0; j < columns; j++) {
            bool violates = j != c && (double)p[j] - (double)p[c] + 1 > 0;
            dp[j] = violates ? (REAL)scale : 0;
            violated += violates;
        }
        dp[c] = (REAL)(-scale * violated);
    }
    return CODE_OK;
}
