/* Slips of the forward pass by themselves: what they make, and that their own derivative is the derivative of that. */
#include "tests/main.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/forward_slips.h"
#include "core/ops/ops.h"

enum { ROWS = 3, WIDTH = 4, SIZE = ROWS * WIDTH };

static double x[SIZE], y[SIZE], dy[SIZE], rooms[4][SIZE];
static const struct slip_room room = {rooms[0], rooms[1], rooms[2], rooms[3]};
static const struct shape matrix = {.rank = 2, .dim = {ROWS, WIDTH}};

/* A call of an activation on x. */
static struct op_call call_of(const char *name)
{
    static const struct shape *in[] = {&matrix};
    static const void *from[] = {x};
    static const double none[OP_ATTRIBUTES_MAX];
    for (size_t i = 0; i < SIZE; i++) {
        x[i] = sin(3.0 * (double)i + 1);
        dy[i] = cos(2.0 * (double)i);
    }
    return (struct op_call){.op = ops_find(name, false),
                            .backend = backend_cpu(DTYPE_FLOAT64),
                            .attributes = none,
                            .count = 1,
                            .in = in,
                            .out = &matrix,
                            .x = from,
                            .y = y,
                            .dy = dy};
}

START_TEST(over_other_axes)
{
    struct op_call call = call_of("softmax");
    const struct slip batch = {.kind = SLIP_OVER_BATCH}, all = {.kind = SLIP_OVER_ALL};
    double total = 0;
    ck_assert(slip_forward(&batch, &call, &room, y));
    for (size_t j = 0; j < WIDTH; j++) {
        double sum = 0, of_exp = 0;
        for (size_t i = 0; i < ROWS; i++) {
            sum += y[i * WIDTH + j];
            of_exp += exp(x[i * WIDTH + j]);
        }
        ck_assert_double_eq_tol(sum, 1, 1e-14);
        ck_assert_double_eq_tol(y[j], exp(x[j]) / of_exp, 1e-14);
    }
    ck_assert(slip_forward(&all, &call, &room, y));
    for (size_t i = 0; i < SIZE; i++)
        total += y[i];
    ck_assert_double_eq_tol(total, 1, 1e-14);
    call = call_of("tanh"); /* element by element there is no axis */
    ck_assert(!slip_forward(&batch, &call, &room, y) && !slip_forward(&all, &call, &room, y));
}
END_TEST

/* The sum of dy * y under a slip. */
static double weighed(const struct slip *slip, const struct op_call *call)
{
    double made[SIZE], sum = 0;
    ck_assert(slip_forward(slip, call, &room, made));
    for (size_t i = 0; i < SIZE; i++)
        sum += dy[i] * made[i];
    return sum;
}

START_TEST(own_derivatives)
{
    static const char *const names[] = {"softmax", "log_softmax", "tanh", "sigmoid"};
    size_t seen = 0;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        struct slip slip = {.kind = SLIP_OVER_BATCH};
        do {
            struct op_call call = call_of(names[n]);
            double dx[SIZE];
            if (!slip_forward(&slip, &call, &room, y)) continue;
            if (!slip_backward(&slip, SLIP_ITS_OWN, &call, &room, dx)) continue;
            seen++;
            for (size_t i = 0; i < SIZE; i++) {
                double at = x[i], step = 1e-6;
                x[i] = at + step;
                double above = weighed(&slip, &call);
                x[i] = at - step;
                double below = weighed(&slip, &call);
                x[i] = at;
                ck_assert_msg(fabs((above - below) / (2 * step) - dx[i]) < 1e-7, "%s, slip %d", names[n], slip.kind);
            }
        } while (slip_next(&slip));
    }
    ck_assert_uint_ge(seen, 40); /* nine other activations for each, none, and two axes for two of them */
}
END_TEST

START_TEST(texts)
{
    static const char *const expected[] = {"softmax over the batch", "softmax over everything",
                                           "relu instead of softmax"};
    struct slip slip = {.kind = SLIP_OVER_BATCH};
    char text[SLIP_TEXT_MAX];
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++, slip_next(&slip)) {
        slip_text(&slip, ops_find("softmax", false), text);
        ck_assert_str_eq(text, expected[i]);
    }
    slip = (struct slip){.kind = SLIP_LEFT_OUT};
    slip_text(&slip, ops_find("tanh", false), text);
    ck_assert_str_eq(text, "tanh left out");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("forward slips");
    TCase *tests = tcase_create("slips");
    tcase_add_test(tests, over_other_axes);
    tcase_add_test(tests, own_derivatives);
    tcase_add_test(tests, texts);
    suite_add_tcase(suite, tests);
    return suite;
}
