/* Every case of every op as a graph of its own, run by a pass: by itself, with one value for all of its inputs, and
 * three times on the same inputs, whose gradients are then sums. */
#include <math.h>
#include <string.h>

#include "core/pass/pass.h"
#include "tests/core/conformance_cases.h"

#define FLOAT64_TOLERANCE 1e-12
#define FLOAT32_TOLERANCE 1e-4

enum form { ALONE, MERGED, THRICE, FORMS };
enum { COPIES_MAX = 3 };

static const char *const form_names[] = {"alone", "with one value for all inputs", "three times"};

/* sum(y * cotangent) */
static const double cotangent_attributes[OP_ATTRIBUTES_MAX] = {[LOSS_REDUCTION] = REDUCTION_SUM, [LOSS_SCALE] = 1};

struct setting {
    struct arena arena;
    struct graph graph;
    struct pass pass;
    size_t distinct; /* inputs that are values of their own */
    struct value *values[CASE_INPUTS_MAX];
    double *host[CASE_INPUTS_MAX]; /* the trial's numbers */
};

static enum form form_of_test;

static bool is_alike(const struct trial *t, size_t k)
{
    return op_slot(t->op, k)->role == SLOT_INPUT && shape_equal(&t->in[0], &t->in[k]);
}

/* One value for each input, or for all that are alike. */
static void give_inputs(struct setting *s, struct trial *t, enum form form, struct value **inputs)
{
    struct error error = {0};
    for (size_t k = 0; k < t->count; k++) {
        inputs[k] = NULL;
        if (!t->has[k]) continue;
        if (form == MERGED && k > 0 && is_alike(t, k)) {
            inputs[k] = inputs[0];
            continue;
        }
        enum value_kind kind = op_slot(t->op, k)->role == SLOT_PARAMETER ? VALUE_PARAMETER : VALUE_DATA;
        ck_assert_int_eq(graph_give(&s->graph, kind, NULL, &t->in[k], "an input", &inputs[k], &error), CODE_OK);
        inputs[k]->differentiated = t->differentiable[k];
        s->values[s->distinct] = inputs[k];
        s->host[s->distinct++] = t->x[k];
    }
}

/* The op on these inputs, and what makes a scalar of its output; the cotangent, NULL where there is none. */
static struct value *add_node(struct setting *s, const struct trial *t, struct value *const *inputs)
{
    const struct place place = {.kind = PLACE_LAYER};
    struct error error = {0};
    struct node *node, *end;
    int code = graph_apply(&s->graph, t->op, t->attributes, inputs, t->count, &t->plan, place, &node, &error);
    ck_assert_int_eq(code, CODE_OK);
    if (t->op->kind == OP_LOSS) {
        ck_assert(graph_add_term(&s->graph, node->output));
        return NULL;
    }
    const struct op *upstream = ops_find("upstream", true);
    const struct shape *shapes[] = {&node->output->shape, &node->output->shape};
    const struct op_shape shape = {.op = upstream, .attributes = cotangent_attributes, .count = 2, .in = shapes};
    struct op_plan plan = {0};
    struct value *both[] = {node->output, NULL};
    ck_assert_int_eq(upstream->plan(&shape, &plan, &error), CODE_OK);
    code = graph_give(&s->graph, VALUE_DATA, NULL, &node->output->shape, "a cotangent", &both[1], &error);
    ck_assert_int_eq(code, CODE_OK);
    code = graph_apply(&s->graph, upstream, cotangent_attributes, both, 2, &plan, place, &end, &error);
    ck_assert_int_eq(code, CODE_OK);
    ck_assert(graph_add_term(&s->graph, end->output));
    return both[1];
}

