#include "tests/core/conformance_call.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

#define TOLERANCE_F64 1e-12
#define TOLERANCE_F32 4e-6

double rounded(const struct backend *b, double x)
{
    return b->dtype == DTYPE_FLOAT32 ? (double)(float)x : x;
}

struct operand *add_operand(struct call *c, size_t n, double low, double high)
{
    struct operand *o = &c->operands[c->count++];
    o->n = n;
    o->value = malloc((n + 1) * sizeof(double));
    o->want = malloc((n + 1) * sizeof(double));
    ck_assert(o->value != NULL && o->want != NULL);
    for (size_t i = 0; i < n; i++)
        o->want[i] = o->value[i] = low < high ? rounded(c->b, uniform(low, high)) : GUARD_VALUE;
    return o;
}

void sprinkle(struct operand *o)
{
    const double odd[] = {NAN, HUGE_VAL, -HUGE_VAL, 0, -0.0, 88, -88};
    for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
        size_t at = (k * 997 + 1) % o->n;
        o->want[at] = o->value[at] = odd[k];
    }
    o->want[o->n - 1] = o->value[o->n - 1] = NAN;
}

void check_same(const struct call *c, double got, double want, const char *what, size_t at)
{
    double tolerance = c->b->dtype == DTYPE_FLOAT32 ? TOLERANCE_F32 : TOLERANCE_F64;
    bool right = isnan(want)   ? isnan(got)
                 : isinf(want) ? got == want
                               : fabs(got - want) <= tolerance * (fabs(want) + c->floor);
    if (right) return; /* not ck_assert_msg, which writes to a file for every element */
    ck_abort_msg("%s %d on %s %s, %zu x %zu (%zu): %s %zu is %.17g, not %.17g", c->name, c->which, c->b->device,
                 dtype_names[c->b->dtype], c->rows, c->columns, c->n, what, at, got, want);
}

static bool same_bits(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

/* Runs it once, into got[operand]. */
static void once(struct call *c, double *const *got)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 30);
    struct guarded t[OPERANDS_MAX];
    for (size_t k = 0; k < c->count; k++) {
        t[k] = guarded_new(&arena, c->b, c->operands[k].n, c->operands[k].value);
        c->p[k] = guarded_data(&t[k]);
    }
    c->sum = NAN;
    ck_assert_int_eq(c->run(c), CODE_OK);
    for (size_t k = 0; k < c->count; k++) {
        guarded_read(&t[k], got[k]);
        guarded_free(&t[k]);
    }
    arena_free(&arena);
}

void conform(struct call *c)
{
    double *got[OPERANDS_MAX] = {0}, *again[OPERANDS_MAX] = {0};
    for (size_t k = 0; k < c->count; k++) {
        got[k] = malloc((c->operands[k].n + 1) * sizeof(double));
        again[k] = malloc((c->operands[k].n + 1) * sizeof(double));
        ck_assert(got[k] != NULL && again[k] != NULL);
    }
    once(c, got);
    double sum = c->sum;
    size_t offset = c->offset;
    if (conformance.reorder != NULL) conformance.reorder(true);
    once(c, again);
    if (conformance.reorder != NULL) conformance.reorder(false);
    ck_assert_msg(same_bits(sum, c->sum) && offset == c->offset, "%s %d: another sum the second time", c->name,
                  c->which);
    for (size_t k = 0; k < c->count; k++) {
        for (size_t i = 0; i < c->operands[k].n; i++) {
            check_same(c, got[k][i], c->operands[k].want[i], "element", i);
            if (!same_bits(got[k][i], again[k][i]))
                ck_abort_msg("%s %d: other bits the second time", c->name, c->which);
        }
        free(got[k]);
        free(again[k]);
        free(c->operands[k].value);
        free(c->operands[k].want);
    }
}

struct call call_of(const struct backend *b, const char *name, int (*run)(struct call *), size_t rows, size_t columns)
{
    return (struct call){
        .b = b, .name = name, .run = run, .rows = rows, .columns = columns, .n = rows * columns, .floor = 1e-3};
}

/* ---- sizes ---- */

const size_t shapes[SHAPES][2] = {{1, 1},     {1, 33},    {33, 1},    {31, 32},  {32, 31},  {7, 3},
                                  {257, 5},   {256, 4},   {3, 1024},  {3, 1025}, {2, 3000}, {65537, 1},
                                  {70001, 3}, {2, 33000}, {1025, 40}, {6, 200},  {6, 1300}};

static bool small_only;

void set_small_only(void)
{
    small_only = true;
}

void unset_small_only(void)
{
    small_only = false;
}

bool is_tried(size_t elements)
{
    return !small_only || elements <= SMALL;
}
