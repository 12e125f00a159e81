/* The primitives that work on rows, softmax and its kin and normalization, against their definitions in plain loops of
 * float64. */
#include "tests/core/conformance_call.h"

#include <math.h>

/* ---- softmax and its kin ---- */

static int run_softmax(struct call *c)
{
    return c->b->softmax(c->which != 0, c->rows, c->columns, c->p[0], c->p[1]);
}

static int run_softmax_gradient(struct call *c)
{
    return c->b->softmax_gradient(c->which != 0, c->rows, c->columns, c->p[0], c->p[1], c->p[2]);
}

static int run_cross_entropy(struct call *c)
{
    return c->b->softmax_cross_entropy(c->rows, c->columns, c->p[0], c->p[1], &c->sum);
}

static int run_cross_entropy_gradient(struct call *c)
{
    return c->b->softmax_cross_entropy_gradient(c->scale, c->rows, c->columns, c->p[0], c->p[1], c->p[2]);
}

static int run_hinge(struct call *c)
{
    return c->b->hinge(c->rows, c->columns, c->p[0], c->p[1], &c->sum);
}

static int run_hinge_gradient(struct call *c)
{
    return c->b->hinge_gradient(c->scale, c->rows, c->columns, c->p[0], c->p[1], c->p[2]);
}

/* log sum exp of a row; NaN where the row holds NaN or +infinity, as the largest taken off makes it */
static double log_sum_exp(size_t n, const double *x)
{
    double max = -HUGE_VAL, sum = 0;
    for (size_t j = 0; j < n; j++)
        if (x[j] > max) max = x[j];
    for (size_t j = 0; j < n; j++)
        sum += exp(x[j] - max);
    return max + log(sum);
}

static void check_softmax(const struct backend *b, bool logarithm, size_t rows, size_t columns, bool odd)
{
    struct call c = call_of(b, "softmax", run_softmax, rows, columns);
    c.which = logarithm;
    if (b->dtype == DTYPE_FLOAT32 && logarithm) c.floor = 1;
    struct operand *X = add_operand(&c, rows * columns, -5, 5), *Y = add_operand(&c, rows * columns, 0, 0);
    if (odd) sprinkle(X);
    for (size_t i = 0; i < rows; i++) {
        double lse = log_sum_exp(columns, X->value + i * columns);
        for (size_t j = i * columns; j < (i + 1) * columns; j++)
            Y->want[j] = logarithm ? X->value[j] - lse : exp(X->value[j] - lse);
    }
    conform(&c);
}

static void check_softmax_gradient(const struct backend *b, bool logarithm, size_t rows, size_t columns, bool odd)
{
    struct call c = call_of(b, "softmax_gradient", run_softmax_gradient, rows, columns);
    c.which = logarithm;
    c.floor = logarithm ? (double)columns : 1;
    struct operand *Y = add_operand(&c, rows * columns, logarithm ? -3 : 0, logarithm ? 0 : 1),
                   *dY = add_operand(&c, rows * columns, -1, 1), *dX = add_operand(&c, rows * columns, 0, 0);
    if (odd) sprinkle(dY);
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t j = i * columns; j < (i + 1) * columns; j++)
            sum += logarithm ? dY->value[j] : dY->value[j] * Y->value[j];
        if (!odd) c.floor = fmax(c.floor, fabs(sum));
        for (size_t j = i * columns; j < (i + 1) * columns; j++)
            dX->want[j] = logarithm ? dY->value[j] - exp(Y->value[j]) * sum : Y->value[j] * (dY->value[j] - sum);
    }
    conform(&c);
}

/* One-hot targets, or (soft) any weights. */
static struct operand *add_targets(struct call *c, bool soft)
{
    struct operand *T = add_operand(c, c->n, 0, 1);
    for (size_t i = 0; !soft && i < c->rows; i++) {
        size_t class = (size_t)uniform(0, (double)c->columns);
        for (size_t j = 0; j < c->columns; j++)
            T->want[i * c->columns + j] = T->value[i * c->columns + j] = j == class;
    }
    return T;
}

