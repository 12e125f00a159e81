/* The primitives that read and write parts of tensors, and that make many numbers one, against their definitions in
 * plain loops: on every backend, through what a backend without them does instead. */
#include "tests/core/conformance_call.h"

#include <math.h>
#include <stdlib.h>

#include "core/backend/generic.h"

/* ---- views ---- */

enum { READ, WRITE, ADD, FILL };

/* Where the element of number e of a view stands. */
static size_t place_of(const struct strided *view, size_t e)
{
    ptrdiff_t at = (ptrdiff_t)view->offset;
    for (size_t axis = view->rank; axis-- > 0; e /= view->dim[axis])
        at += view->stride[axis] * (ptrdiff_t)(e % view->dim[axis]);
    return (size_t)at;
}

static int run_view(struct call *c)
{
    const struct strided *view = c->layout;
    switch (c->which) {
    case READ:
        return backend_view_read(c->b, view, c->p[0], c->p[1]);
    case WRITE:
        return backend_view_write(c->b, view, c->p[0], c->p[1]);
    case ADD:
        return backend_view_add(c->b, view, c->p[0], c->p[1]);
    default:
        return backend_view_fill(c->b, view, c->a, c->p[0]);
    }
}

/* A view of n elements, of all that can be done with one that `what` says. */
static void check_view(const struct backend *b, const struct strided *view, size_t n, int what)
{
    const size_t part = view_elements(view);
    struct call c = call_of(b, "view", run_view, part, 1);
    c.layout = view;
    c.which = what;
    c.a = 0.75;
    c.floor = what == ADD ? (double)part : 1;
    struct operand *whole, *packed = NULL;
    if (what == READ) {
        whole = add_operand(&c, n, -1, 1);
        packed = add_operand(&c, part, 0, 0);
    } else {
        if (what != FILL) packed = add_operand(&c, part, -1, 1);
        whole = add_operand(&c, n, -1, 1);
    }
    for (size_t e = 0; e < part; e++) {
        double *at = &whole->want[place_of(view, e)];
        if (what == READ)
            packed->want[e] = *at;
        else
            *at = what == FILL ? c.a : what == WRITE ? packed->value[e] : *at + packed->value[e];
    }
    conform(&c);
}

START_TEST(views)
{
    /* the first so many name no element twice */
    static const struct {
        size_t n;
        struct strided view;
    } list[] = {
        {1, {0}},
        {40, {1, {33}, {1}, 5}},
        {40, {1, {40}, {-1}, 39}},
        {100, {1, {33}, {3}, 2}},
        {33 * 31, {2, {31, 33}, {1, 31}, 0}},            /* transposed */
        {70 * 20, {2, {20, 70}, {-1, 20}, 19}},          /* and turned over */
        {40 * 40, {2, {17, 30}, {40, 1}, 85}},           /* a part */
        {40 * 40, {2, {5, 3}, {40, 1}, 85}},             /* with short rows */
        {40 * 40, {2, {10, 20}, {-80, 2}, 39 * 40}},     /* with steps */
        {64 * 32 * 8, {3, {8, 64, 32}, {1, 256, 8}, 0}}, /* three axes in other orders */
        {6 * 5 * 40, {3, {5, 6, 40}, {40, 200, 1}, 0}},
        {6 * 5 * 40, {3, {40, 5, 6}, {1, 40, 200}, 0}},
        {4 * 9, {2, {4, 3}, {9, 4}, 0}}, /* diagonals */
        {2 * 3 * 2 * 3 * 2 * 2 * 2 * 2, {8, {2, 2, 2, 2, 3, 2, 3, 2}, {1, 2, 4, 8, 16, 48, 96, 288}, 0}},
        {30, {2, {50, 30}, {0, 1}, 0}}, /* what is repeated */
        {40, {2, {30, 50}, {1, 0}, 3}},
        {200, {3, {20, 100, 7}, {0, 1, 0}, 50}},
        {200, {3, {20, 50, 7}, {0, -3, 0}, 190}},
        {1, {2, {30, 40}, {0, 0}, 0}},
        {40, {2, {30, 5}, {1, 1}, 2}}, /* windows */
        {60, {2, {5, 30}, {2, 1}, 2}},
    };
    enum { APART = 14 };
    const struct backend *b = conformance.backends[_i];
    conformance_seed();
    for (size_t v = 0; v < sizeof list / sizeof *list; v++) {
        check_view(b, &list[v].view, list[v].n, READ);
        check_view(b, &list[v].view, list[v].n, ADD);
        check_view(b, &list[v].view, list[v].n, FILL);
        if (v < APART) check_view(b, &list[v].view, list[v].n, WRITE);
    }
}
END_TEST

