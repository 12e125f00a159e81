/* Graphs: networks at random against central differences, what graph_finish finds, ancestry, passes that share
 * parameters and lie on others' data, and every allocation refused in turn. */
#include "tests/main.h"
#include "tests/place.h"

#include <math.h>
#include <string.h>

#include "core/pass/differences.h"
#include "tests/core/chain.h"
#include "tests/core/random_network.h"

enum { SEEDS = 40, BATCH = 4, GRADED_MAX = 200, ELEMENTS_MAX = 64 };

static struct arena arena;
static struct error error;
static struct random_network random_one;
static struct network network;
static struct problem problem;
static struct pass pass;
static double *gradients[GRADED_MAX];

static void setup(void)
{
    arena_init(&arena, (size_t)1 << 28);
    error = (struct error){0};
}

static void teardown(void)
{
    arena_free(&arena);
}

/* The network of that seed, with numbers, after a forward and backward pass. */
static void prepare(unsigned seed)
{
    random_network(&random_one, seed);
    ck_assert_msg(network_build(&arena, &random_one.definition, BATCH, &network, &error) == CODE_OK, "%s: %s",
                  place_of(&error), error.detail);
    problem = random_problem(&arena, &random_one, &network, backend_cpu(DTYPE_FLOAT64));
    ck_assert_int_eq(problem_pass(&arena, &problem, problem.backend, &pass, &error), CODE_OK);
    ck_assert_msg(pass_forward(&pass, &error) == CODE_OK, "%s", error.detail);
    ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
    ck_assert_uint_lt(network.graded_count, GRADED_MAX);
    for (size_t p = 0; p < network.graded_count; p++) {
        gradients[p] = arena_doubles(&arena, network.graded[p].value->size);
        ck_assert_int_eq(pass_read_gradient(&pass, network.graded[p].value, gradients[p], &error), CODE_OK);
    }
}

/* ---- gradients ---- */

START_TEST(agrees_with_differences)
{
    struct verification v;
    size_t elements = 0;
    prepare((unsigned)_i);
    ck_assert_int_eq(differences_verify(&arena, &problem, gradients, &v, &error), CODE_OK);
    for (size_t p = 0; p < network.graded_count; p++)
        elements += network.graded[p].value->size;
    ck_assert_uint_eq(v.checked + v.at_kinks, elements);
    ck_assert_uint_lt(v.at_kinks, elements / 10);
    ck_assert_msg(v.max_abs_diff < 1e-8, "seed %d: %g at %zu of value %zu", _i, v.max_abs_diff, v.worst, v.graded);
    /* ... which would see it if one were wrong. */
    size_t p = (size_t)_i % network.graded_count;
    gradients[p][0] += 1e-3;
    ck_assert_int_eq(differences_verify(&arena, &problem, gradients, &v, &error), CODE_OK);
    if (v.at_kinks == 0) ck_assert_double_eq_tol(v.max_abs_diff, 1e-3, 1e-7);
}
END_TEST

/* All seeds together have what these tests are for. */
START_TEST(networks_are_varied)
{
    size_t shared = 0, wanted = 0, fanned = 0, unused = 0, repeated = 0, penalties = 0;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        prepare(seed);
        ck_assert_uint_ge(network.graph.node_count, 47);
        ck_assert(!network_is_chain(&network));
        wanted += network.graded_count - network.parameter_count;
        for (size_t v = 0; v < network.graph.value_count; v++) {
            const struct value *value = network.graph.values[v];
            shared += value->kind == VALUE_PARAMETER && value->use_count > 2;
            fanned += value->kind == VALUE_COMPUTED && value->use_count > 2;
            unused += value->use_count == 0 && !value->is_term;
            for (size_t u = 1; u < value->use_count; u++)
                repeated += value->uses[u].node == value->uses[u - 1].node;
        }
        for (size_t i = 0; i < network.graph.node_count; i++)
            penalties += network.graph.nodes[i]->place.kind == PLACE_PENALTY;
    }
    ck_assert(shared > 20 && wanted > 20 && fanned > 20 && unused > 20 && repeated > 20 && penalties > 20);
}
END_TEST

