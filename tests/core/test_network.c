/* Definitions, shapes, names and layouts. */
#include "tests/main.h"

#include <string.h>

#include "core/graph/gradient_names.h"
#include "core/graph/intermediates.h"
#include "core/pass/pass.h"
#include "tests/core/chain.h"
#include "tests/place.h"

static struct arena arena;
static struct test_chain chain;
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

static const struct link lab[] = {{"linear", 3}, {"relu", 0},    {"linear", 2}, {"relu", 0},
                                  {"linear", 1}, {"sigmoid", 0}, {NULL, 0}};

/* What the loss multiplies its sum by. */
static double factor_of(const struct network *n)
{
    return loss_factor(n->loss->op, n->loss->attributes, &n->output->shape);
}

START_TEST(the_lab)
{
    ck_assert_int_eq(chain_build(&arena, 2, 4, lab, "mse", &chain, &error), CODE_OK);
    const struct network *n = &chain.network;
    ck_assert_uint_eq(n->definition->layer_count, 6);
    ck_assert_uint_eq(n->parameter_count, 6);
    ck_assert_uint_eq(n->parameter_elements, 6 + 3 + 6 + 2 + 2 + 1);
    const char *const names[] = {"W1", "b1", "W2", "b2", "W3", "b3"};
    const char *const pytorch[] = {"0.weight", "0.bias", "2.weight", "2.bias", "fc.weight", "fc.bias"};
    chain.layers[4].name = "fc";
    for (size_t p = 0; p < 6; p++) {
        ck_assert_str_eq(convention_name(CONVENTION_NUMPY, n, p, &arena), names[p]);
        ck_assert_str_eq(convention_name(CONVENTION_COLUMNS, n, p, &arena), names[p]);
        ck_assert_str_eq(convention_name(CONVENTION_PYTORCH, n, p, &arena), pytorch[p]);
    }
    ck_assert_double_gt(n->work, 4 * 6 * (6 + 6 + 2));
    ck_assert_double_eq(factor_of(n), 0.25);
    ck_assert(network_is_chain(n));
    ck_assert_uint_eq(n->graph.node_count, 7); /* the loss, too */
}
END_TEST

START_TEST(names_of_gradients)
{
    static const char *const others[] = {"dL_dW1", "W1.grad", "grad_W1", "W1_grad",
                                         "dLdW1",  "dJdW1",   "dJ_dW1",  "nabla_W1"};
    const char *names[GRADIENT_NAMES_MAX];
    for (size_t c = 0; convention_names[c] != NULL; c++) {
        ck_assert_uint_eq(gradient_names((enum convention)c, "W1", &arena, names), GRADIENT_NAMES_MAX - 2);
        ck_assert_str_eq(names[0], "dW1");
        ck_assert_str_eq(names[GRADIENT_NAMES_MAX - 3], "W1"); /* the last one */
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            ck_assert_str_eq(names[i + 1], others[i]);
            ck_assert_uint_eq(gradient_name_rank((enum convention)c, others[i], "W1", false), i + 1);
            ck_assert_uint_eq(gradient_name_rank((enum convention)c, others[i], "w1", false), GRADIENT_NAMES_MAX);
            ck_assert_uint_eq(gradient_name_rank((enum convention)c, others[i], "w1", true), i + 1);
        }
    }
    ck_assert_uint_eq(gradient_names(CONVENTION_PYTORCH, "fc.bias", &arena, names), GRADIENT_NAMES_MAX - 2);
    ck_assert_str_eq(names[2], "fc.bias.grad");
    ck_assert_uint_eq(gradient_names(CONVENTION_PYTORCH, "x", &arena, names), GRADIENT_NAMES_MAX - 2);
    ck_assert_uint_eq(gradient_names(CONVENTION_COLUMNS, "x", &arena, names), GRADIENT_NAMES_MAX); /* x alone is A0 */
    ck_assert_uint_lt(gradient_name_rank(CONVENTION_COLUMNS, "dA0", "x", false), GRADIENT_NAMES_MAX);
    ck_assert_uint_eq(gradient_name_rank(CONVENTION_PYTORCH, "dA0", "x", false), GRADIENT_NAMES_MAX);
    ck_assert_uint_eq(gradient_name_rank(CONVENTION_COLUMNS, "dA0", "mask", false), GRADIENT_NAMES_MAX);
    struct arena none;
    arena_init(&none, 0);
    ck_assert_uint_eq(gradient_names(CONVENTION_NUMPY, "W1", &none, names), 0);
}
END_TEST

