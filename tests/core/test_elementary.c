/* Elementary ops beyond what the conformance suite sees of them one by one: what they refuse, and in what words; what
 * no gradient flows through; indices that are none. */
#include "tests/main.h"

#include <string.h>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/pass/pass.h"

static struct arena arena;
static struct error error;

static void setup(void)
{
    arena_init(&arena, (size_t)1 << 24);
    error = (struct error){0};
}

static void teardown(void)
{
    arena_free(&arena);
}

/* ---- what is refused ---- */

#define NUMBERS(...)                                                                                                   \
    (const double[])                                                                                                   \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static const struct {
    const char *op;
    const double *numbers;
    struct shape in[2]; /* as many as have an axis */
    int code;
    const char *says;
} refused[] = {
    {"view", NUMBERS(1, 5, 4, 0), {{2, {3, 4}}}, CODE_SHAPE_MISMATCH, "a view of shape [5] reaches beyond"},
    {"view", NUMBERS(1, 2, -4, 3), {{2, {3, 4}}}, CODE_SHAPE_MISMATCH, "an array of shape [3,4]"},
    {"view", NUMBERS(2, 9e15, 9e15, 9e15, 9e15, 9e15), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "too large"},
    {"view", NUMBERS(2, 9e15, 2, 9e15, 9e15, 9e15), {{2, {3, 4}}}, CODE_SHAPE_MISMATCH, "beyond"},
    {"view", NUMBERS(1, 2, 0.5, 0), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "whole"},
    {"view", NUMBERS(17), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "at most 16 axes"},
    {"view", NUMBERS(1, 0, 1, 0), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "at least one element"},
    {"reshape", NUMBERS(2, 5, 2), {{2, {3, 4}}}, CODE_SHAPE_MISMATCH, "[3,4] has no place in shape [5,2]"},
    {"write",
     NUMBERS(0, 1, 4, 1, 0),
     {{2, {3, 4}}, {1, {3}}},
     CODE_SHAPE_MISMATCH,
     "[3] cannot stand at places of shape [4]"},
    {"write", NUMBERS(0, 2, 2, 4, 0, 1, 0), {{2, {3, 4}}, {2, {2, 4}}}, CODE_OUT_OF_RANGE, "overlap"},
    {"pad", NUMBERS(0, 1, 1, 1), {{2, {3, 4}}}, CODE_SHAPE_MISMATCH, "for 1 axes, but the array has shape [3,4]"},
    {"pad", NUMBERS(0, 1, -1, 0), {{1, {3}}}, CODE_OUT_OF_RANGE, "-1 and 0"},
    {"pad", NUMBERS(0, 2, 4e15, 0, 4e15, 0), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "too large"},
    {"concatenate", NUMBERS(2), {{2, {3, 4}}, {2, {3, 4}}}, CODE_OUT_OF_RANGE, "axis 2 is out of bounds"},
    {"concatenate", NUMBERS(0), {{2, {3, 4}}, {2, {3, 3}}}, CODE_SHAPE_MISMATCH, "not [3,4] and [3,3]"},
    {"index", NUMBERS(2, 1), {{2, {3, 4}}, {1, {5}}}, CODE_OUT_OF_RANGE, "axis 2 is out of bounds"},
    {"index", NUMBERS(1, 2), {{2, {3, 4}}, {1, {5}}}, CODE_SHAPE_MISMATCH, "too many indices"},
    {"take_along_axis", NUMBERS(1), {{2, {3, 4}}, {2, {2, 4}}}, CODE_SHAPE_MISMATCH, "[2,4] and [3,4]"},
    {"sum", NUMBERS(1, 2, 0), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "axis 2 is out of bounds for an array of shape [3,4]"},
    {"mean",
     NUMBERS(2, 1, -1, 0),
     {{2, {3, 4}}},
     CODE_OUT_OF_RANGE,
     "axis 1 of an array of shape [3,4] is given twice"},
    {"max", NUMBERS(3, 0, 1, 2, 0), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "no 3 axes"},
    {"min", NUMBERS(1, 0, 2), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "keepdims"},
    {"cumsum", NUMBERS(-3), {{2, {3, 4}}}, CODE_OUT_OF_RANGE, "axis -3 is out of bounds"},
};

START_TEST(refusals)
{
    struct op_plan plan;
    op_no_plan(&plan);
    const struct op *op = ops_find_elementary(refused[_i].op);
    ck_assert_ptr_nonnull(op);
    const struct shape *in[] = {&refused[_i].in[0], &refused[_i].in[1]};
    const struct op_shape shape = {
        .op = op, .attributes = refused[_i].numbers, .count = in[1]->rank > 0 ? 2 : 1, .in = in};
    ck_assert_int_eq(op->plan(&shape, &plan, &error), refused[_i].code);
    ck_assert_msg(strstr(error.detail, refused[_i].says) != NULL, "%s", error.detail);
}
END_TEST

/* ---- in a pass ---- */

static struct graph graph;

static struct value *give(enum value_kind kind, struct shape shape)
{
    struct value *value;
    ck_assert_int_eq(graph_give(&graph, kind, NULL, &shape, "a value", &value, &error), CODE_OK);
    return value;
}

