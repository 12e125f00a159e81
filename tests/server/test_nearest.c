#include "tests/main.h"

#include <stdlib.h>
#include <string.h>

#include "server/nearest.h"

static const char *const layers[] = {"linear",        "flatten",  "relu", "leaky_relu", "elu",     "sigmoid",
                                     "tanh",          "softplus", "silu", "gelu",       "softmax", "log_softmax",
                                     "cross_entropy", "W1",       "W2",   "b1",         "x"};
enum { LAYERS = sizeof layers / sizeof *layers };

START_TEST(test_nearest)
{
    static const struct {
        const char *name, *nearest; /* NULL: none */
    } cases[] = {
        {"relu", "relu"},
        {"ReLU", "relu"},
        {"LINEAR", "linear"},
        {"Linaer", "linear"},
        {"liner", "linear"},
        {"lineear", "linear"},
        {"LeakyReLU", "leaky_relu"},
        {"leaky-relu", "leaky_relu"},
        {"sigmiod", "sigmoid"},
        {"logsoftmax", "log_softmax"},
        {"CrossEntropyLoss", "cross_entropy"},
        {"w1", "W1"},
        {"dW1", "W1"},
        {"b", "b1"},
        {"reul", "relu"},
        {"X", "x"},
        {"y", NULL},
        {"", NULL},
        {"convolution", NULL},
        {"attention", NULL},
        {"qqqqqqqqqqqqq", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = nearest_name(cases[i].name, layers, LAYERS);
        ck_assert_msg((nearest == NULL) == (cases[i].nearest == NULL), "%s: %s", cases[i].name,
                      nearest ? nearest : "none");
        if (nearest != NULL) ck_assert_str_eq(nearest, cases[i].nearest);
    }
    ck_assert_ptr_null(nearest_name("relu", NULL, 0));
}
END_TEST

START_TEST(test_long_names)
{
    size_t length = 10000000;
    char *name = malloc(length + 1);
    memset(name, 'r', length);
    name[length] = '\0';
    ck_assert_ptr_null(nearest_name(name, layers, LAYERS));
    ck_assert_ptr_null(nearest_name("relu", (const char *const *)&name, 1));
    name[64] = '\0';
    const char *known[] = {name};
    ck_assert_ptr_eq(nearest_name(name, known, 1), name);
    name[64] = 'r';
    name[65] = '\0';
    ck_assert_ptr_null(nearest_name(name, known, 1));
    free(name);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("nearest");
    TCase *tests = tcase_create("nearest");
    tcase_add_test(tests, test_nearest);
    tcase_add_test(tests, test_long_names);
    suite_add_tcase(suite, tests);
    return suite;
}