START_TEST(layouts)
{
    ck_assert_int_eq(chain_build(&arena, 2, 4, lab, "mse", &chain, &error), CODE_OK);
    const struct graded *W1 = &chain.network.graded[0], *b1 = &chain.network.graded[1];
    struct view view = convention_graded(CONVENTION_COLUMNS, W1);
    ck_assert(!view.same && view.shape.dim[0] == 3 && view.shape.dim[1] == 2);
    double given[] = {1, 2, 3, 4, 5, 6}, inside[6], back[6];
    view_import(&view, given, inside);
    const double expected[] = {1, 3, 5, 2, 4, 6};
    ck_assert_mem_eq(inside, expected, sizeof expected);
    view_export(&view, inside, back);
    ck_assert_mem_eq(back, given, sizeof given);
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_eq(given[view_offset(&view, i)], inside[i]);

    struct shape vector = {1, {3}}, row = {2, {1, 3}}, column = {2, {3, 1}}, other = {2, {3, 3}};
    view = convention_graded(CONVENTION_NUMPY, b1);
    ck_assert(view_accepts(&view, false, &vector) && view_accepts(&view, false, &row));
    ck_assert(view_accepts(&view, false, &column) && !view_accepts(&view, false, &other));
    struct shape deep = {3, {1, 3, 1}}, number = {0}, turned = {2, {3, 2}}, longer = {4, {2, 1, 3, 1}};
    ck_assert(!view_accepts(&view, false, &deep) && view_accepts(&view, true, &deep));
    ck_assert(!view_accepts(&view, true, &number) && !view_accepts(&view, true, &other));
    view = convention_graded(CONVENTION_NUMPY, W1);
    ck_assert(!view_accepts(&view, true, &turned) && view_accepts(&view, true, &longer));
    ck_assert(!view_accepts(&view, false, &longer));
    view = convention_graded(CONVENTION_NUMPY_OUT_IN, W1);
    ck_assert(!view.same && view.shape.dim[0] == 3 && view.shape.dim[1] == 2);
    view = convention_samples(CONVENTION_NUMPY_OUT_IN, &(struct shape){2, {1, 1}});
    ck_assert(view.same && view_accepts(&view, false, &number));
    view = convention_samples(CONVENTION_COLUMNS, &(struct shape){2, {4, 2}});
    ck_assert(view.shape.rank == 2 && view.shape.dim[0] == 2 && view.shape.dim[1] == 4);
    view = convention_samples(CONVENTION_NUMPY, &(struct shape){3, {4, 2, 5}});
    ck_assert(view.shape.rank == 3 && view.shape.dim[0] == 4 && view.same && view.size == 40);
}
END_TEST