static struct value *apply(const struct op *op, const double *numbers, struct value *a, struct value *b)
{
    struct value *const inputs[] = {a, b};
    const struct shape *in[] = {&a->shape, b != NULL ? &b->shape : NULL};
    const size_t count = b != NULL ? 2 : 1;
    struct op_plan plan;
    struct node *node;
    op_no_plan(&plan);
    const struct op_shape shape = {.op = op, .attributes = numbers, .count = count, .in = in};
    ck_assert_msg(op->plan(&shape, &plan, &error) == CODE_OK, "%s", error.detail);
    ck_assert_int_eq(
        graph_apply(&graph, op, numbers, inputs, count, &plan, (struct place){.kind = PLACE_LAYER}, &node, &error),
        CODE_OK);
    return node->output;
}

/* sum(x[i] * target), i being a value of its own or the places of the largest of each column. */
static void build(bool given, struct value **x, struct value **i, struct value **target, struct pass *pass)
{
    static const double sum[OP_ATTRIBUTES_MAX] = {[LOSS_REDUCTION] = REDUCTION_SUM, [LOSS_SCALE] = 1};
    static const double columns[] = {1, 0, 0}, first[] = {0, 1};
    graph_begin(&arena, &graph);
    *x = give(VALUE_PARAMETER, (struct shape){2, {3, 4}});
    *target = give(VALUE_DATA, (struct shape){2, {4, 4}});
    *i = given ? give(VALUE_DATA, (struct shape){1, {4}}) : apply(ops_find_elementary("argmax"), columns, *x, NULL);
    struct value *named = apply(ops_find_elementary("index"), first, *x, *i);
    ck_assert(graph_add_term(&graph, apply(ops_find("upstream", true), sum, named, *target)));
    ck_assert(graph_finish(&graph));
    ck_assert_int_eq(pass_new(&arena, &graph, backend_cpu(DTYPE_FLOAT64), pass, &error), CODE_OK);
}

/* Which elements are taken is none of a gradient's business: nothing flows to the places, and through them nothing to
 * x. */
START_TEST(places_have_no_gradient)
{
    const double x[] = {1, 9, 3, 4, 5, 6, 9, 8, 5, 2, 3, 4}; /* the largest are in rows 1 0 1 1 */
    double target[16], back[12], places[4], want[12] = {0};
    struct value *xs, *is, *targets;
    struct pass pass;
    build(false, &xs, &is, &targets, &pass);
    for (size_t e = 0; e < 16; e++) {
        target[e] = (double)e;
        want[(e / 4 == 1 ? 0 : 4) + e % 4] += (double)e;
    }
    ck_assert_int_eq(pass_set(&pass, xs, x, &error), CODE_OK);
    ck_assert_int_eq(pass_set(&pass, targets, target, &error), CODE_OK);
    ck_assert_int_eq(pass_forward(&pass, &error), CODE_OK);
    ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
    ck_assert_int_eq(pass_read_gradient(&pass, xs, back, &error), CODE_OK);
    ck_assert_mem_eq(back, want, sizeof want);
    ck_assert_int_eq(pass_read_gradient(&pass, is, places, &error), CODE_OK);
    for (size_t e = 0; e < 4; e++)
        ck_assert_double_eq(places[e], 0);
    pass_free(&pass);
}
END_TEST

START_TEST(indices_that_are_none)
{
    static const struct {
        double index;
        const char *says;
    } list[] = {{3, "index 3 is out of bounds for axis 0, which has size 3"},
                {-4, "index -4 is out of bounds"},
                {0.5, "0.5, which is no whole number"}};
    const double x[12] = {0}, target[16] = {0};
    struct value *xs, *is, *targets;
    struct pass pass;
    build(true, &xs, &is, &targets, &pass);
    ck_assert_int_eq(pass_set(&pass, xs, x, &error), CODE_OK);
    ck_assert_int_eq(pass_set(&pass, targets, target, &error), CODE_OK);
    for (size_t l = 0; l < sizeof list / sizeof *list; l++) {
        const double index[] = {0, -3, list[l].index, 2};
        error = (struct error){0};
        ck_assert_int_eq(pass_set(&pass, is, index, &error), CODE_OK);
        ck_assert_int_eq(pass_forward(&pass, &error), CODE_OUT_OF_RANGE);
        ck_assert_msg(strstr(error.detail, list[l].says) != NULL, "%s", error.detail);
    }
    pass_free(&pass);
}
END_TEST

/* By element whether it is the largest of its column: what verification watches for a change. */
START_TEST(ties)
{
    const double x[] = {1, 9, 3, 8, 5, 6, 9, 8, 5, 2, 3, 4}, y[] = {5, 9, 9, 8}, numbers[] = {1, 0, 0};
    const signed char want[] = {0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0};
    signed char found[12];
    const struct op *op = ops_find_elementary("max");
    const struct shape shape = {2, {3, 4}}, *in[] = {&shape};
    const void *inputs[] = {x};
    const struct op_call call = {.op = op, .attributes = numbers, .count = 1, .in = in, .x = inputs, .y = (void *)y};
    op->sides(&call, found);
    ck_assert_mem_eq(found, want, sizeof want);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("elementary");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, refusals, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tcase, places_have_no_gradient);
    tcase_add_test(tcase, indices_that_are_none);
    tcase_add_test(tcase, ties);
    suite_add_tcase(suite, tcase);
    return suite;
}