static int run_fill(struct call *c)
{
    return backend_fill(c->b, c->n, c->a, c->p[0]);
}

/* Whatever stands there. */
START_TEST(fills)
{
    const struct backend *b = conformance.backends[_i];
    conformance_seed();
    for (size_t n = 1; n < 3000; n = 3 * n + 1) {
        struct call c = call_of(b, "fill", run_fill, n, 1);
        struct operand *x = add_operand(&c, n, -1, 1);
        for (size_t i = 0; i < n; i++) {
            x->value[i] = NAN;
            x->want[i] = 0;
        }
        conform(&c);
    }
}
END_TEST

/* ---- what indices name ---- */

enum { TAKE = FILL };

static int run_index(struct call *c)
{
    const struct indexed *ix = c->layout;
    const void *const lists[] = {c->p[2], c->p[3]};
    switch (c->which) {
    case READ:
        return backend_index_read(c->b, ix, lists, c->p[0], c->p[1]);
    case WRITE:
        return backend_index_write(c->b, ix, lists, c->p[1], c->p[0]);
    case ADD:
        return backend_index_add(c->b, ix, lists, c->p[1], c->p[0]);
    default:
        return backend_index_take(c->b, ix, lists, c->p[0], c->p[1]);
    }
}

/* Lists of indices, half of which count from the end. */
static void draw_lists(struct call *c, const struct indexed *ix, const struct operand *lists[2])
{
    size_t n = ix->along ? ix->outer * ix->count * ix->inner : ix->count;
    for (size_t axis = 0; axis < ix->axes; axis++) {
        struct operand *list = add_operand(c, n, -1, 1);
        lists[axis] = list;
        for (size_t i = 0; i < n; i++)
            list->want[i] = list->value[i] = floor(list->value[i] * (double)ix->dim[axis]);
    }
}

static size_t named(const struct indexed *ix, const struct operand *const lists[2], size_t o, size_t s, size_t j)
{
    size_t place = 0;
    for (size_t axis = 0; axis < ix->axes; axis++) {
        double i = lists[axis]->value[ix->along ? (o * ix->count + s) * ix->inner + j : s];
        place = place * ix->dim[axis] + (size_t)(i < 0 ? i + (double)ix->dim[axis] : i);
    }
    return (o * indexed_length(ix) + place) * ix->inner + j;
}

static void check_index(const struct backend *b, const struct indexed *ix, int what)
{
    const size_t n = ix->outer * indexed_length(ix) * ix->inner, part = ix->outer * ix->count * ix->inner;
    struct call c = call_of(b, "index", run_index, part, 1);
    const struct operand *lists[2];
    c.layout = ix;
    c.which = what;
    c.floor = what == ADD ? (double)part : 1;
    struct operand *whole = add_operand(&c, n, -1, 1),
                   *packed = add_operand(&c, part, -1, what == WRITE || what == ADD ? 1 : -1);
    draw_lists(&c, ix, lists);
    for (size_t turn = 0; turn < part; turn++) {
        size_t e = what == TAKE ? part - 1 - turn : turn, row = e / ix->inner;
        double *at = &whole->want[named(ix, lists, row / ix->count, row % ix->count, e % ix->inner)];
        if (what == READ || what == TAKE)
            packed->want[e] = *at;
        else
            *at = what == WRITE ? packed->value[e] : *at + packed->value[e];
        if (what == TAKE) *at = 0;
    }
    conform(&c);
}

START_TEST(indices)
{
    static const struct indexed list[] = {
        {.outer = 1, .axes = 1, .dim = {30}, .inner = 1, .count = 50},
        {.outer = 1, .axes = 1, .dim = {30}, .inner = 40, .count = 50},
        {.outer = 3, .axes = 1, .dim = {7}, .inner = 3, .count = 20},
        {.outer = 1, .axes = 2, .dim = {5, 6}, .inner = 1, .count = 50},
        {.outer = 2, .axes = 2, .dim = {5, 1}, .inner = 10, .count = 4},
        {.along = true, .outer = 4, .axes = 1, .dim = {7}, .inner = 1, .count = 9},
        {.along = true, .outer = 3, .axes = 1, .dim = {5}, .inner = 11, .count = 2},
    };
    const struct backend *b = conformance.backends[_i];
    conformance_seed();
    for (size_t l = 0; l < sizeof list / sizeof *list; l++)
        for (int what = READ; what <= TAKE; what++)
            check_index(b, &list[l], what);
}
END_TEST

static int run_first_no_index(struct call *c)
{
    return backend_first_no_index(c->b, c->n, c->p[0], 5, &c->offset);
}

