/* The diagnosis where layers are wide enough for its sketches at a few units and at one combination of rows: what a
 * student's own loops get wrong there is named as in small networks, and noise is not. */
#include "tests/main.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/diagnose.h"
#include "tests/core/chain.h"

enum { BATCH = 64, IN = 60, ONE = 160, TWO = 96, OUT = 4, LAYERS = 3, WIDEST = 160, PARAMETERS = 6 };

static const size_t width[LAYERS + 1] = {IN, ONE, TWO, OUT};

/* What goes wrong, and where: below which layer, counted from 0. */
enum bug {
    MISSING,
    AT_OUTPUT,
    OTHER_DERIVATIVE,
    OWN_SLOPE,
    UPDATED_WEIGHTS,
    RAW_ERROR,
    NOT_AVERAGED,
    BIAS_AVERAGED,
    MEMORY_ORDER,
    BEFORE_ACTIVATION,
    FIVE_TIMES,
    AT_ZERO,
    NOISE,
    BUGS
};

static const struct {
    const char *activation, *id; /* NULL: any; none */
    size_t layer;                /* that it is reported at, for a bug below layer 1 */
} expected[BUGS] = {
    [MISSING] = {NULL, "missing_activation_derivative", 1},
    [AT_OUTPUT] = {"tanh", "derivative_at_output", 1},
    [OTHER_DERIVATIVE] = {"relu", "wrong_activation_derivative", 1},
    [OWN_SLOPE] = {"relu", "wrong_activation_derivative", 1},
    [UPDATED_WEIGHTS] = {NULL, "updated_weights_propagated", 2},
    [RAW_ERROR] = {NULL, "raw_error_propagated", 2},
    [NOT_AVERAGED] = {NULL, "not_averaged_over_batch", LAYER_LOSS},
    [BIAS_AVERAGED] = {NULL, "bias_averaged", 2},
    [MEMORY_ORDER] = {NULL, "wrong_memory_order", 2},
    [BEFORE_ACTIVATION] = {NULL, "input_not_activated", 2},
    [FIVE_TIMES] = {NULL, "gradient_accumulated", 0},
    [AT_ZERO] = {"relu", "relu_gradient_at_zero", 1},
    [NOISE] = {NULL, NULL, 0},
};

static struct arena arena;
static double x[BATCH * IN], target[BATCH * OUT];
static double W[LAYERS][WIDEST * WIDEST], b[LAYERS][WIDEST], dW[LAYERS][WIDEST * WIDEST], db[LAYERS][WIDEST];
static double z[LAYERS][BATCH * WIDEST], h[LAYERS + 1][BATCH * WIDEST];

static double uniform(void)
{
    static unsigned state = 7;
    state = state * 1664525U + 1013904223U;
    return (double)(state >> 8) / (1 << 23) - 1;
}

static double f(bool relu, double at)
{
    return relu ? fmax(at, 0) : tanh(at);
}

static double slope(bool relu, double at)
{
    return relu ? at > 0 : 1 - tanh(at) * tanh(at);
}

static void forward(bool relu)
{
    memcpy(h[0], x, sizeof x);
    for (size_t k = 0; k < LAYERS; k++)
        for (size_t i = 0; i < BATCH; i++)
            for (size_t j = 0; j < width[k + 1]; j++) {
                double sum = b[k][j];
                for (size_t l = 0; l < width[k]; l++)
                    sum += h[k][i * width[k] + l] * W[k][l * width[k + 1] + j];
                z[k][i * width[k + 1] + j] = sum;
                h[k + 1][i * width[k + 1] + j] = k + 1 < LAYERS ? f(relu, sum) : sum;
            }
}