static void setting_new(struct setting *s, struct trial *t, enum form form, const struct backend *backend)
{
    struct error error = {0};
    struct value *inputs[CASE_INPUTS_MAX], *cotangents[COPIES_MAX];
    size_t copies = form == THRICE ? COPIES_MAX : 1;
    *s = (struct setting){0};
    arena_init(&s->arena, (size_t)1 << 26);
    graph_begin(&s->arena, &s->graph);
    give_inputs(s, t, form, inputs);
    for (size_t c = 0; c < copies; c++)
        cotangents[c] = add_node(s, t, inputs);
    ck_assert(graph_finish(&s->graph));
    ck_assert_int_eq(pass_new(&s->arena, &s->graph, backend, &s->pass, &error), CODE_OK);
    for (size_t k = 0; k < s->distinct; k++)
        ck_assert_int_eq(pass_set(&s->pass, s->values[k], s->host[k], &error), CODE_OK);
    for (size_t c = 0; c < copies && cotangents[c] != NULL; c++) {
        double turned[TRIAL_TENSOR_MAX]; /* a cotangent of each node's own */
        for (size_t i = 0; i < t->y_n; i++)
            turned[i] = t->dy[(i + c) % t->y_n];
        ck_assert_int_eq(pass_set(&s->pass, cotangents[c], turned, &error), CODE_OK);
    }
}

static void setting_free(struct setting *s)
{
    pass_free(&s->pass);
    arena_free(&s->arena);
}

/* What lies where gradients go is not to be read: it is made NaN. */
static void spoil_gradients(struct setting *s)
{
    double spoilt[TRIAL_TENSOR_MAX];
    for (size_t i = 0; i < TRIAL_TENSOR_MAX; i++)
        spoilt[i] = NAN;
    for (size_t v = 0; v < s->graph.value_count; v++)
        if (s->pass.gradients[v] != NULL)
            ck_assert_int_eq(s->pass.backend->upload(s->graph.values[v]->size, spoilt, s->pass.gradients[v]), CODE_OK);
}

static void gradients_of(struct setting *s, double to[CASE_INPUTS_MAX][TRIAL_TENSOR_MAX])
{
    struct error error = {0};
    spoil_gradients(s);
    ck_assert_msg(pass_forward(&s->pass, &error) == CODE_OK, "%s", error.detail);
    ck_assert_msg(pass_backward(&s->pass, &error) == CODE_OK, "%s", error.detail);
    for (size_t k = 0; k < s->distinct; k++)
        if (s->values[k]->differentiated)
            ck_assert_int_eq(pass_read_gradient(&s->pass, s->values[k], to[k], &error), CODE_OK);
}

static double loss_with(struct setting *s, size_t k, size_t i, double value)
{
    struct error error = {0};
    s->host[k][i] = value;
    ck_assert_int_eq(pass_set(&s->pass, s->values[k], s->host[k], &error), CODE_OK);
    ck_assert_msg(pass_forward(&s->pass, &error) == CODE_OK, "%s", error.detail);
    return s->pass.loss;
}

static double difference(struct setting *s, size_t k, size_t i)
{
    double here = s->host[k][i], above = here + TRIAL_STEP, below = here - TRIAL_STEP;
    double up = loss_with(s, k, i, above), down = loss_with(s, k, i, below);
    loss_with(s, k, i, here);
    return (up - down) / (above - below);
}

/* Against the CPU in float64, which is itself held against central differences: these on every backend would say
 * nothing more, and take most of the time. */
static void is_a_graph(struct trial *t)
{
    static struct setting s, cpu;
    static double got[CASE_INPUTS_MAX][TRIAL_TENSOR_MAX], want[CASE_INPUTS_MAX][TRIAL_TENSOR_MAX];
    bool exact = trial_backend->dtype == DTYPE_FLOAT64, is_cpu = trial_backend == backend_cpu(DTYPE_FLOAT64);
    trial_round(t);
    setting_new(&s, t, form_of_test, trial_backend);
    setting_new(&cpu, t, form_of_test, backend_cpu(DTYPE_FLOAT64));
    gradients_of(&s, got);
    gradients_of(&cpu, want);
    for (size_t k = 0; k < s.distinct; k++) {
        if (!s.values[k]->differentiated) continue;
        double e = trial_error(s.values[k]->size, got[k], want[k]);
        ck_assert_msg(e <= (exact ? FLOAT64_TOLERANCE : FLOAT32_TOLERANCE), "%s, %s: error %g of value %zu", t->text,
                      form_names[form_of_test], e, k);
        if (!is_cpu) continue;
        for (size_t i = 0; i < s.values[k]->size; i++)
            want[k][i] = difference(&s, k, i);
        e = trial_error(s.values[k]->size, got[k], want[k]);
        ck_assert_msg(e <= TRIAL_TOLERANCE, "%s, %s: error %g of value %zu against differences", t->text,
                      form_names[form_of_test], e, k);
    }
    setting_free(&s);
    setting_free(&cpu);
}

