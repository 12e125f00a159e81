/* Training: optimizers against their formulas step by step, mini-batches, what is recorded, and the remarks on runs
 * that fail in a known way and on runs that do not. */
#include "tests/main.h"

#include <math.h>
#include <string.h>

#include "core/graph/initializer.h"
#include "core/train/train.h"
#include "tests/core/chain.h"

enum { PARAMETERS_MAX = 16, SAMPLES_MAX = 64, WIDTH_MAX = 16 };

static struct arena arena;
static struct test_chain chain;
static struct error error;
static struct training training;
static struct trained trained;
static double *parameters[PARAMETERS_MAX];
static double x[SAMPLES_MAX * WIDTH_MAX], target[SAMPLES_MAX * WIDTH_MAX];

static void setup(void)
{
    arena_init(&arena, (size_t)1 << 28);
    error = (struct error){0};
}

static void teardown(void)
{
    arena_free(&arena);
}

static const struct link xor_relu[] = {{"linear", 3}, {"relu", 0},    {"linear", 2}, {"relu", 0},
                                       {"linear", 1}, {"sigmoid", 0}, {NULL, 0}};
static const struct link xor_tanh[] = {{"linear", 8}, {"tanh", 0}, {"linear", 1}, {"sigmoid", 0}, {NULL, 0}};

static size_t size_of(size_t p)
{
    return chain.network.graded[p].value->size;
}

/* The definition as a network for that many samples of the data, from the parameters as they are now. */
static struct problem pose(size_t samples)
{
    ck_assert_int_eq(chain_build_defined(&arena, samples, &chain, &error), CODE_OK);
    return chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x, target, parameters);
}

/* A network on the XOR data, drawn with he_normal from that seed. */
static const struct optimizer_type *find_optimizer(const char *name)
{
    for (size_t i = 0; optimizers[i] != NULL; i++)
        if (strcmp(optimizers[i]->name, name) == 0) return optimizers[i];
    return NULL;
}

static void prepare(const struct link *links, const char *loss, uint32_t seed, const char *optimizer, double lr)
{
    static const double inputs[] = {0, 0, 0, 1, 1, 0, 1, 1}, outputs[] = {0, 1, 1, 0};
    ck_assert_int_eq(chain_build(&arena, 2, 4, links, loss, &chain, &error), CODE_OK);
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        parameters[p] = arena_doubles(&arena, size_of(p));
    const struct initializer init = {.scheme = SCHEME_HE_NORMAL, .seed = seed};
    initializer_fill(&init, &chain.network, parameters);
    memcpy(x, inputs, sizeof inputs);
    memcpy(target, outputs, sizeof outputs);
    training = (struct training){.problem = pose(4), .epochs = 1000, .batch_size = 4, .record_every = 1};
    training.optimizer.type = find_optimizer(optimizer);
    ck_assert_ptr_nonnull(training.optimizer.type);
    const struct attribute *list = training.optimizer.type->attributes;
    for (size_t a = 0; attribute_stands(&list[a]); a++)
        training.optimizer.attributes[a] = list[a].fallback;
    training.optimizer.attributes[0] = lr; /* each one's first */
}

static void run(void)
{
    ck_assert_msg(train_run(&arena, &training, &trained, &error) == CODE_OK, "%s", error.detail);
}

static void set(const char *name, size_t part, double value)
{
    const struct attribute *list = training.optimizer.type->attributes;
    for (size_t a = 0; attribute_stands(&list[a]); a++)
        if (list[a].name != NULL && strcmp(list[a].name, name) == 0) {
            training.optimizer.attributes[a + part] = value;
            return;
        }
    ck_abort_msg("%s has no %s", training.optimizer.type->name, name);
}

/* ---- the lab ---- */

