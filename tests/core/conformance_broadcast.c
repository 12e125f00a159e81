/* The primitives on tensors that are repeated to one shape against plain loops over the scalar formulas, in every
 * layout: alike, a row, a column, a single number, and whatever else can be repeated along some axes. */
#include "tests/core/conformance_call.h"

#include <string.h>
#include <tgmath.h>

#include "core/base/error.h"

#define FORMULA static inline

#define REAL double
#define NAME(x) x##_f64
#include "core/backend/formulas.h"
#undef REAL
#undef NAME

#define REAL float
#define NAME(x) x##_f32
#include "core/backend/formulas.h"
#undef REAL
#undef NAME

/* A broadcast: its axes, and by tensor a letter for each of them: '.' where it is repeated. */
struct layout {
    size_t rank, dim[5];
    const char *tensors[BROADCAST_TENSORS];
};

/* Runs longer than any piece in which they are taken, and more of them than a grid is high. */
static const struct layout layouts[] = {{1, {1}, {"n", "n", "n"}},
                                        {1, {1023}, {"n", "n", "n"}},
                                        {1, {257}, {".", "n", "n"}},
                                        {1, {1025}, {"n", ".", "."}},
                                        {1, {40}, {"n", "n", "."}},
                                        {1, {33}, {"n", ".", "n"}},
                                        {1, {33}, {".", "n", "."}},
                                        {1, {33}, {".", ".", "n"}},
                                        {2, {7, 33}, {"mn", ".n", "m."}},
                                        {2, {33, 300}, {".n", "mn", "mn"}},
                                        {2, {65, 3}, {"mn", "m.", ".."}},
                                        {2, {9, 513}, {"m.", "mn", ".n"}},
                                        {2, {70, 31}, {"m.", ".n", "mn"}},
                                        {2, {5, 3}, {".n", "m.", "m."}},
                                        {3, {4, 9, 5}, {"l.n", "lmn", ".m."}},
                                        {3, {4, 70, 5}, {"lmn", ".m.", "l.n"}},
                                        {4, {3, 2, 5, 4}, {"k.m.", ".l.n", "klmn"}},
                                        {5, {2, 3, 2, 2, 3}, {"j.l.n", ".k.m.", "jk..n"}}};
static const struct layout large[] = {
    {2, {70001, 3}, {"mn", ".n", "m."}}, {2, {3, 70001}, {"m.", "mn", ".n"}}, {2, {70001, 3}, {"m.", "mn", "mn"}}};
enum { LAYOUTS = sizeof layouts / sizeof *layouts, LARGE = sizeof large / sizeof *large };

static struct broadcast broadcast_of_layout(const struct layout *l)
{
    struct broadcast s = {.rank = l->rank};
    memcpy(s.dim, l->dim, l->rank * sizeof *s.dim);
    for (size_t k = 0; k < BROADCAST_TENSORS; k++) {
        size_t stride = 1;
        for (size_t axis = l->rank; axis-- > 0;) {
            if (l->tensors[k][axis] == '.') continue;
            s.stride[k][axis] = stride;
            stride *= l->dim[axis];
        }
    }
    return s;
}

/* The elements of a tensor of it, or of the output. */
static size_t size_of(const struct broadcast *s, size_t tensor)
{
    size_t n = 1;
    for (size_t axis = 0; axis < s->rank; axis++)
        if (tensor == BROADCAST_TENSORS || s->stride[tensor][axis] > 0) n *= s->dim[axis];
    return n;
}

/* Where an element of the output lies in a tensor. */
static size_t place_of(const struct broadcast *s, size_t tensor, size_t element)
{
    size_t at = 0;
    for (size_t axis = s->rank; axis-- > 0; element /= s->dim[axis])
        at += element % s->dim[axis] * s->stride[tensor][axis];
    return at;
}