START_TEST(refused)
{
    const struct {
        struct link links[4];
        const char *loss;
        size_t input;
        int code;
        const char *pointer;
    } cases[] = {
        {{{NULL, 0}}, "mse", 2, CODE_OUT_OF_RANGE, "/layers"},
        {{{"relu", 0}, {NULL, 0}}, "mse", 0, CODE_OUT_OF_RANGE, "/input"},
        {{{"relu", 0}, {NULL, 0}}, "mse", (size_t)1 << 62, CODE_OUT_OF_RANGE, "/input"},
        {{{"linear", 3}, {"linear", 9e15}, {NULL, 0}}, "mse", 2, CODE_OUT_OF_RANGE, "/layers/1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error = (struct error){0};
        ck_assert_int_eq(chain_build(&arena, cases[i].input, 4, cases[i].links, cases[i].loss, &chain, &error),
                         cases[i].code);
        ck_assert_str_eq(place_of(&error), cases[i].pointer);
    }
    error = (struct error){0};
    const struct link relu[] = {{"relu", 0}, {NULL, 0}};
    chain_define(2, relu, "cross_entropy", &chain);
    chain.feed.sample = (struct shape){2, {2, 3}};
    ck_assert_int_eq(chain_build_defined(&arena, 4, &chain, &error), CODE_SHAPE_MISMATCH);
    ck_assert_str_eq(place_of(&error), "/loss");
}
END_TEST

START_TEST(in_features_is_checked)
{
    const struct link links[] = {{"linear", 3}, {NULL, 0}};
    chain_define(2, links, "mse", &chain);
    ck_assert_int_eq(chain_build_defined(&arena, 4, &chain, &error), CODE_OK);
    chain.layers[0].attributes[1] = 5;
    ck_assert_int_eq(chain_build_defined(&arena, 4, &chain, &error), CODE_SHAPE_MISMATCH);
    ck_assert_str_eq(place_of(&error), "/layers/0/in_features");
}
END_TEST

/* What lies on the other side of a weight that is used the other way round is the layer's own, be it of the same shape;
 * else it is shared, and not counted again. */
START_TEST(shared_parameters)
{
    const struct link links[] = {{"linear", 2}, {"tanh", 0}, {"linear", 2}, {NULL, 0}};
    for (int transposed = 0; transposed < 2; transposed++) {
        chain_define(2, links, "mse", &chain);
        chain.layers[2].shares = &chain.layers[0];
        chain.layers[2].attributes[3] = transposed;
        ck_assert_int_eq(chain_build_defined(&arena, 4, &chain, &error), CODE_OK);
        const struct network *n = &chain.network;
        ck_assert_ptr_eq(n->layers[2]->inputs[1], n->layers[0]->inputs[1]);
        ck_assert((n->layers[2]->inputs[2] == n->layers[0]->inputs[2]) == !transposed);
        ck_assert_uint_eq(n->parameter_count, transposed ? 3 : 2);
        ck_assert_uint_eq(n->graded_count, n->parameter_count);
        ck_assert_uint_eq(n->parameter_elements, transposed ? 8 : 6);
        ck_assert_uint_eq(n->graded[0].value->use_count, 2);
        if (transposed) ck_assert_str_eq(convention_name(CONVENTION_NUMPY, n, 2, &arena), "b2");
        ck_assert(!network_is_chain(n));
    }
}
END_TEST

START_TEST(classes)
{
    const struct link links[] = {{"linear", 3}, {NULL, 0}};
    ck_assert_int_eq(chain_build(&arena, 2, 2, links, "cross_entropy", &chain, &error), CODE_OK);
    double one_hot[6], good[] = {2, 0};
    ck_assert_int_eq(network_classes(&chain.network, good, one_hot, &error), CODE_OK);
    const double expected[] = {0, 0, 1, 1, 0, 0};
    ck_assert_mem_eq(one_hot, expected, sizeof expected);
    const double bad[] = {3, -1, 0.5, 1e300, -1e300};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error = (struct error){0};
        double index[] = {0, bad[i]};
        ck_assert_int_eq(network_classes(&chain.network, index, one_hot, &error), CODE_OUT_OF_RANGE);
        ck_assert_str_eq(place_of(&error), "/1");
    }
}
END_TEST

START_TEST(reductions)
{
    const struct link links[] = {{"linear", 5}, {NULL, 0}};
    ck_assert_int_eq(chain_build(&arena, 2, 4, links, "mse", &chain, &error), CODE_OK);
    ck_assert_double_eq(factor_of(&chain.network), 1.0 / 20);
    chain.definition.loss.attributes[LOSS_REDUCTION] = REDUCTION_BATCHMEAN;
    ck_assert_double_eq(factor_of(&chain.network), 1.0 / 4);
    chain.definition.loss.attributes[LOSS_REDUCTION] = REDUCTION_SUM;
    ck_assert_double_eq(factor_of(&chain.network), 1);
    chain.definition.loss.attributes[LOSS_SCALE] = 0.5;
    ck_assert_double_eq(factor_of(&chain.network), 0.5);
    ck_assert_int_eq(chain_build(&arena, 2, 4, links, "cross_entropy", &chain, &error), CODE_OK);
    ck_assert_double_eq(factor_of(&chain.network), 1.0 / 4);
}
END_TEST