static void check_cross_entropy(const struct backend *b, bool gradient, size_t rows, size_t columns, bool odd)
{
    struct call c = call_of(b, gradient ? "softmax_cross_entropy_gradient" : "softmax_cross_entropy",
                            gradient ? run_cross_entropy_gradient : run_cross_entropy, rows, columns);
    c.scale = 0.37;
    struct operand *P = add_operand(&c, c.n, -5, 5), *T = add_targets(&c, rows % 2),
                   *dP = gradient ? add_operand(&c, c.n, 0, 0) : NULL;
    if (odd) sprinkle(P);
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        const double *p = P->value + i * columns, *t = T->value + i * columns;
        double lse = log_sum_exp(columns, p), weight = 0;
        for (size_t j = 0; j < columns; j++) {
            weight += t[j];
            sum += t[j] * (lse - p[j]);
        }
        c.floor = fmax(c.floor, weight);
        for (size_t j = 0; gradient && j < columns; j++)
            dP->want[i * columns + j] = c.scale * (exp(p[j] - lse) * weight - t[j]);
    }
    conform(&c);
    if (!gradient) check_same(&c, c.sum, sum, "sum", 0);
}

static void check_hinge(const struct backend *b, bool gradient, size_t rows, size_t columns, bool odd)
{
    struct call c =
        call_of(b, gradient ? "hinge_gradient" : "hinge", gradient ? run_hinge_gradient : run_hinge, rows, columns);
    c.scale = 0.37;
    struct operand *P = add_operand(&c, c.n, -2, 2), *T = add_targets(&c, false),
                   *dP = gradient ? add_operand(&c, c.n, 0, 0) : NULL;
    if (odd) sprinkle(P);
    if (rows > 5) /* a row without a class counts as the last one's */
        for (size_t j = 0; j < columns; j++)
            T->want[2 * columns + j] = T->value[2 * columns + j] = 0;
    if (rows > 5) /* of several classes the first counts */
        for (size_t j = columns / 3; j < columns; j++)
            T->want[3 * columns + j] = T->value[3 * columns + j] = 1;
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        const double *p = P->value + i * columns, *t = T->value + i * columns;
        size_t right = 0, violated = 0;
        while (right + 1 < columns && t[right] == 0)
            right++;
        for (size_t j = 0; j < columns; j++) {
            double margin = p[j] - p[right] + 1;
            if (j != right && !(margin <= 0)) sum += margin;
            violated += j != right && margin > 0;
            if (gradient) dP->want[i * columns + j] = j != right && margin > 0 ? c.scale : 0;
        }
        if (gradient) dP->want[i * columns + right] = -c.scale * (double)violated;
    }
    conform(&c);
    if (!gradient) check_same(&c, c.sum, sum, "sum", 0);
}

START_TEST(softmax_and_its_kin)
{
    const struct backend *b = conformance.backends[_i / 2];
    bool second = _i % 2;
    conformance_seed();
    for (size_t s = 0; s <= SHAPES; s++) {
        bool odd = s == SHAPES;
        size_t m = odd ? 300 : shapes[s][0], n = odd ? 7 : shapes[s][1];
        if (!is_tried(m * n)) continue;
        check_softmax(b, second, m, n, odd);
        check_softmax_gradient(b, second, m, n, odd);
        check_cross_entropy(b, second, m, n, odd);
        check_hinge(b, second, m, n, odd);
    }
    check_softmax(b, second, 3, 1500, true);
    check_softmax_gradient(b, second, 3, 1500, true);
    check_cross_entropy(b, second, 3, 1500, true);
    check_hinge(b, second, 3, 1500, true);
}
END_TEST

/* ---- normalization ---- */

#define EPS 1e-5

static int run_normalize(struct call *c)
{
    return c->b->normalize(c->a, c->rows, c->columns, c->p[0], c->p[1], c->p[2]);
}

static int run_normalize_gradient(struct call *c)
{
    return c->b->normalize_gradient(c->rows, c->columns, c->p[0], c->p[1], c->p[2], c->which != 0 ? c->p[2] : c->p[3]);
}

/* Numbers of what kind: around 0; far from it, beside which they differ little; all of a row the same; with NaN and
 * infinities among them. */
enum kind { NEAR, FAR, CONSTANT, ODD };