static double binary_value(bool narrow, enum binary f, double a, double b)
{
#define BINARY_CASE(name)                                                                                              \
    if (f == BINARY_##name) return narrow ? (double)name##_f32((float)a, (float)b) : name##_f64(a, b);
    FORMULAS_OF_BINARIES(BINARY_CASE)
#undef BINARY_CASE
    return NAN;
}

static double binary_sent(bool narrow, enum binary f, bool second, double a, double b, double y, double dy)
{
    float a_f = (float)a, b_f = (float)b, y_f = (float)y, dy_f = (float)dy;
#define BINARY_CASE(name)                                                                                              \
    if (f == BINARY_##name && second)                                                                                  \
        return narrow ? (double)name##_second_f32(a_f, b_f, y_f, dy_f) : name##_second_f64(a, b, y, dy);               \
    if (f == BINARY_##name)                                                                                            \
        return narrow ? (double)name##_first_f32(a_f, b_f, y_f, dy_f) : name##_first_f64(a, b, y, dy);
    FORMULAS_OF_ARITHMETIC(BINARY_CASE)
#undef BINARY_CASE
    return NAN;
}

static int run_binary(struct call *c)
{
    return c->b->binary((enum binary)c->which, c->broadcast, c->p[0], c->p[1], c->p[2]);
}

static int run_binary_gradient(struct call *c)
{
    return c->b->binary_gradient((enum binary)(c->which / 2), c->which % 2, c->broadcast, c->p[0], c->p[1], c->p[2],
                                 c->p[3], c->p[4]);
}

static int run_choose(struct call *c)
{
    return c->b->choose(c->broadcast, c->p[0], c->p[1], c->p[2], c->p[3]);
}

/* The two numbers; of those that ask for it whole ones, some of which are equal. */
static void add_two(struct call *c, enum binary f, const struct broadcast *s, bool odd)
{
    for (size_t k = 0; k < 2; k++) {
        struct operand *o = add_operand(c, size_of(s, k), f == BINARY_raised ? 0.1 : -3, 3);
        for (size_t i = 0; f >= BINARY_ARITHMETIC && i < o->n; i += 2)
            o->want[i] = o->value[i] = rint(o->value[i]);
        if (odd && o->n > 8) sprinkle(o);
    }
}

static void check_binary(const struct backend *b, enum binary f, const struct layout *l, bool odd)
{
    const struct broadcast s = broadcast_of_layout(l);
    struct call c = call_of(b, "binary", run_binary, size_of(&s, BROADCAST_TENSORS), 1);
    c.which = (int)f;
    c.broadcast = &s;
    add_two(&c, f, &s, odd);
    struct operand *y = add_operand(&c, c.n, 0, 0);
    for (size_t i = 0; i < c.n; i++)
        y->want[i] = binary_value(b->dtype == DTYPE_FLOAT32, f, c.operands[0].value[place_of(&s, 0, i)],
                                  c.operands[1].value[place_of(&s, 1, i)]);
    conform(&c);
}

static void check_binary_gradient(const struct backend *b, enum binary f, bool second, const struct layout *l, bool odd)
{
    const struct broadcast s = broadcast_of_layout(l);
    struct call c = call_of(b, "binary_gradient", run_binary_gradient, size_of(&s, BROADCAST_TENSORS), 1);
    const bool narrow = b->dtype == DTYPE_FLOAT32;
    c.which = 2 * (int)f + second;
    c.broadcast = &s;
    c.floor = 1;
    add_two(&c, f, &s, odd);
    struct operand *y = add_operand(&c, c.n, -1, 1), *dy = add_operand(&c, c.n, -1, 1),
                   *dx = add_operand(&c, size_of(&s, second), 0, 0);
    memset(dx->want, 0, dx->n * sizeof *dx->want);
    for (size_t i = 0; i < c.n; i++) {
        double one = c.operands[0].value[place_of(&s, 0, i)], other = c.operands[1].value[place_of(&s, 1, i)];
        y->want[i] = y->value[i] = binary_value(narrow, f, one, other);
        double sent = binary_sent(narrow, f, second, one, other, y->value[i], dy->value[i]);
        dx->want[place_of(&s, second, i)] += sent;
        if (isfinite(sent)) c.floor = fmax(c.floor, fabs(sent) * sqrt((double)(c.n / dx->n)));
    }
    for (size_t i = 0; i < dx->n; i++)
        dx->want[i] = rounded(b, dx->want[i]);
    conform(&c);
}

static void check_choose(const struct backend *b, const struct layout *l, bool odd)
{
    const struct broadcast s = broadcast_of_layout(l);
    struct call c = call_of(b, "choose", run_choose, size_of(&s, BROADCAST_TENSORS), 1);
    c.broadcast = &s;
    struct operand *mask = add_operand(&c, size_of(&s, 0), -1, 1), *one = add_operand(&c, size_of(&s, 1), -1, 1),
                   *other = add_operand(&c, size_of(&s, 2), -1, 1), *y = add_operand(&c, c.n, 0, 0);
    for (size_t i = 0; i < mask->n; i++)
        if (mask->value[i] < 0) mask->want[i] = mask->value[i] = 0;
    if (odd && one->n > 8) sprinkle(one);
    if (odd && other->n > 8) sprinkle(other);
    for (size_t i = 0; i < c.n; i++)
        y->want[i] =
            mask->value[place_of(&s, 0, i)] != 0 ? one->value[place_of(&s, 1, i)] : other->value[place_of(&s, 2, i)];
    conform(&c);
}

static void check_layout(const struct backend *b, enum binary f, const struct layout *l)
{
    for (int odd = 0; odd < 2; odd++) {
        if (f == BINARY_COUNT) {
            check_choose(b, l, odd);
            continue;
        }
        check_binary(b, f, l, odd);
        for (int second = 0; f < BINARY_ARITHMETIC && second < 2; second++)
            check_binary_gradient(b, f, second, l, odd);
    }
}

/* Every function of two numbers, and the choice by a mask behind them. */
enum { FUNCTIONS = BINARY_COUNT + 1 };

START_TEST(broadcasts)
{
    const struct backend *b = conformance.backends[_i / FUNCTIONS];
    enum binary f = (enum binary)(_i % FUNCTIONS);
    conformance_seed();
    for (size_t i = 0; i < LAYOUTS; i++)
        check_layout(b, f, &layouts[i]);
    /* the layout is the same for all of them: the first speaks for the others */
    for (size_t i = 0; i < LARGE && (f == BINARY_times || f == BINARY_COUNT) && is_tried(70001); i++)
        check_layout(b, f, &large[i]);
}
END_TEST

START_TEST(what_is_flat_has_no_gradient)
{
    const struct broadcast s = {.rank = 1, .dim = {1}, .stride = {{1}, {1}, {1}}};
    for (int f = BINARY_ARITHMETIC; f <= BINARY_COUNT; f++)
        ck_assert_int_eq(
            conformance.backends[_i]->binary_gradient((enum binary)f, false, &s, NULL, NULL, NULL, NULL, NULL),
            CODE_DEVICE);
}
END_TEST

void conformance_add_broadcasts(TCase *tcase)
{
    tcase_add_loop_test(tcase, broadcasts, 0, FUNCTIONS * conformance.count);
    tcase_add_loop_test(tcase, what_is_flat_has_no_gradient, 0, conformance.count);
}