/* A layer's own gradients from dz, as the student has them. */
static void own_gradients(enum bug bug, size_t k, const double *dz)
{
    size_t in = width[k], out = width[k + 1];
    memset(dW[k], 0, sizeof dW[k]);
    memset(db[k], 0, sizeof db[k]);
    const double *input = bug == BEFORE_ACTIVATION && k == 1 ? z[0] : h[k];
    for (size_t i = 0; i < BATCH; i++)
        for (size_t j = 0; j < out; j++) {
            db[k][j] += dz[i * out + j] / (bug == BIAS_AVERAGED && k == 1 ? BATCH : 1);
            for (size_t l = 0; l < in; l++)
                dW[k][l * out + j] += input[i * in + l] * dz[i * out + j];
        }
    if (bug == MEMORY_ORDER && k == 1) {
        double turned[WIDEST * WIDEST];
        for (size_t i = 0; i < in * out; i++)
            turned[i] = dW[k][i % in * out + i / in];
        memcpy(dW[k], turned, in * out * sizeof *turned);
    }
    for (size_t i = 0; i < in * out; i++)
        dW[k][i] = bug == FIVE_TIMES ? 5 * dW[k][i] : dW[k][i];
    for (size_t j = 0; j < out; j++)
        db[k][j] = bug == FIVE_TIMES ? 5 * db[k][j] : db[k][j];
}

static double step(enum bug bug, bool relu, double dh, double at)
{
    switch (bug) {
    case MISSING:
        return dh;
    case AT_OUTPUT:
        return dh * slope(relu, f(relu, at));
    case OTHER_DERIVATIVE:
        return dh * slope(false, at);
    case OWN_SLOPE:
        return dh * (at > 0 ? 1 : 0.05);
    case AT_ZERO:
        return dh * (at >= 0);
    case NOISE:
        return dh * slope(relu, at) + 0.01 * uniform();
    default:
        return dh * slope(relu, at);
    }
}

/* Backward, with the bug in what goes from layer 1 into layer 0; AT_ZERO at every relu. */
static void backward(enum bug bug, bool relu)
{
    double dz[BATCH * WIDEST], dh[BATCH * WIDEST] = {0};
    for (size_t i = 0; i < BATCH * OUT; i++) /* mse: 2 / n (y_hat - y), n being every element */
        dz[i] = 2 * (h[LAYERS][i] - target[i]) / (OUT * (bug == NOT_AVERAGED ? 1 : BATCH));
    for (size_t k = LAYERS; k-- > 0;) {
        size_t in = width[k], out = width[k + 1];
        own_gradients(bug, k, dz);
        const double *from = bug == RAW_ERROR && k == 1 ? dh : dz; /* dh: what came into its own activation */
        double below[BATCH * WIDEST];
        for (size_t i = 0; i < BATCH; i++)
            for (size_t l = 0; l < in; l++) {
                double sum = 0;
                for (size_t j = 0; j < out; j++)
                    sum += from[i * out + j] *
                           (W[k][l * out + j] - (bug == UPDATED_WEIGHTS && k == 1 ? 0.1 * dW[k][l * out + j] : 0));
                below[i * in + l] = sum;
            }
        memcpy(dh, below, sizeof dh);
        for (size_t i = 0; k > 0 && i < BATCH * in; i++)
            dz[i] = step(k == 1 || bug == AT_ZERO ? bug : BUGS, relu, dh[i], z[k - 1][i]);
    }
}

static void submit(const struct network *network, struct submission *items, struct tensor *tensors, double **parameters,
                   const char **names)
{
    for (size_t k = 0; k < LAYERS; k++)
        for (size_t r = 0; r < 2; r++) {
            size_t p = 2 * k + r;
            parameters[p] = r == 0 ? W[k] : b[k];
            names[p] = convention_name(CONVENTION_NUMPY, network, p, &arena);
            const struct value *value = network->graded[p].value;
            tensors[p] = (struct tensor){.shape = value->shape, .size = value->size, .data = r == 0 ? dW[k] : db[k]};
            items[p] = (struct submission){.name = names[p], .tensor = &tensors[p]};
        }
}