static void fill(const struct backend *b, struct operand *X, size_t rows, size_t columns, enum kind kind)
{
    if (kind == ODD) sprinkle(X);
    for (size_t i = 0; i < rows; i++) {
        double level = floor(uniform(-50, 50)); /* whole, so that the mean is exact */
        for (size_t j = i * columns; j < (i + 1) * columns; j++) {
            if (kind == FAR) X->value[j] = rounded(b, X->value[j] + 4096);
            if (kind == CONSTANT) X->value[j] = level;
            X->want[j] = X->value[j];
        }
    }
}

static void check_normalize(const struct backend *b, size_t rows, size_t columns, enum kind kind, double eps)
{
    struct call c = call_of(b, "normalize", run_normalize, rows, columns);
    c.which = (int)kind;
    c.a = eps;
    /* a mean near 4096 has so few digits less behind the point */
    c.floor = kind == FAR && b->dtype == DTYPE_FLOAT64 ? 100 : 1;
    struct operand *X = add_operand(&c, c.n, -5, 5), *Y = add_operand(&c, c.n, 0, 0),
                   *inverse = add_operand(&c, rows, 0, 0);
    fill(b, X, rows, columns, kind);
    for (size_t i = 0; i < rows; i++) {
        const double *x = X->value + i * columns, n = (double)columns;
        double mean = 0, variance = 0;
        for (size_t j = 0; j < columns; j++)
            mean += x[j] / n;
        if (kind == CONSTANT) mean = x[0];
        for (size_t j = 0; j < columns; j++)
            variance += (x[j] - mean) * (x[j] - mean) / n;
        inverse->want[i] = 1 / sqrt(variance + eps);
        for (size_t j = 0; j < columns; j++)
            Y->want[i * columns + j] = (x[j] - mean) * inverse->want[i];
    }
    conform(&c);
}

static void check_normalize_gradient(const struct backend *b, size_t rows, size_t columns, bool odd, bool in_place)
{
    struct call c = call_of(b, "normalize_gradient", run_normalize_gradient, rows, columns);
    c.which = in_place;
    c.floor = 1;
    struct operand *Y = add_operand(&c, c.n, -2, 2), *inverse = add_operand(&c, rows, 0.1, 3),
                   *dY = add_operand(&c, c.n, -1, 1), *dX = in_place ? dY : add_operand(&c, c.n, 0, 0);
    if (odd) sprinkle(dY);
    for (size_t i = 0; i < rows; i++) {
        const double *y = Y->value + i * columns, *dy = dY->value + i * columns, n = (double)columns;
        double mean = 0, slope = 0;
        for (size_t j = 0; j < columns; j++) {
            mean += dy[j] / n;
            slope += dy[j] * y[j] / n;
        }
        for (size_t j = 0; j < columns; j++)
            dX->want[i * columns + j] = inverse->value[i] * (dy[j] - mean - y[j] * slope);
    }
    conform(&c);
}

START_TEST(normalization)
{
    const struct backend *b = conformance.backends[_i];
    conformance_seed();
    for (size_t s = 0; s < SHAPES; s++) {
        size_t m = shapes[s][0], n = shapes[s][1];
        if (!is_tried(m * n)) continue;
        check_normalize(b, m, n, NEAR, EPS);
        check_normalize(b, m, n, CONSTANT, EPS);
        check_normalize_gradient(b, m, n, false, false);
        check_normalize_gradient(b, m, n, false, true);
    }
    const size_t some[][2] = {{7, 3}, {31, 32}, {257, 5}, {6, 200}, {3, 1025}, {2, 1300}};
    for (size_t s = 0; s < sizeof some / sizeof *some; s++) {
        check_normalize(b, some[s][0], some[s][1], NEAR, 0);
        check_normalize(b, some[s][0], some[s][1], NEAR, 10); /* no smaller than the variance */
        check_normalize(b, some[s][0], some[s][1], FAR, EPS);
        check_normalize(b, some[s][0], some[s][1], CONSTANT, 0); /* 0 * infinity */
        check_normalize(b, some[s][0], some[s][1], ODD, EPS);
        check_normalize_gradient(b, some[s][0], some[s][1], true, s % 2 == 0);
    }
}
END_TEST

void conformance_add_rows(TCase *tcase)
{
    tcase_add_loop_test(tcase, softmax_and_its_kin, 0, 2 * conformance.count);
    tcase_add_loop_test(tcase, normalization, 0, conformance.count);
}