START_TEST(no_indices)
{
    const double wrong[] = {5, -6, 0.5, NAN, HUGE_VAL, -HUGE_VAL};
    const struct backend *b = conformance.backends[_i];
    conformance_seed();
    for (size_t w = 0; w <= sizeof wrong / sizeof *wrong; w++) {
        struct call c = call_of(b, "first_no_index", run_first_no_index, 300, 1);
        struct operand *x = add_operand(&c, c.n, -5, 5);
        for (size_t i = 0; i < c.n; i++)
            x->want[i] = x->value[i] = floor(x->value[i]);
        bool right = w == sizeof wrong / sizeof *wrong;
        if (!right) x->want[123] = x->value[123] = x->want[200] = x->value[200] = wrong[w];
        conform(&c);
        ck_assert_uint_eq(c.offset, right ? c.n : 123);
    }
}
END_TEST

/* ---- along an axis ---- */

static int run_fold(struct call *c)
{
    return backend_fold(c->b, (enum fold)c->which, c->a, c->layout, c->p[0], c->p[1]);
}

static int run_fold_gradient(struct call *c)
{
    return backend_fold_gradient(c->b, (enum fold)c->which, c->a, c->layout, c->p[0], c->p[1], c->p[2], c->p[3]);
}

/* The n numbers at x, `step` from each other, as one; and into share[], unless it is NULL, what each has of a gradient
 * of 1 there. */
static double fold_of(enum fold f, double a, size_t n, size_t step, const double *x, double *share)
{
    const bool least = f == FOLD_min || f == FOLD_argmin;
    double sum = 0, squares = 0, product = 1, exponentials = 0;
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        double v = x[i * step], b = x[best * step];
        sum += v;
        product *= v;
        squares += v * v;
        if (!isnan(b) && (isnan(v) || (least ? v < b : v > b))) best = i;
    }
    const double top = x[best * step], mean = sum / (double)n;
    double variance = 0;
    for (size_t i = 0; i < n; i++) {
        exponentials += exp(x[i * step] - top);
        variance += (x[i * step] - mean) * (x[i * step] - mean) / ((double)n - a);
    }
    for (size_t i = 0; share != NULL && i < n; i++) {
        double v = x[i * step], others = 1;
        for (size_t k = 0; f == FOLD_prod && k < n; k++)
            if (k != i) others *= x[k * step];
        share[i] = f == FOLD_sum                    ? 1
                   : f == FOLD_mean                 ? 1 / (double)n
                   : f == FOLD_max || f == FOLD_min ? (i == best ? 1 : 0)
                   : f == FOLD_prod                 ? others
                   : f == FOLD_logsumexp            ? exp(v - top) / exponentials
                   : f == FOLD_variance             ? 2 * (v - mean) / ((double)n - a)
                   : squares > 0                    ? v / sqrt(squares)
                                                    : 0;
    }
    switch (f) {
    case FOLD_sum:
        return sum;
    case FOLD_mean:
        return mean;
    case FOLD_max:
    case FOLD_min:
        return top;
    case FOLD_prod:
        return product;
    case FOLD_logsumexp:
        return isinf(top) ? top : top + log(exponentials);
    case FOLD_variance:
        return variance;
    case FOLD_norm:
        return sqrt(squares);
    case FOLD_argmax:
    case FOLD_argmin:
        return (double)best;
    case FOLD_COUNT:
        break;
    }
    return NAN;
}

/* Numbers among which there are ties and zeros; whole ones, or any; NaN and infinities among them. */
enum kind { WHOLE, ANY, ODD };

static struct operand *add_numbers(struct call *c, size_t n, enum kind kind)
{
    struct operand *x = add_operand(c, n, -2, 2);
    for (size_t i = 0; kind == WHOLE && i < n; i++)
        x->want[i] = x->value[i] = floor(x->value[i]);
    if (kind == ODD) sprinkle(x);
    return x;
}

static void check_fold(const struct backend *b, enum fold f, const struct rows_of_fold *rows, enum kind kind)
{
    struct call c = call_of(b, "fold", run_fold, rows->outer * rows->n, rows->inner);
    const size_t made = rows->outer * rows->inner;
    c.layout = rows;
    c.which = (int)f;
    c.a = f == FOLD_variance && rows->n > 1 ? 1 : 0;
    c.floor = f == FOLD_sum ? (double)rows->n : 1;
    struct operand *x = add_numbers(&c, made * rows->n, kind), *y = add_operand(&c, made, 0, 0);
    for (size_t e = 0; e < made; e++) {
        const double *first = x->value + e / rows->inner * rows->n * rows->inner + e % rows->inner;
        y->want[e] = rounded(b, fold_of(f, c.a, rows->n, rows->inner, first, NULL));
    }
    conform(&c);
}