START_TEST(graphs)
{
    const struct op *op = trial_op_of_loop(_i / FORMS);
    form_of_test = (enum form)(_i % FORMS);
    trial_each(op, is_a_graph);
}
END_TEST

/* ---- constants that are computed ---- */

static struct value *apply(struct graph *graph, const struct op *op, size_t count, struct value *const *inputs)
{
    const struct shape *in[CASE_INPUTS_MAX];
    struct error error = {0};
    struct op_plan plan;
    struct node *node;
    op_no_plan(&plan);
    for (size_t k = 0; k < count; k++)
        in[k] = &inputs[k]->shape;
    const struct op_shape shape = {.op = op, .attributes = cotangent_attributes, .count = count, .in = in};
    const struct place place = {.kind = PLACE_LAYER};
    ck_assert_int_eq(op->plan(&shape, &plan, &error), CODE_OK);
    int code = graph_apply(graph, op, cotangent_attributes, inputs, count, &plan, place, &node, &error);
    ck_assert_int_eq(code, CODE_OK);
    return node->output;
}

/* sum(where(x < x * x, x, 0)): nothing goes back through the mask, neither to x nor to what only the mask is made of,
 * whose gradient is 0. */
START_TEST(no_gradient_through_constants)
{
    const struct backend *b = conformance.backends[_i];
    const struct shape shape = {.rank = 1, .dim = {3}}, scalar = {.rank = 0};
    const double x[] = {-2, 0.5, 3}, zero[] = {0}, ones[] = {1, 1, 1};
    double got[3];
    struct error error = {0};
    struct value *given, *nothing, *upstream;
    struct graph graph;
    struct arena arena;
    struct pass pass;
    arena_init(&arena, (size_t)1 << 20);
    graph_begin(&arena, &graph);
    ck_assert_int_eq(graph_give(&graph, VALUE_PARAMETER, "x", &shape, "x", &given, &error), CODE_OK);
    ck_assert_int_eq(graph_give(&graph, VALUE_DATA, NULL, &scalar, "0", &nothing, &error), CODE_OK);
    ck_assert_int_eq(graph_give(&graph, VALUE_DATA, NULL, &shape, "ones", &upstream, &error), CODE_OK);
    struct value *square = apply(&graph, ops_find_elementary("square"), 1, (struct value *[]){given});
    struct value *mask = apply(&graph, ops_find_elementary("less"), 2, (struct value *[]){given, square});
    struct value *taken = apply(&graph, ops_find_elementary("where"), 3, (struct value *[]){mask, given, nothing});
    struct value *loss = apply(&graph, ops_find("upstream", true), 2, (struct value *[]){taken, upstream});
    ck_assert(graph_add_term(&graph, loss));
    ck_assert(graph_finish(&graph));
    ck_assert_int_eq(pass_new(&arena, &graph, b, &pass, &error), CODE_OK);
    ck_assert_int_eq(pass_set(&pass, given, x, &error), CODE_OK);
    ck_assert_int_eq(pass_set(&pass, nothing, zero, &error), CODE_OK);
    ck_assert_int_eq(pass_set(&pass, upstream, ones, &error), CODE_OK);
    ck_assert_int_eq(pass_forward(&pass, &error), CODE_OK);
    ck_assert_double_eq(pass.loss, 1); /* -2 and 3 are below their squares */
    ck_assert_int_eq(pass_backward(&pass, &error), CODE_OK);
    ck_assert_int_eq(pass_read_gradient(&pass, given, got, &error), CODE_OK);
    ck_assert(got[0] == 1 && got[1] == 0 && got[2] == 1);
    ck_assert_int_eq(pass_read_gradient(&pass, square, got, &error), CODE_OK);
    ck_assert(got[0] == 0 && got[1] == 0 && got[2] == 0);
    pass_free(&pass);
    arena_free(&arena);
}
END_TEST

void conformance_add_graphs(Suite *suite)
{
    TCase *tcase = tcase_create("graphs");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, no_gradient_through_constants, 0, conformance.count);
    tcase_add_loop_test(tcase, graphs, 0, FORMS * trial_loop());
    suite_add_tcase(suite, tcase);
}