/* Whether the loss depends on a value, by following what takes it. */
static bool reaches_a_term(const struct value *value)
{
    bool reaches = value->is_term;
    for (size_t u = 0; !reaches && u < value->use_count; u++)
        reaches = reaches_a_term(value->uses[u].node->output);
    return reaches;
}

/* What the loss does not depend on has a gradient of exactly zero, also the second time. */
START_TEST(values_used_nowhere)
{
    double got[ELEMENTS_MAX];
    size_t seen = 0;
    prepare((unsigned)_i);
    for (int again = 0; again < 2; again++) {
        for (size_t v = 0; v < network.graph.value_count; v++) {
            const struct value *value = network.graph.values[v];
            if (!value->differentiated || reaches_a_term(value)) continue;
            ck_assert_uint_le(value->size, ELEMENTS_MAX);
            ck_assert_int_eq(pass_read_gradient(&pass, value, got, &error), CODE_OK);
            for (size_t i = 0; i < value->size; i++)
                ck_assert_double_eq(got[i], 0);
            seen++;
        }
        ck_assert_int_eq(pass_forward(&pass, &error), CODE_OK);
        ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
    }
    ck_assert(seen > 0 || _i > 0);
}
END_TEST

/* A layer that nobody takes may overflow: neither the loss nor a gradient has anything to do with it. */
START_TEST(what_nobody_uses_may_overflow)
{
    enum { SQUARES = 3, LAST = SQUARES + 1, LAYERS };
    struct layer layers[LAYERS];
    struct source squares[SQUARES][2];
    const struct feed feed = {.name = "x", .sample = {1, {2}}, .wanted = true};
    layers[0] = chain_layer("linear", 2, false);
    for (size_t i = 0; i < SQUARES; i++) {
        squares[i][0] = squares[i][1] = (struct source){.layer = &layers[i]};
        layers[i + 1] = chain_layer("mul", 0, false);
        layers[i + 1].inputs = squares[i];
        layers[i + 1].input_count = 2;
    }
    layers[LAST] = chain_layer("tanh", 0, false);
    layers[LAST].inputs = squares[0];
    layers[LAST].input_count = 1;
    const struct definition definition = {
        .feeds = &feed, .feed_count = 1, .layers = layers, .layer_count = LAYERS, .loss = chain_layer("mse", 0, true)};
    ck_assert_int_eq(network_build(&arena, &definition, 1, &network, &error), CODE_OK);
    double x[] = {1e100, 1}, y[] = {0, 0}, W[] = {1, 1e-101, 0, 0}, b[] = {0, 0}, got[4];
    problem = (struct problem){.network = &network};
    problem.given = arena_zeroed(&arena, network.graph.value_count, sizeof *problem.given);
    problem.given[network.feeds[0]->index] = x;
    problem.given[network.target->index] = y;
    problem.given[network.graded[0].value->index] = W;
    problem.given[network.graded[1].value->index] = b;
    ck_assert_int_eq(problem_pass(&arena, &problem, backend_cpu(DTYPE_FLOAT64), &pass, &error), CODE_OK);
    ck_assert_int_eq(pass_forward(&pass, &error), CODE_OK);
    ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
    for (size_t p = 0; p < network.graded_count; p++) {
        ck_assert_int_eq(pass_read_gradient(&pass, network.graded[p].value, got, &error), CODE_OK);
        for (size_t i = 0; i < network.graded[p].value->size; i++)
            ck_assert_msg(isfinite(got[i]), "gradient %zu of %zu is %g", i, p, got[i]);
    }
}
END_TEST

/* ---- what graph_finish finds ---- */

static bool is_penalty_of_given(const struct node *node)
{
    return node->output->is_term && node->inputs[0]->made_by == NULL && node->input_count == 1;
}