static void check_fold_gradient(const struct backend *b, enum fold f, const struct rows_of_fold *rows, enum kind kind)
{
    struct call c = call_of(b, "fold_gradient", run_fold_gradient, rows->outer * rows->n, rows->inner);
    const size_t made = rows->outer * rows->inner;
    double *share = malloc(rows->n * sizeof *share);
    ck_assert_ptr_nonnull(share);
    c.layout = rows;
    c.which = (int)f;
    c.a = f == FOLD_variance && rows->n > 1 ? 1 : 0;
    c.floor = 1;
    struct operand *x = add_numbers(&c, made * rows->n, kind), *y = add_operand(&c, made, -1, 1),
                   *dy = add_operand(&c, made, -1, 1), *dx = add_operand(&c, made * rows->n, 0, 0);
    for (size_t e = 0; e < made; e++) {
        size_t first = e / rows->inner * rows->n * rows->inner + e % rows->inner;
        y->want[e] = y->value[e] = rounded(b, fold_of(f, c.a, rows->n, rows->inner, x->value + first, share));
        for (size_t i = 0; i < rows->n; i++)
            dx->want[first + i * rows->inner] = share[i] * dy->value[e];
    }
    conform(&c);
    free(share);
}

START_TEST(folds)
{
    static const struct rows_of_fold list[] = {{1, 1, 1},  {1, 33, 1},  {7, 9, 1},    {300, 2, 1}, {1, 5, 130},
                                               {1, 40, 3}, {3, 7, 129}, {5, 1, 5},    {2, 3, 4},   {4, 17, 1},
                                               {1, 1, 40}, {1, 64, 64}, {1, 2000, 1}, {2, 3, 300}};
    const struct backend *b = conformance.backends[_i / FOLD_COUNT];
    enum fold f = (enum fold)(_i % FOLD_COUNT);
    const bool differentiated = f != FOLD_argmax && f != FOLD_argmin;
    conformance_seed();
    for (size_t l = 0; l < sizeof list / sizeof *list; l++)
        for (enum kind kind = WHOLE; kind <= ANY; kind++) {
            if (f == FOLD_prod && list[l].n > 100) continue; /* such a product is no number */
            check_fold(b, f, &list[l], kind);
            if (differentiated) check_fold_gradient(b, f, &list[l], kind);
        }
    /* sums in whatever order are NaN where NaN or both infinities are among them */
    const struct rows_of_fold odd[] = {{3, 40, 1}, {1, 3, 40}};
    for (size_t l = 0; f != FOLD_prod && l < 2; l++)
        check_fold(b, f, &odd[l], ODD);
}
END_TEST

static int run_cumsum(struct call *c)
{
    return backend_cumsum(c->b, c->which, c->layout, c->p[0], c->p[1]);
}

START_TEST(cumulative_sums)
{
    static const struct rows_of_fold list[] = {{1, 1, 1}, {1, 33, 1}, {7, 9, 1}, {1, 5, 130}, {3, 7, 2}};
    const struct backend *b = conformance.backends[_i];
    conformance_seed();
    for (size_t l = 0; l < sizeof list / sizeof *list; l++)
        for (int backwards = 0; backwards < 2; backwards++) {
            const struct rows_of_fold r = list[l];
            struct call c = call_of(b, "cumsum", run_cumsum, r.outer * r.n, r.inner);
            c.layout = &r;
            c.which = backwards;
            c.floor = (double)r.n;
            struct operand *x = add_operand(&c, c.n, -1, 1), *y = add_operand(&c, c.n, 0, 0);
            for (size_t e = 0; e < c.n; e++) {
                size_t i = e / r.inner % r.n, from = backwards ? i : 0, to = backwards ? r.n : i + 1;
                double sum = 0;
                for (size_t k = from; k < to; k++)
                    sum += x->value[e - i * r.inner + k * r.inner];
                y->want[e] = rounded(b, sum);
            }
            conform(&c);
        }
}
END_TEST

void conformance_add_layouts(TCase *tcase)
{
    tcase_add_loop_test(tcase, views, 0, conformance.count);
    tcase_add_loop_test(tcase, fills, 0, conformance.count);
    tcase_add_loop_test(tcase, indices, 0, conformance.count);
    tcase_add_loop_test(tcase, no_indices, 0, conformance.count);
    tcase_add_loop_test(tcase, folds, 0, FOLD_COUNT * conformance.count);
    tcase_add_loop_test(tcase, cumulative_sums, 0, conformance.count);
}
