/* Many evaluations of a small network at once, where a backend has that, against passes one by one on the CPU. */
#include "tests/core/conformance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pass/differences.h"
#include "core/pass/fused.h"
#include "tests/core/chain.h"

#define TOLERANCE_F64 1e-12
#define TOLERANCE_F32 2e-4

/* Networks of every kind: for a warp and for a block, with activations in shared memory and beyond, with kinks, with
 * losses that end somewhere. */
static const struct {
    size_t input, batch;
    struct link links[9];
    const char *loss;
    double l2;
    bool zero_bias; /* zeros among the data then lie on every kink of the first layer */
    bool probabilities;
    size_t sets;
} networks[] = {
    {2, 4, {{"linear", 3}, {"tanh", 0}, {"linear", 1}, {"sigmoid", 0}, {NULL, 0}}, "bce", 0, false, false, 300},
    {2, 4, {{"linear", 3}, {"relu", 0}, {"linear", 2}, {NULL, 0}}, "cross_entropy", 0.01, true, false, 9},
    {4, 33, {{"linear", 8}, {"leaky_relu", 0}, {"linear", 5}, {NULL, 0}}, "cross_entropy", 0, true, false, 5},
    {3, 40, {{"linear", 33}, {"gelu", 0}, {"linear", 3}, {NULL, 0}}, "l1", 0, false, false, 4},
    {2, 16, {{"linear", 65}, {"softplus", 0}, {"flatten", 0}, {"linear", 1}, {NULL, 0}}, "huber", 0.3, false, false, 3},
    {5, 140, {{"linear", 26}, {"silu", 0}, {"linear", 4}, {NULL, 0}}, "mse", 0, false, false, 3},
    {3, 6, {{"linear", 5}, {"elu", 0}, {"linear", 4}, {"softmax", 0}, {NULL, 0}}, "cross_entropy", 0, false, true, 3},
    {2, 4, {{"linear", 3}, {"relu", 0}, {NULL, 0}}, "cross_entropy", 0, true, true, 4},
    {1, 3, {{"linear", 1}, {NULL, 0}}, "bce", 0, false, false, 5},
    {3, 5, {{"sigmoid", 0}, {"linear", 2}, {NULL, 0}}, "smooth_l1", 0, false, false, 3},
    {3,
     40,
     {{"linear", 25},
      {"tanh", 0},
      {"linear", 25},
      {"tanh", 0},
      {"linear", 25},
      {"sigmoid", 0},
      {"linear", 2},
      {NULL, 0}},
     "mse",
     0,
     false,
     false,
     11},
};

enum { NETWORKS = sizeof networks / sizeof *networks, PARAMETERS_MAX = 8, ELEMENTS_TRIED = 40 };

struct setting {
    struct arena arena;
    struct test_chain chain;
    struct fused fused;
    size_t elements;
    double *x, *target, *sets; /* [sets, elements] */
    struct problem problem;    /* with the first of the sets */
};

static void draw(struct setting *s, int k)
{
    const struct network *network = &s->chain.network;
    size_t classes = chain_width(&s->chain);
    for (size_t i = 0; i < network->feeds[0]->size; i++)
        s->x[i] = i < networks[k].input ? 0 : (double)(float)uniform(0, 1);
    for (size_t i = 0; i < network->output->size; i++)
        s->target[i] = s->chain.definition.loss.op->target == TARGET_LIKE_OUTPUT
                           ? (double)(float)uniform(0, 1)
                           : i % classes == (i / classes) % classes;
    double *w = s->sets;
    for (size_t v = 0; v < networks[k].sets; v++)
        for (size_t p = 0; p < network->parameter_count; p++)
            for (size_t i = 0; i < network->graded[p].value->size; i++)
                *w++ = network->graded[p].slot->initial == INITIAL_DRAWN || !networks[k].zero_bias
                           ? (double)(float)uniform(0, 0.5)
                           : 0;
}

/* Where each parameter's elements begin among those of all. */
static void parts_of(const struct network *network, double *all, double *part[PARAMETERS_MAX])
{
    for (size_t p = 0; p < network->parameter_count; all += network->graded[p++].value->size)
        part[p] = all;
}