START_TEST(order_and_uses)
{
    prepare((unsigned)_i);
    const struct graph *graph = &network.graph;
    bool behind = false;
    size_t uses = 0, counted = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        ck_assert_uint_eq(node->index, i);
        ck_assert_ptr_eq(node->output->made_by, node);
        ck_assert(!(behind && is_penalty_of_given(node))); /* these come first */
        behind = behind || !is_penalty_of_given(node);
        for (size_t k = 0; k < node->input_count; k++) {
            if (node->inputs[k] == NULL) continue;
            ck_assert(node->inputs[k]->made_by == NULL || node->inputs[k]->made_by->index < i);
            uses++;
        }
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        const struct value *value = graph->values[v];
        ck_assert_uint_eq(value->index, v);
        ck_assert_uint_eq(value->size, op_elements(&value->shape));
        counted += value->use_count;
        for (size_t u = 0; u < value->use_count; u++) {
            const struct use *use = &value->uses[u];
            ck_assert_ptr_eq(use->node->inputs[use->input], value);
            if (u == 0) continue;
            bool ordered =
                use[-1].node->index < use->node->index || (use[-1].node == use->node && use[-1].input < use->input);
            ck_assert(ordered);
        }
    }
    ck_assert_uint_eq(uses, counted);
    for (size_t t = 0; t < graph->term_count; t++)
        ck_assert(graph->terms[t]->is_term && graph->terms[t]->term == t && graph->terms[t]->use_count == 0);
}
END_TEST

static bool depends(const struct value *value, const struct value *on)
{
    if (value == on) return true;
    const struct node *node = value->made_by;
    for (size_t k = 0; node != NULL && k < node->input_count; k++)
        if (node->inputs[k] != NULL && depends(node->inputs[k], on)) return true;
    return false;
}

/* The same as depends, but not exponential: each value once. */
static void find_ancestors(const struct value *value, bool *is)
{
    if (is[value->index]) return;
    is[value->index] = true;
    const struct node *node = value->made_by;
    for (size_t k = 0; node != NULL && k < node->input_count; k++)
        if (node->inputs[k] != NULL) find_ancestors(node->inputs[k], is);
}

/* Of all values at once, which are more than a word has bits; and of some, in another order. */
START_TEST(ancestry)
{
    prepare((unsigned)_i);
    const struct graph *graph = &network.graph;
    struct ancestry all, some;
    struct value *few[3] = {graph->values[graph->value_count / 2], network.feeds[0], graph->values[0]};
    bool *is = arena_array(&arena, graph->value_count, sizeof *is);
    ck_assert(is != NULL && graph->value_count > 70);
    ck_assert(graph_ancestry(&arena, graph, graph->values, graph->value_count, &all));
    ck_assert(graph_ancestry(&arena, graph, few, 3, &some));
    for (size_t v = 0; v < graph->value_count; v++) {
        memset(is, 0, graph->value_count * sizeof *is);
        find_ancestors(graph->values[v], is);
        for (size_t w = 0; w < graph->value_count; w++)
            ck_assert_msg(ancestry_has(&all, graph->values[v], w) == is[w], "seed %d: %zu on %zu", _i, v, w);
        for (size_t w = 0; w < 3; w++)
            ck_assert(ancestry_has(&some, graph->values[v], w) == is[few[w]->index]);
    }
    ck_assert(depends(network.output, network.layers[0]->output) ==
              ancestry_has(&all, network.output, network.layers[0]->output->index));
}
END_TEST

/* ---- sums ---- */

/* A value as all inputs of one node, and of several: gradients by hand. */
START_TEST(accumulation)
{
    struct layer layers[3];
    const struct feed feed = {.name = "x", .sample = {1, {2}}, .wanted = true};
    const struct source twice[] = {{.feed = 0}, {.feed = 0}},
                        both[] = {{.layer = &layers[0]}, {.layer = &layers[1]}, {.feed = 0}};
    layers[0] = chain_layer("add", 0, false);
    layers[1] = chain_layer("mul", 0, false);
    layers[2] = chain_layer("add", 0, false);
    layers[0].inputs = layers[1].inputs = twice;
    layers[0].input_count = layers[1].input_count = 2;
    layers[2].inputs = both;
    layers[2].input_count = 3;
    struct layer upstream = chain_layer("upstream", 0, true);
    upstream.attributes[LOSS_REDUCTION] = REDUCTION_SUM;
    const struct definition definition = {
        .feeds = &feed, .feed_count = 1, .layers = layers, .layer_count = 3, .loss = upstream};
    ck_assert_int_eq(network_build(&arena, &definition, 1, &network, &error), CODE_OK);
    double x[] = {3, -5}, g[] = {1, 10}, got[2];
    problem = (struct problem){.network = &network};
    problem.given = arena_zeroed(&arena, network.graph.value_count, sizeof *problem.given);
    problem.given[network.feeds[0]->index] = x;
    problem.given[network.target->index] = g;
    ck_assert_int_eq(problem_pass(&arena, &problem, backend_cpu(DTYPE_FLOAT64), &pass, &error), CODE_OK);
    for (int again = 0; again < 2; again++) { /* nothing is left of the first */
        ck_assert_int_eq(pass_forward(&pass, &error), CODE_OK);
        ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
        ck_assert_double_eq(pass.loss, (3 * 3 + 9) + 10 * (3 * -5 + 25));
        ck_assert_int_eq(pass_read_gradient(&pass, network.feeds[0], got, &error), CODE_OK);
        ck_assert_double_eq(got[0], 2 + 2 * 3 + 1);
        ck_assert_double_eq(got[1], 10 * (2 + 2 * -5 + 1));
    }
}
END_TEST