START_TEST(intermediates)
{
    ck_assert_int_eq(chain_build(&arena, 2, 4, lab, "mse", &chain, &error), CODE_OK);
    const struct {
        const char *name;
        bool found, gradient;
        size_t layer;
    } cases[] = {{"z1", true, false, 0},
                 {"h1", true, false, 1},
                 {"z3", true, false, 4},
                 {"h3", true, false, 5},
                 {"y_hat", true, false, 5},
                 {"dz2", true, true, 2},
                 {"dL_dh1", true, true, 1},
                 {"dL_dy_hat", true, true, 5},
                 {"z0", false, false, 0},
                 {"z4", false, false, 0},
                 {"z01", false, false, 0},
                 {"z", false, false, 0},
                 {"z1x", false, false, 0},
                 {"", false, false, 0},
                 {"dL_z1", false, false, 0},
                 {"z-1", false, false, 0},
                 {"h99999999999999999999", false, false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct intermediate which;
        ck_assert_msg(intermediate_find(&chain.network, cases[i].name, &which) == cases[i].found, "%s", cases[i].name);
        if (!cases[i].found) continue;
        ck_assert_msg(which.value == chain.network.layers[cases[i].layer]->output &&
                          which.gradient == cases[i].gradient,
                      "%s", cases[i].name);
    }
}
END_TEST

/* z1 goes into one or two activations, and into a sum beside them: is h1 what layer 1, a relu, makes of it? */
static bool is_behind_relu(size_t activations)
{
    const struct link links[] = {{"linear", 3}, {"relu", 0}, {"tanh", 0}, {"add", 0}, {NULL, 0}};
    chain_define(2, links, "mse", &chain);
    struct layer *layers = chain.layers;
    const struct source z1 = {.layer = &layers[0]}, both[] = {z1, {.layer = &layers[2]}};
    if (activations > 1) {
        layers[2].inputs = &z1;
        layers[2].input_count = 1;
    }
    layers[3].inputs = both;
    layers[3].input_count = 2;
    ck_assert_msg(chain_build_defined(&arena, 4, &chain, &error) == CODE_OK, "%s", error.detail);
    struct intermediate h1;
    ck_assert(intermediate_find(&chain.network, "h1", &h1));
    const struct value *z = chain.network.layers[0]->output;
    ck_assert(network_activation(z) == NULL);
    ck_assert(h1.value == z || h1.value == chain.network.layers[1]->output);
    return h1.value != z;
}

START_TEST(behind_a_layer_of_several_uses)
{
    ck_assert(is_behind_relu(1));
    ck_assert(!is_behind_relu(2));
}
END_TEST

START_TEST(a_pass_that_does_not_fit_is_refused)
{
    const struct link links[] = {{"linear", 1000}, {NULL, 0}};
    ck_assert_int_eq(chain_build(&arena, 1000, SIZE_MAX / 100, links, "mse", &chain, &error), CODE_OUT_OF_RANGE);
    error = (struct error){0};
    ck_assert_int_eq(chain_build(&arena, 1000, 1 << 20, links, "mse", &chain, &error), CODE_OK);
    struct pass pass;
    ck_assert_int_eq(pass_new(&arena, &chain.network.graph, backend_cpu(DTYPE_FLOAT64), &pass, &error),
                     CODE_OUT_OF_MEMORY);
    /* Of many values each is small enough, and all together are not. */
    for (size_t v = 0; v < chain.network.graph.value_count; v++)
        chain.network.graph.values[v]->size = SIZE_MAX / 4;
    size_t elements;
    ck_assert(!pass_elements(&chain.network.graph, &elements));
    error = (struct error){0};
    ck_assert_int_eq(pass_new(&arena, &chain.network.graph, backend_cpu(DTYPE_FLOAT64), &pass, &error),
                     CODE_OUT_OF_MEMORY);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("network");
    TCase *tcase = tcase_create("network, convention");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_lab);
    tcase_add_test(tcase, names_of_gradients);
    tcase_add_test(tcase, layouts);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, in_features_is_checked);
    tcase_add_test(tcase, shared_parameters);
    tcase_add_test(tcase, classes);
    tcase_add_test(tcase, reductions);
    tcase_add_test(tcase, intermediates);
    tcase_add_test(tcase, behind_a_layer_of_several_uses);
    tcase_add_test(tcase, a_pass_that_does_not_fit_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