static void setting_new(struct setting *s, int k)
{
    struct error error = {0};
    arena_init(&s->arena, (size_t)1 << 28);
    conformance_seed();
    chain_define(networks[k].input, networks[k].links, networks[k].loss, &s->chain);
    s->chain.definition.l2 = networks[k].l2;
    if (networks[k].probabilities) s->chain.definition.loss.attributes[0] = 1;
    ck_assert_int_eq(chain_build_defined(&s->arena, networks[k].batch, &s->chain, &error), CODE_OK);
    s->elements = s->chain.network.parameter_elements;
    s->x = arena_doubles(&s->arena, s->chain.network.feeds[0]->size);
    s->target = arena_doubles(&s->arena, s->chain.network.output->size);
    s->sets = arena_doubles(&s->arena, networks[k].sets * s->elements);
    ck_assert(s->x != NULL && s->target != NULL && s->sets != NULL);
    draw(s, k);
    ck_assert(fused_of(&s->chain.network, &s->fused));
    ck_assert_uint_eq(s->fused.parameters, s->elements);
    double *w_of[PARAMETERS_MAX];
    parts_of(&s->chain.network, s->sets, w_of);
    s->problem = chain_problem(&s->arena, &s->chain, NULL, s->x, s->target, w_of);
}

/* Loss and gradients of one set of parameters by a pass on the CPU; its code. */
static int one_pass(struct setting *s, enum dtype dtype, double *w, double *loss, double *gradients)
{
    const struct network *network = &s->chain.network;
    struct arena arena;
    arena_init(&arena, (size_t)1 << 26);
    struct error error = {0};
    struct pass pass;
    double *w_of[PARAMETERS_MAX];
    parts_of(network, w, w_of);
    const struct problem problem = chain_problem(&arena, &s->chain, backend_cpu(dtype), s->x, s->target, w_of);
    ck_assert_int_eq(problem_pass(&arena, &problem, problem.backend, &pass, &error), CODE_OK);
    int code = pass_forward(&pass, &error);
    *loss = pass.loss;
    if (code == CODE_OK && gradients != NULL) {
        ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
        for (size_t p = 0; p < network->parameter_count; gradients += network->graded[p++].value->size)
            ck_assert_int_eq(pass_read_gradient(&pass, network->graded[p].value, gradients, &error), CODE_OK);
    }
    arena_free(&arena);
    return code;
}

static bool close_to(double got, double want, double tolerance)
{
    return fabs(got - want) <= tolerance * (fabs(want) + 1e-2);
}

/* Parameters from all layers a little up and down, and some values from which nothing finite comes. */
START_TEST(losses_of_variants)
{
    const struct backend *b = conformance.backends[_i / NETWORKS];
    if (b->losses_of_many == NULL || b->dtype != DTYPE_FLOAT64) return; /* always in float64 */
    struct setting s;
    setting_new(&s, _i % NETWORKS);
    size_t stride = s.elements / ELEMENTS_TRIED + 1, count = 3 * ((s.elements - 1) / stride + 1);
    unsigned *at = arena_array(&s.arena, count, sizeof *at);
    double *value = arena_doubles(&s.arena, count), *loss = arena_doubles(&s.arena, 2 * count);
    bool *edge = arena_array(&s.arena, count, sizeof *edge);
    ck_assert(at != NULL && value != NULL && loss != NULL && edge != NULL);
    for (size_t v = 0; v < count; v++) {
        at[v] = (unsigned)(v / 3 * stride);
        value[v] = v % 3 == 2 ? NAN : s.sets[at[v]] + (v % 3 ? 1e-5 : -1e-5);
    }
    for (int again = 0; again < 2; again++) {
        if (conformance.reorder != NULL) conformance.reorder(again);
        ck_assert_int_eq(
            b->losses_of_many(&s.fused, s.sets, s.x, s.target, count, at, value, loss + (size_t)again * count, edge),
            CODE_OK);
    }
    if (conformance.reorder != NULL) conformance.reorder(false);
    for (size_t v = 0; v < count; v++) {
        double here = s.sets[at[v]], want;
        s.sets[at[v]] = value[v];
        int code = one_pass(&s, DTYPE_FLOAT64, s.sets, &want, NULL);
        s.sets[at[v]] = here;
        if (code != CODE_OK) {
            if (!edge[v]) ck_abort_msg("network %d, variant %zu: code %d, no edge", _i, v, code);
        } else if (!close_to(loss[v], want, TOLERANCE_F64)) {
            ck_abort_msg("network %d, variant %zu: %.17g for %.17g", _i, v, loss[v], want);
        } else if (memcmp(&loss[v], &loss[v + count], sizeof *loss) != 0) {
            ck_abort_msg("network %d, variant %zu: other bits the second time", _i, v);
        }
    }
    arena_free(&s.arena);
}
END_TEST