/* ---- passes on what is another's ---- */

/* Reads gradients of all that is graded, one behind the other. */
static size_t read_all(struct pass *of, const struct network *net, double *to)
{
    size_t n = 0;
    ck_assert_msg(pass_forward(of, &error) == CODE_OK, "%s", error.detail);
    ck_assert_int_eq(pass_backward(of, &error), CODE_OK);
    to[n++] = of->loss;
    for (size_t p = 0; p < net->graded_count; n += net->graded[p++].value->size)
        ck_assert_int_eq(pass_read_gradient(of, net->graded[p].value, to + n, &error), CODE_OK);
    return n;
}

/* A smaller batch on the parameters and gradients of a larger one's pass, and on the second half of its data. */
START_TEST(shared_and_placed)
{
    enum { SMALL = 3, FROM = 1 };
    struct network small;
    struct pass alone, guest;
    prepare((unsigned)_i);
    const struct backend *b = problem.backend;
    ck_assert_int_eq(network_build(&arena, &random_one.definition, SMALL, &small, &error), CODE_OK);
    struct problem part = random_problem(&arena, &random_one, &small, b);
    double *want = arena_doubles(&arena, 4096), *got = arena_doubles(&arena, 4096);
    ck_assert_uint_eq(small.graph.value_count, network.graph.value_count);
    for (size_t v = 0; v < small.graph.value_count; v++) {
        const struct value *value = small.graph.values[v];
        if (value->made_by != NULL) continue;
        size_t offset = value->kind == VALUE_DATA ? FROM * (value->size / SMALL) : 0;
        part.given[v] = problem.given[v] + offset;
    }
    ck_assert_int_eq(problem_pass(&arena, &part, b, &alone, &error), CODE_OK);
    size_t n = read_all(&alone, &small, want);
    ck_assert_int_eq(pass_new(&arena, &small.graph, b, &guest, &error), CODE_OK);
    pass_share(&guest, &pass);
    for (size_t v = 0; v < small.graph.value_count; v++)
        if (small.graph.values[v]->kind == VALUE_DATA)
            pass_place(&guest, small.graph.values[v],
                       (double *)pass.values[v] + FROM * (small.graph.values[v]->size / SMALL));
    ck_assert_uint_eq(read_all(&guest, &small, got), n);
    ck_assert_mem_eq(got, want, n * sizeof *got);
    /* They are the host's gradients, too. */
    for (size_t p = 0, at = 1; p < network.parameter_count; at += network.graded[p++].value->size) {
        ck_assert_int_eq(pass_read_gradient(&pass, network.graded[p].value, gradients[p], &error), CODE_OK);
        ck_assert_mem_eq(gradients[p], want + at, network.graded[p].value->size * sizeof *want);
    }
    /* And the host's own come back. */
    read_all(&pass, &network, got);
    prepare((unsigned)_i);
    read_all(&pass, &network, want);
    ck_assert_mem_eq(got, want, sizeof *got);
}
END_TEST

