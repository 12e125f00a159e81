#include "tests/main.h"

#include <stdlib.h>
#include <string.h>

#include "server/body/suggest.h"

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
        const char *nearest = suggest_name(cases[i].name, layers, LAYERS);
        ck_assert_msg((nearest == NULL) == (cases[i].nearest == NULL), "%s: %s", cases[i].name,
                      nearest ? nearest : "none");
        if (nearest != NULL) ck_assert_str_eq(nearest, cases[i].nearest);
    }
    ck_assert_ptr_null(suggest_name("relu", NULL, 0));
}
END_TEST

/* Other frameworks' names, where what they stand for is among those known. */
START_TEST(test_other_frameworks)
{
    static const char *const layer_names[] = {"linear", "relu", "silu", "tanh", "sigmoid"};
    static const char *const loss_names[] = {"mse",       "cross_entropy", "bce",  "bce_with_logits", "nll", "l1",
                                             "smooth_l1", "huber",         "hinge"};
    static const char *const attributes[] = {"out_features", "in_features", "bias", "type", "name"};
    static const struct {
        const char *name;
        const char *const *known;
        size_t count;
        const char *nearest;
    } cases[] = {
        {"dense", layer_names, 5, "linear"},
        {"Dense", layer_names, 5, "linear"},
        {"fc", layer_names, 5, "linear"},
        {"fully_connected", layer_names, 5, "linear"},
        {"FullyConnected", layer_names, 5, "linear"},
        {"ReLU", layer_names, 5, "relu"},
        {"Tanh", layer_names, 5, "tanh"},
        {"SIGMOID", layer_names, 5, "sigmoid"},
        {"swish", layer_names, 5, "silu"},
        {"MSELoss", layer_names, 5, NULL},
        {"MSELoss", loss_names, 9, "mse"},
        {"mean_squared_error", loss_names, 9, "mse"},
        {"CrossEntropyLoss", loss_names, 9, "cross_entropy"},
        {"categorical_crossentropy", loss_names, 9, "cross_entropy"},
        {"BCELoss", loss_names, 9, "bce"},
        {"binary_crossentropy", loss_names, 9, "bce"},
        {"BCEWithLogitsLoss", loss_names, 9, "bce_with_logits"},
        {"NLLLoss", loss_names, 9, "nll"},
        {"L1Loss", loss_names, 9, "l1"},
        {"mae", loss_names, 9, "l1"},
        {"SmoothL1Loss", loss_names, 9, "smooth_l1"},
        {"HuberLoss", loss_names, 9, "huber"},
        {"svm", loss_names, 9, "hinge"},
        {"units", attributes, 5, "out_features"},
        {"units_", attributes, 5, "out_features"},
        {"unit", attributes, 5, NULL},
        {"", attributes, 5, NULL},
        {"_", loss_names, 9, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = suggest_name(cases[i].name, cases[i].known, cases[i].count);
        if (cases[i].nearest == NULL)
            ck_assert_msg(nearest == NULL, "%s: %s", cases[i].name, nearest);
        else
            ck_assert_msg(nearest != NULL && strcmp(nearest, cases[i].nearest) == 0, "%s: %s", cases[i].name,
                          nearest != NULL ? nearest : "none");
    }
}
END_TEST

START_TEST(test_long_names)
{
    size_t length = 10000000;
    char *name = malloc(length + 1);
    memset(name, 'r', length);
    name[length] = '\0';
    ck_assert_ptr_null(suggest_name(name, layers, LAYERS));
    ck_assert_ptr_null(suggest_name("relu", (const char *const *)&name, 1));
    name[64] = '\0';
    const char *known[] = {name};
    ck_assert_ptr_eq(suggest_name(name, known, 1), name);
    name[64] = 'r';
    name[65] = '\0';
    ck_assert_ptr_null(suggest_name(name, known, 1));
    free(name);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("nearest");
    TCase *tests = tcase_create("nearest");
    tcase_add_test(tests, test_nearest);
    tcase_add_test(tests, test_other_frameworks);
    tcase_add_test(tests, test_long_names);
    suite_add_tcase(suite, tests);
    return suite;
}