START_TEST(lab)
{
    prepare(xor_relu, "mse", 123, "sgd", 1);
    run();
    ck_assert_uint_eq(trained.curve.count, 1000);
    ck_assert_double_eq_tol(trained.curve.loss[0], 0.19890335149539573, 1e-15);
    ck_assert_double_eq_tol(trained.curve.loss[999], 0.16667542448329686, 1e-12);
    ck_assert_double_eq(trained.curve.accuracy[999], 0.75);
    ck_assert_double_eq(trained.accuracy, 0.75);
    ck_assert_double_lt(trained.loss, trained.curve.loss[999]);
    ck_assert_uint_ge(trained.remarks, 1);
    ck_assert_int_eq(trained.health[0].symptom, SYMPTOM_DEAD_RELU);
    ck_assert_uint_eq(trained.health[0].layer, 1);
    ck_assert_uint_eq(trained.health[0].epoch, 0);
    ck_assert_uint_eq(trained.health[0].unit_count, 1);
    ck_assert_uint_eq(trained.health[0].units[0], 0);
}
END_TEST

/* ---- optimizers: one weight w and the loss (w - 3)**2 by hand ---- */

/* The formulas as PyTorch documents them, on one number. */
static void follow(const char *name, const double *a, size_t steps, double w, double *path)
{
    double first = 0, second = strcmp(name, "adagrad") == 0 ? a[3] : 0;
    for (size_t t = 1; t <= steps; t++) {
        path[t - 1] = (w - 3) * (w - 3);
        double g = 2 * (w - 3);
        if (strcmp(name, "sgd") == 0) { /* lr, momentum, dampening, nesterov, weight_decay */
            g += a[4] * w;
            if (a[1] > 0) {
                first = t == 1 ? g : a[1] * first + (1 - a[2]) * g;
                g = a[3] > 0 ? g + a[1] * first : first;
            }
            w -= a[0] * g;
        } else if (strncmp(name, "adam", 4) == 0) { /* lr, beta1, beta2, eps, weight_decay */
            if (strcmp(name, "adamw") == 0)
                w -= a[0] * a[4] * w;
            else
                g += a[4] * w;
            first = a[1] * first + (1 - a[1]) * g;
            second = a[2] * second + (1 - a[2]) * g * g;
            double m = first / (1 - pow(a[1], (double)t)), v = second / (1 - pow(a[2], (double)t));
            w -= a[0] * m / (sqrt(v) + a[3]);
        } else if (strcmp(name, "rmsprop") == 0) { /* lr, alpha, eps, weight_decay, momentum */
            g += a[3] * w;
            second = a[1] * second + (1 - a[1]) * g * g;
            first = a[4] * first + g / (sqrt(second) + a[2]);
            w -= a[0] * first;
        } else { /* adagrad: lr, lr_decay, weight_decay, initial_accumulator_value, eps */
            g += a[2] * w;
            second += g * g;
            w -= a[0] / (1 + (double)(t - 1) * a[1]) * g / (sqrt(second) + a[4]);
        }
    }
}

static const struct {
    const char *name, *option;
    size_t part;
    double value;
} options[] = {
    {"sgd", "lr", 0, 0.1},
    {"sgd", "momentum", 0, 0.9},
    {"sgd", "weight_decay", 0, 0.1},
    {"adam", "lr", 0, 0.1},
    {"adam", "betas", 0, 0.5},
    {"adam", "betas", 1, 0.9},
    {"adam", "eps", 0, 0.1},
    {"adam", "weight_decay", 0, 0.1},
    {"adamw", "lr", 0, 0.1},
    {"adamw", "weight_decay", 0, 0.3},
    {"rmsprop", "lr", 0, 0.1},
    {"rmsprop", "alpha", 0, 0.5},
    {"rmsprop", "eps", 0, 0.1},
    {"rmsprop", "momentum", 0, 0.5},
    {"rmsprop", "weight_decay", 0, 0.1},
    {"adagrad", "lr", 0, 0.5},
    {"adagrad", "lr_decay", 0, 0.1},
    {"adagrad", "weight_decay", 0, 0.1},
    {"adagrad", "initial_accumulator_value", 0, 0.1},
    {"adagrad", "eps", 0, 0.1},
};