/* The verification by many variants at once says what the one by passes says, kinks included; with right gradients and
 * with a wrong one. */
START_TEST(verification_at_once)
{
    const struct backend *b = conformance.backends[_i / NETWORKS];
    if (b->dtype != DTYPE_FLOAT64) return;
    struct setting s;
    setting_new(&s, _i % NETWORKS);
    s.problem.backend = b;
    double *gradients = arena_doubles(&s.arena, s.elements), loss, *g_of[PARAMETERS_MAX];
    ck_assert_int_eq(one_pass(&s, DTYPE_FLOAT64, s.sets, &loss, gradients), CODE_OK);
    parts_of(&s.chain.network, gradients, g_of);
    for (int wrong = s.elements > 200; wrong < 2; wrong++) {
        struct verification want, got;
        struct error error = {0};
        if (wrong) gradients[s.elements - 1] += 0.25;
        ck_assert_int_eq(differences_verify(&s.arena, &s.problem, g_of, &want, &error), CODE_OK);
        ck_assert_int_eq(differences_verify_on_device(&s.arena, &s.problem, g_of, NULL, &got, &error), CODE_OK);
        ck_assert_uint_eq(got.checked, want.checked);
        ck_assert_uint_eq(got.at_kinks, want.at_kinks);
        ck_assert_double_eq_tol(got.max_abs_diff, want.max_abs_diff, 1e-8);
        if (wrong && want.checked == s.elements)
            ck_assert(got.graded == want.graded && got.worst == want.worst && got.max_abs_diff > 0.2);
    }
    if (networks[_i % NETWORKS].zero_bias) {
        struct verification got;
        struct error error = {0};
        ck_assert_int_eq(differences_verify_on_device(&s.arena, &s.problem, g_of, NULL, &got, &error), CODE_OK);
        ck_assert_uint_gt(got.at_kinks, 0);
    }
    arena_free(&s.arena);
}
END_TEST

/* What is no parameter's offset changes nothing, whatever the value. */
START_TEST(variants_that_change_nothing)
{
    const struct backend *b = conformance.backends[_i / NETWORKS];
    if (b->losses_of_many == NULL) return;
    struct setting s;
    setting_new(&s, _i % NETWORKS);
    const unsigned at[] = {FUSED_NONE, s.fused.parameters};
    const double value[] = {NAN, 1e300};
    double want, loss[2];
    bool edge[2];
    ck_assert_int_eq(one_pass(&s, DTYPE_FLOAT64, s.sets, &want, NULL), CODE_OK);
    ck_assert_int_eq(b->losses_of_many(&s.fused, s.sets, s.x, s.target, 2, at, value, loss, edge), CODE_OK);
    for (size_t v = 0; v < 2; v++)
        ck_assert(close_to(loss[v], want, TOLERANCE_F64) && !edge[v]);
    ck_assert_int_eq(b->losses_of_many(&s.fused, s.sets, s.x, s.target, 0, NULL, NULL, NULL, NULL), CODE_OK);
    arena_free(&s.arena);
}
END_TEST

START_TEST(verification_can_be_cancelled)
{
    const struct backend *b = conformance.backends[_i];
    struct setting s;
    setting_new(&s, 0);
    double *w_of[PARAMETERS_MAX];
    parts_of(&s.chain.network, s.sets, w_of);
    atomic_bool cancelled = true;
    struct verification v;
    struct error error = {0};
    s.problem.backend = b;
    s.problem.cancelled = &cancelled;
    ck_assert_int_eq(differences_verify_on_device(&s.arena, &s.problem, w_of, NULL, &v, &error), CODE_CANCELLED);
    arena_free(&s.arena);
}
END_TEST