/* Where the loss is joined with the softmax before it, what is placed goes into both. */
START_TEST(placed_where_joined)
{
    static const struct link alone[] = {{"softmax", 0}, {NULL, 0}},
                             behind[] = {{"linear", 3}, {"softmax", 0}, {NULL, 0}};
    static struct test_chain chain;
    enum { SAMPLES = 2, ELEMENTS = 3 * SAMPLES, MOST = 32 };
    double x[ELEMENTS] = {1, 2, 3, 900, -900, 0}, y[ELEMENTS] = {0, 1, 0, 0, 1, 0}, want[MOST], got[MOST];
    double w[9] = {1, 0, 0.5, 0, 1, 0, 0, 0, 1}, b[3] = {0, 0, 0.25}, *parameters[] = {w, b};
    double other_x[ELEMENTS] = {0}, other_y[ELEMENTS] = {1, 0, 0, 1, 0, 0};
    chain_define(3, _i ? behind : alone, "cross_entropy", &chain);
    chain.definition.loss.attributes[0] = 1; /* from probabilities */
    chain.feed.wanted = true;
    ck_assert_int_eq(chain_build_defined(&arena, SAMPLES, &chain, &error), CODE_OK);
    const struct network *n = &chain.network;
    problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x, y, parameters);
    ck_assert_int_eq(problem_pass(&arena, &problem, problem.backend, &pass, &error), CODE_OK);
    size_t count = read_all(&pass, n, want);
    ck_assert_uint_le(count, MOST);
    ck_assert(want[0] > 500); /* which a probability of 0 alone would not say */
    struct pass placed;
    problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), other_x, other_y, parameters);
    ck_assert_int_eq(problem_pass(&arena, &problem, problem.backend, &placed, &error), CODE_OK);
    pass_place(&placed, n->feeds[0], x);
    pass_place(&placed, n->target, y);
    read_all(&placed, n, got);
    ck_assert_mem_eq(got, want, count * sizeof *got);
}
END_TEST

/* ---- without memory ---- */

/* Whatever piece is refused, it is an error; where none was, all is there. */
START_TEST(each_piece_refused)
{
    size_t failures[2] = {0, 0};
    prepare((unsigned)_i);
    double loss = pass.loss;
    for (int making = 0; making < 2; making++)
        for (size_t n = 1;; n++) {
            struct arena small;
            struct network net;
            struct pass made;
            arena_init(&small, (size_t)1 << 26);
            error = (struct error){0};
            small.fail_in = making == 0 ? n : 0;
            int code = network_build(&small, &random_one.definition, BATCH, &net, &error);
            if (making == 1) {
                ck_assert_int_eq(code, CODE_OK);
                small.fail_in = n;
                code = pass_new(&small, &net.graph, problem.backend, &made, &error);
            }
            bool refused = small.fail_in == 0;
            ck_assert_msg(code == (refused ? CODE_OUT_OF_MEMORY : CODE_OK), "piece %zu: code %d", n, code);
            ck_assert_int_eq(error.code, code);
            if (making == 1) pass_free(&made);
            failures[making] += refused;
            problem.network = &net;
            small.fail_in = 0;
            if (!refused) {
                ck_assert_int_eq(problem_pass(&small, &problem, problem.backend, &made, &error), CODE_OK);
                ck_assert_int_eq(pass_forward(&made, &error), CODE_OK);
                ck_assert_double_eq(made.loss, loss);
            }
            arena_free(&small);
            if (!refused) break;
        }
    ck_assert(failures[0] > 50 && failures[1] > 50);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("graph");
    TCase *tcase = tcase_create("graph");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, agrees_with_differences, 0, SEEDS);
    tcase_add_test(tcase, networks_are_varied);
    tcase_add_loop_test(tcase, values_used_nowhere, 0, SEEDS);
    tcase_add_test(tcase, what_nobody_uses_may_overflow);
    tcase_add_loop_test(tcase, order_and_uses, 0, SEEDS);
    tcase_add_loop_test(tcase, ancestry, 0, SEEDS);
    tcase_add_test(tcase, accumulation);
    tcase_add_loop_test(tcase, shared_and_placed, 0, SEEDS);
    tcase_add_loop_test(tcase, placed_where_joined, 0, 2);
    tcase_add_loop_test(tcase, each_piece_refused, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