/* y = w * 1, no bias to speak of: linear(1) on one sample whose input is [1, 0] has the weights w and one that gets no
 * gradient. */
static void prepare_parabola(size_t which)
{
    static const struct link line[] = {{"linear", 1}, {NULL, 0}};
    prepare(line, "mse", 1, options[which].name, 0.05);
    training.problem = pose(1);
    training.batch_size = 1;
    x[0] = 1;
    x[1] = 0;
    target[0] = 3;
    parameters[0][0] = 5;
    parameters[0][1] = 0;
    parameters[1][0] = 0;
    training.epochs = 40;
    set(options[which].option, options[which].part, options[which].value);
}

START_TEST(optimizers_follow_their_formulas)
{
    prepare_parabola((size_t)_i);
    for (size_t a = 0; chain.layers[0].op->attributes[a].name != NULL; a++)
        if (strcmp(chain.layers[0].op->attributes[a].name, "bias") == 0) chain.layers[0].attributes[a] = 0;
    training.problem = pose(1);
    run();
    double path[40];
    follow(options[_i].name, training.optimizer.attributes, 40, 5, path);
    for (size_t t = 0; t < 40; t++)
        ck_assert_msg(fabs(trained.curve.loss[t] - path[t]) <= 1e-12 * (1 + path[t]),
                      "%s %s, step %zu: %.17g for %.17g", options[_i].name, options[_i].option, t,
                      trained.curve.loss[t], path[t]);
}
END_TEST

/* Of many equal weights none begins with a state of its own, wherever it lies. */
START_TEST(all_state_begins_alike)
{
    enum { WEIGHTS = 1900 };
    const struct link wide[] = {{"linear", WEIGHTS}, {NULL, 0}};
    static double targets[WEIGHTS];
    prepare(wide, "mse", 1, "adagrad", 0.5);
    set("initial_accumulator_value", 0, 0.1);
    training.problem = pose(1);
    training.problem.given[chain.network.target->index] = targets;
    training.batch_size = 1;
    training.epochs = 3;
    x[0] = x[1] = 1;
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        for (size_t i = 0; i < size_of(p); i++)
            parameters[p][i] = 5;
    run();
    ck_assert_double_lt(trained.parameters[0][0], 5);
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        for (size_t i = 0; i < size_of(p); i++)
            ck_assert_double_eq(trained.parameters[p][i], trained.parameters[0][0]);
}
END_TEST

/* ---- batches and points ---- */

START_TEST(mini_batches)
{
    /* Two batches of different sizes against a step by step run of the two as trainings of their own. */
    prepare(xor_tanh, "mse", 5, "sgd", 0.5);
    training.batch_size = 3;
    training.epochs = 2;
    run();
    const struct trained both = trained;
    struct training part = training;
    double *begin[PARAMETERS_MAX], losses[2][2];
    memcpy(begin, parameters, sizeof begin);
    for (size_t epoch = 0; epoch < 2; epoch++)
        for (size_t k = 0; k < 2; k++) {
            size_t samples = k == 0 ? 3 : 1;
            ck_assert_int_eq(chain_build_defined(&arena, samples, &chain, &error), CODE_OK);
            part.problem =
                chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x + 2 * 3 * k, target + 3 * k, begin);
            part.batch_size = samples;
            part.epochs = 1;
            ck_assert_int_eq(train_run(&arena, &part, &trained, &error), CODE_OK);
            losses[epoch][k] = trained.curve.loss[0];
            memcpy(begin, trained.parameters, chain.network.parameter_count * sizeof *begin);
        }
    for (size_t epoch = 0; epoch < 2; epoch++)
        ck_assert_double_eq_tol(both.curve.loss[epoch], (3 * losses[epoch][0] + losses[epoch][1]) / 4, 1e-14);
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        for (size_t i = 0; i < size_of(p); i++)
            ck_assert_double_eq_tol(both.parameters[p][i], begin[p][i], 1e-14);
}
END_TEST