static void diagnose(enum bug bug, const char *activation, struct diagnosis *diagnosis)
{
    const struct link links[] = {{"linear", ONE}, {activation, 0}, {"linear", TWO},
                                 {activation, 0}, {"linear", OUT}, {NULL, 0}};
    struct test_chain chain;
    struct error error = {0};
    ck_assert_int_eq(chain_build(&arena, IN, BATCH, links, "mse", &chain, &error), CODE_OK);
    bool relu = strcmp(activation, "relu") == 0;
    forward(relu);
    backward(bug, relu);
    struct submission items[PARAMETERS];
    struct tensor tensors[PARAMETERS];
    double *parameters[PARAMETERS];
    const char *names[PARAMETERS];
    static const double points[PARAMETERS] = {1, 1, 1, 1, 1, 1};
    struct shape shapes[PARAMETERS];
    submit(&chain.network, items, tensors, parameters, names);
    for (size_t p = 0; p < PARAMETERS; p++)
        shapes[p] = chain.network.graded[p].value->shape;
    struct check check = {.problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x, target, parameters),
                          .points = points,
                          .gradients = {.items = items, .count = PARAMETERS},
                          .tolerance = {.kind = TOLERANCE_PLAIN, .plain = {.atol = 1e-6}}};
    check.problem.shapes = shapes;
    check.problem.names = names;
    struct report report;
    ck_assert_msg(check_run(&arena, &check, &report, &error) == CODE_OK, "%s", error.detail);
    ck_assert_msg(bug == BUGS ? report.passed : !report.passed, "the test's own backward pass is off");
    if (!report.passed) ck_assert_int_eq(diagnose_run(&arena, &check, &report, 60, diagnosis, &error), CODE_OK);
}

/* XOR with hidden biases of zero: for the input (0, 0) every hidden unit is at exactly 0. No unit of the second layer
 * is below 0, so that leaving out relu's derivative there looks right until the layer below: the sketches have to look
 * below that hypothesis, and then at the next one where they were. */
static void use_xor(void)
{
    memset(x, 0, sizeof x);
    for (size_t i = 0; i < BATCH; i++) {
        x[i * IN] = i / 2 % 2 == 1;
        x[i * IN + 1] = i % 2 == 1;
        for (size_t j = 0; j < OUT; j++)
            target[i * OUT + j] = x[i * IN] != x[i * IN + 1];
    }
    memset(b[0], 0, sizeof b[0]);
    memset(b[1], 0, sizeof b[1]);
    for (size_t i = 0; i < ONE * TWO; i++)
        W[1][i] = fabs(W[1][i]);
}

START_TEST(named)
{
    enum bug bug = (enum bug)_i;
    static const char *const activations[] = {"relu", "tanh"};
    arena_init(&arena, (size_t)1 << 28);
    double *all[] = {x, target, W[0], W[1], W[2], b[0], b[1], b[2]};
    const size_t sizes[] = {BATCH * IN, BATCH * OUT, IN * ONE, ONE * TWO, TWO * OUT, ONE, TWO, OUT};
    for (size_t t = 0; t < sizeof all / sizeof *all; t++)
        for (size_t i = 0; i < sizes[t]; i++)
            all[t][i] = uniform() * (t >= 2 && t <= 4 ? 0.2 : 1);
    if (bug == AT_ZERO) use_xor();
    for (size_t a = 0; a < 2; a++) {
        if (bug < BUGS && expected[bug].activation != NULL && strcmp(expected[bug].activation, activations[a]) != 0)
            continue;
        struct diagnosis diagnosis = {0};
        diagnose(bug, activations[a], &diagnosis);
        if (bug == BUGS) continue; /* the right gradients */
        const char *id = expected[bug].id;
        ck_assert_msg(diagnosis.count == (id != NULL), "bug %d, %s: %zu found, first %s", (int)bug, activations[a],
                      diagnosis.count, diagnosis.count > 0 ? diagnosis.found[0].mistake->id : "none");
        if (id == NULL) continue;
        const struct found *found = &diagnosis.found[0];
        ck_assert_str_eq(found->mistake->id, id);
        ck_assert_uint_eq(found->layers[0], expected[bug].layer);
        if (bug == AT_ZERO) ck_assert(found->layer_count == 2 && found->layers[1] == 3);
        ck_assert(diagnosis.explained);
    }
    arena_free(&arena);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("diagnose_wide");
    TCase *tcase = tcase_create("diagnose_wide");
    tcase_add_loop_test(tcase, named, 0, BUGS + 1);
    suite_add_tcase(suite, tcase);
    return suite;
}