/* Many sets of parameters, one of which leads nowhere, against what somebody submitted: right but for one element. */
START_TEST(passes_of_sets)
{
    const struct backend *b = conformance.backends[_i / NETWORKS];
    int k = _i % NETWORKS;
    if (b->passes_of_many == NULL) return;
    struct setting s;
    setting_new(&s, k);
    size_t count = networks[k].sets, n = s.elements;
    double *want = arena_doubles(&s.arena, count * n), *got = arena_doubles(&s.arena, count * n),
           *again = arena_doubles(&s.arena, count * n), *loss = arena_doubles(&s.arena, 2 * count),
           *largest = arena_doubles(&s.arena, count);
    unsigned *worst = arena_array(&s.arena, count, sizeof *worst);
    ck_assert(want != NULL && got != NULL && again != NULL && loss != NULL && largest != NULL && worst != NULL);
    s.sets[n] = NAN; /* the second set */
    for (size_t v = 0; v < count; v++)
        if (one_pass(&s, b->dtype, s.sets + v * n, &loss[count + v], want + v * n) != CODE_OK) loss[count + v] = NAN;
    ck_assert(isnan(loss[count + 1]) && !isnan(loss[count]));
    for (size_t v = 0; v < count; v++)
        want[v * n + (v * 31) % n] += 4;
    want[2 * n + n - 1] = NAN;
    ck_assert_int_eq(b->passes_of_many(&s.fused, count, s.sets, s.x, s.target, loss, got, want, largest, worst),
                     CODE_OK);
    for (size_t v = 0; v < count; v++) {
        double tolerance = b->dtype == DTYPE_FLOAT32 ? TOLERANCE_F32 : TOLERANCE_F64;
        if (isnan(loss[count + v])) {
            ck_assert(isnan(loss[v]) && isnan(got[v * n]) && isinf(largest[v]) && worst[v] == 0);
            continue;
        }
        ck_assert(close_to(loss[v], loss[count + v], tolerance));
        size_t spoilt = (v * 31) % n;
        for (size_t i = 0; i < n; i++)
            if (i != spoilt && !(v == 2 && i == n - 1) && !close_to(got[v * n + i], want[v * n + i], tolerance))
                ck_abort_msg("network %d, set %zu, gradient %zu: %.17g for %.17g", k, v, i, got[v * n + i],
                             want[v * n + i]);
        if (v == 2)
            ck_assert(isinf(largest[v]) && worst[v] == n - 1);
        else
            ck_assert(fabs(largest[v] - 4) < 1e-2 && worst[v] == spoilt);
    }
    if (conformance.reorder != NULL) conformance.reorder(true);
    ck_assert_int_eq(b->passes_of_many(&s.fused, count, s.sets, s.x, s.target, loss + count, again, NULL, NULL, NULL),
                     CODE_OK);
    if (conformance.reorder != NULL) conformance.reorder(false);
    ck_assert_mem_eq(got, again, n * sizeof *got);
    ck_assert_mem_eq(loss, loss + count, sizeof *loss);

    /* the comparison alone */
    double *alone = arena_doubles(&s.arena, count);
    unsigned *worst_alone = arena_array(&s.arena, count, sizeof *worst);
    ck_assert(alone != NULL && worst_alone != NULL);
    ck_assert_int_eq(
        b->passes_of_many(&s.fused, count, s.sets, s.x, s.target, loss + count, NULL, want, alone, worst_alone),
        CODE_OK);
    ck_assert_mem_eq(loss, loss + count, sizeof *loss);
    ck_assert_mem_eq(largest, alone, count * sizeof *largest);
    ck_assert_mem_eq(worst, worst_alone, count * sizeof *worst);
    arena_free(&s.arena);
}
END_TEST

/* What is no such fused goes by passes, as it did. */
START_TEST(others_are_not_taken)
{
    const struct {
        struct link links[4];
        const char *loss;
    } others[] = {
        {{{"linear", 3}, {"softmax", 0}, {NULL, 0}}, "mse"},
        {{{"linear", 3}, {"log_softmax", 0}, {NULL, 0}}, "nll"},
        {{{"linear", 3}, {NULL, 0}}, "hinge"},
        {{{"linear", 2000000}, {NULL, 0}}, "mse"},
    };
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        struct arena arena;
        arena_init(&arena, (size_t)1 << 20);
        struct test_chain chain;
        struct error error = {0};
        struct fused fused;
        ck_assert_int_eq(chain_build(&arena, 2, 4, others[k].links, others[k].loss, &chain, &error), CODE_OK);
        ck_assert(!fused_of(&chain.network, &fused));
        arena_free(&arena);
    }
}
END_TEST

void conformance_add_many(Suite *suite)
{
    TCase *tcase = tcase_create("many");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, losses_of_variants, 0, NETWORKS * conformance.count);
    tcase_add_loop_test(tcase, verification_at_once, 0, NETWORKS * conformance.count);
    tcase_add_loop_test(tcase, verification_can_be_cancelled, 0, conformance.count);
    tcase_add_loop_test(tcase, variants_that_change_nothing, 0, NETWORKS * conformance.count);
    tcase_add_loop_test(tcase, passes_of_sets, 0, NETWORKS * conformance.count);
    tcase_add_test(tcase, others_are_not_taken);
    suite_add_tcase(suite, tcase);
}