START_TEST(points)
{
    prepare(xor_tanh, "bce", 5, "adam", 0.01);
    training.epochs = 101;
    training.record_every = 25;
    run();
    ck_assert_uint_eq(trained.curve.count, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(trained.curve.epochs[i], 25 * i);
    ck_assert_uint_eq(train_points(1000, 1), 1000);
    ck_assert_uint_eq(train_points(1, 7), 1);
    ck_assert_uint_eq(train_points(8, 7), 2);
}
END_TEST

/* What is taken does not depend on how long the run is. */
START_TEST(memory)
{
    size_t taken[2];
    for (size_t k = 0; k < 2; k++) {
        struct arena own;
        arena_init(&own, (size_t)1 << 28);
        prepare(xor_relu, "mse", 123, "adam", 0.01);
        training.epochs = k == 0 ? 10 : 100000;
        training.record_every = training.epochs / 10;
        ck_assert_int_eq(train_run(&own, &training, &trained, &error), CODE_OK);
        taken[k] = own.held - (size_t)(own.end - own.next);
        arena_free(&own);
    }
    ck_assert_uint_eq(taken[0], taken[1]);
}
END_TEST

START_TEST(without_memory)
{
    size_t refused = 0;
    for (size_t n = 1; n < 200; n++) {
        struct arena small;
        arena_init(&small, (size_t)1 << 28);
        prepare(xor_relu, "mse", 123, "adam", 0.01);
        training.epochs = 3;
        small.fail_in = n;
        error = (struct error){0};
        int code = train_run(&small, &training, &trained, &error);
        ck_assert(code == CODE_OK || code == CODE_OUT_OF_MEMORY);
        refused += code != CODE_OK;
        arena_free(&small);
        if (code == CODE_OK) break;
    }
    ck_assert_uint_gt(refused, 15);
    ck_assert_uint_lt(refused, 190);
}
END_TEST

START_TEST(cancelled)
{
    static atomic_bool yes = true;
    prepare(xor_relu, "mse", 123, "adam", 0.01);
    training.problem.cancelled = &yes;
    ck_assert_int_eq(train_run(&arena, &training, &trained, &error), CODE_CANCELLED);
}
END_TEST

/* ---- accuracy ---- */

START_TEST(accuracy)
{
    prepare(xor_tanh, "mse", 1, "adam", 0.05);
    run();
    ck_assert_double_eq(trained.accuracy, 1);
    target[0] = 0.5; /* a regression */
    run();
    ck_assert_ptr_null(trained.curve.accuracy);
    ck_assert(isnan(trained.accuracy));

    /* A logit is over the threshold where it is positive. */
    static const struct link logit[] = {{"linear", 1}, {NULL, 0}};
    prepare(logit, "bce_with_logits", 1, "sgd", 0.001);
    training.epochs = 1;
    for (size_t i = 0; i < 2; i++)
        parameters[0][i] = 1;
    parameters[1][0] = -0.3; /* -0.3, 0.7, 0.7, 1.7 for 0, 1, 1, 0 */
    run();
    ck_assert_double_eq(trained.curve.accuracy[0], 0.75);

    static const struct link classes[] = {{"linear", 3}, {NULL, 0}};
    prepare(classes, "cross_entropy", 1, "sgd", 0.001);
    training.epochs = 1;
    memset(parameters[0], 0, 6 * sizeof(double));
    const double bias[] = {0, 2, 1}, one_hot[] = {0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0};
    memcpy(parameters[1], bias, sizeof bias);
    memcpy(target, one_hot, sizeof one_hot);
    run();
    ck_assert_double_eq(trained.curve.accuracy[0], 0.75);
    target[0] = 1; /* two classes at once: neither threshold nor argmax */
    run();
    ck_assert_ptr_null(trained.curve.accuracy);
}
END_TEST

/* ---- health ---- */

static bool has(enum symptom symptom)
{
    for (size_t i = 0; i < trained.remarks; i++)
        if (trained.health[i].symptom == symptom) return true;
    return false;
}

static void expect_well(const char *what)
{
    for (size_t i = 0; i < trained.remarks; i++)
        ck_abort_msg("%s: %s: %s", what, symptom_names[trained.health[i].symptom], trained.health[i].message);
}

START_TEST(healthy_runs)
{
    for (uint32_t seed = 0; seed < 20; seed++) {
        prepare(xor_tanh, "bce", seed, "adam", 0.05);
        run();
        ck_assert_double_eq(trained.accuracy, 1);
        expect_well("XOR with tanh");
    }
    /* A regression that still falls, and one that has come down to its noise. */
    static const struct link line[] = {{"linear", 1}, {NULL, 0}};
    for (size_t k = 0; k < 2; k++) {
        prepare(line, "mse", 3, "sgd", k == 0 ? 0.002 : 0.1);
        training.problem = pose(32);
        training.batch_size = 32;
        for (size_t i = 0; i < 32; i++) {
            x[2 * i] = sin(1.7 * (double)i);
            x[2 * i + 1] = cos(2.3 * (double)i);
            target[i] = 2 * x[2 * i] - x[2 * i + 1] + 0.5 + 0.05 * sin(9.1 * (double)i);
        }
        training.epochs = 300;
        run();
        expect_well("a regression");
    }
    static const struct link classes[] = {{"linear", 16}, {"relu", 0}, {"linear", 3}, {NULL, 0}};
    prepare(classes, "cross_entropy", 4, "adam", 0.02);
    training.problem = pose(48);
    training.batch_size = 16;
    memset(target, 0, sizeof target);
    for (size_t i = 0; i < 48; i++) {
        size_t class = i % 3;
        x[2 * i] = cos(2.1 * (double)class) + 0.2 * sin(5.3 * (double)i);
        x[2 * i + 1] = sin(2.1 * (double)class) + 0.2 * cos(7.7 * (double)i);
        target[3 * i + class] = 1;
    }
    training.epochs = 200;
    run();
    ck_assert_double_gt(trained.accuracy, 0.99);
    expect_well("three classes");
}
END_TEST

START_TEST(dead)
{
    prepare(xor_relu, "mse", 1, "sgd", 0.1);
    parameters[1][0] = parameters[1][1] = parameters[1][2] = -100;
    run();
    ck_assert(has(SYMPTOM_DEAD_RELU));
    ck_assert_uint_eq(trained.health[0].unit_count, 3);
    ck_assert_uint_eq(trained.health[0].epoch, 0);
    ck_assert(!has(SYMPTOM_VANISHING_GRADIENTS));
}
END_TEST

/* Far too high an answer at first: one step of that size kills the unit. */
START_TEST(dead_since)
{
    static const struct link one[] = {{"linear", 1}, {"relu", 0}, {"linear", 1}, {NULL, 0}};
    prepare(one, "mse", 1, "sgd", 0.5);
    parameters[0][0] = parameters[0][1] = parameters[1][0] = 1;
    parameters[2][0] = parameters[3][0] = 1;
    run();
    ck_assert(has(SYMPTOM_DEAD_RELU));
    ck_assert_uint_eq(trained.health[0].epoch, 1);
    ck_assert_double_lt(trained.curve.loss[999], 0.1 * trained.curve.loss[0]); /* which is no sign of learning */
}
END_TEST

START_TEST(diverges)
{
    static const struct link line[] = {{"linear", 1}, {NULL, 0}};
    prepare(line, "mse", 1, "sgd", 1e6);
    run();
    ck_assert(trained.curve.diverged);
    ck_assert_uint_lt(trained.curve.count, 1000);
    ck_assert(isfinite(trained.curve.loss[trained.curve.count - 1]) && isfinite(trained.loss));
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        for (size_t i = 0; i < size_of(p); i++)
            ck_assert(isfinite(trained.parameters[p][i]));
    ck_assert_double_eq(trained.loss, trained.curve.loss[trained.curve.count - 1]);
    ck_assert_int_eq(trained.health[0].symptom, SYMPTOM_DIVERGED);
    ck_assert(has(SYMPTOM_EXPLODING_GRADIENTS));

    /* Within the first epoch, once its first update is made. */
    prepare(line, "mse", 1, "sgd", 1e300);
    training.batch_size = 1;
    run();
    ck_assert(trained.curve.diverged && trained.curve.count == 0);
    ck_assert_int_eq(trained.health[0].symptom, SYMPTOM_DIVERGED);

    /* Parameters that overflow at once are the request's fault. */
    prepare(line, "mse", 1, "sgd", 0.1);
    parameters[0][0] = 1e200;
    ck_assert_int_eq(train_run(&arena, &training, &trained, &error), CODE_NOT_FINITE);
}
END_TEST

START_TEST(oscillates)
{
    /* (w - 3)**2 with lr just below 1 jumps from one side to the other; with weight 2 of the step, for ever. */
    static const struct link line[] = {{"linear", 1}, {NULL, 0}};
    prepare(line, "l1", 1, "sgd", 0.7);
    training.problem = pose(1);
    training.batch_size = 1;
    x[0] = 1;
    x[1] = 0;
    target[0] = 0.35;
    parameters[0][0] = 0;
    training.epochs = 100;
    run();
    ck_assert(has(SYMPTOM_OSCILLATING));
    ck_assert(!has(SYMPTOM_PLATEAU));
}
END_TEST

START_TEST(vanishes)
{
    static const struct link deep[] = {{"linear", 4},  {"sigmoid", 0}, {"linear", 4},  {"sigmoid", 0}, {"linear", 4},
                                       {"sigmoid", 0}, {"linear", 4},  {"sigmoid", 0}, {"linear", 4},  {"sigmoid", 0},
                                       {"linear", 4},  {"sigmoid", 0}, {"linear", 1},  {"sigmoid", 0}, {NULL, 0}};
    prepare(deep, "mse", 2, "sgd", 0.5);
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        for (size_t i = 0; i < size_of(p); i++)
            parameters[p][i] *= 0.5;
    run();
    ck_assert(has(SYMPTOM_VANISHING_GRADIENTS));
    ck_assert(has(SYMPTOM_PLATEAU));
}
END_TEST

START_TEST(saturates)
{
    static const struct link wide[] = {{"linear", 6}, {"tanh", 0}, {"linear", 1}, {"sigmoid", 0}, {NULL, 0}};
    prepare(wide, "mse", 2, "sgd", 0.001);
    for (size_t i = 0; i < 12; i++)
        parameters[0][i] *= 200;
    for (size_t i = 0; i < 6; i++)
        parameters[1][i] = 60;
    run();
    ck_assert(has(SYMPTOM_SATURATED));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("train");
    TCase *tcase = tcase_create("train");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, lab);
    tcase_add_loop_test(tcase, optimizers_follow_their_formulas, 0, sizeof options / sizeof *options);
    tcase_add_test(tcase, all_state_begins_alike);
    tcase_add_test(tcase, mini_batches);
    tcase_add_test(tcase, points);
    tcase_add_test(tcase, memory);
    tcase_add_test(tcase, without_memory);
    tcase_add_test(tcase, cancelled);
    tcase_add_test(tcase, accuracy);
    tcase_add_test(tcase, healthy_runs);
    tcase_add_test(tcase, dead);
    tcase_add_test(tcase, dead_since);
    tcase_add_test(tcase, diverges);
    tcase_add_test(tcase, oscillates);
    tcase_add_test(tcase, vanishes);
    tcase_add_test(tcase, saturates);
    suite_add_tcase(suite, tcase);
    return suite;
}
