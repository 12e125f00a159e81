/* Whole checks: every way in which a submission can be wrong gets its verdict, and mutants of right gradients
 * are rejected for every activation and every loss. */
#include "tests/main.h"

#include <stdio.h>
#include <string.h>

#include "core/check/check.h"
#include "tests/core/chain.h"
#include "tests/place.h"

enum { BATCH = 4, WIDTH = 3, PARAMETERS_MAX = 8, SIZE_MAX_OF_PARAMETER = 2 * WIDTH * WIDTH };

static struct arena arena;
static struct test_chain chain;
static struct error error;
static struct check check;
static struct report report;
static double x[BATCH * WIDTH], target[BATCH * WIDTH], points[PARAMETERS_MAX];
static double *parameters[PARAMETERS_MAX];
static const char *names[PARAMETERS_MAX];
static struct shape shapes[PARAMETERS_MAX];
static struct tensor student[PARAMETERS_MAX];
static struct submission submissions[PARAMETERS_MAX];

static void setup(void)
{
    arena_init(&arena, (size_t)1 << 26);
    error = (struct error){0};
}

static void teardown(void)
{
    arena_free(&arena);
}

static void run(void)
{
    error = (struct error){0};
    ck_assert_msg(check_run(&arena, &check, &report, &error) == CODE_OK, "%s", error.detail);
}

/* The check of the chain as it is defined now. */
static void pose(void)
{
    ck_assert_msg(chain_build_defined(&arena, BATCH, &chain, &error) == CODE_OK, "%s", error.detail);
    check.problem = chain_problem(&arena, &chain, backend_cpu(DTYPE_FLOAT64), x, target, parameters);
    check.problem.shapes = shapes;
    check.problem.names = names;
}

/* Numbers for the network that is defined, and the right gradients as the student's. */
static void prepare_defined(void)
{
    ck_assert_msg(chain_build_defined(&arena, BATCH, &chain, &error) == CODE_OK, "%s", error.detail);
    enum target kind = chain.definition.loss.op->target;
    bool classes = kind == TARGET_CLASSES || kind == TARGET_CLASSES_OR_SOFT;
    for (size_t i = 0; i < BATCH * WIDTH; i++) {
        x[i] = sin(1.3 * (double)i + 0.4);
        target[i] = classes ? (i % WIDTH == (i / WIDTH) % WIDTH) : 0.5 + 0.4 * cos(2.1 * (double)i);
    }
    const struct network *n = &chain.network;
    for (size_t p = 0; p < n->parameter_count; p++) {
        parameters[p] = arena_doubles(&arena, n->graded[p].value->size);
        for (size_t i = 0; i < n->graded[p].value->size; i++)
            parameters[p][i] = 0.8 * sin(3.7 * (double)(p + 1) + 1.9 * (double)i);
        names[p] = convention_name(CONVENTION_NUMPY, n, p, &arena);
        shapes[p] = n->graded[p].value->shape;
        points[p] = 1;
    }
    check = (struct check){
        .points = points, .tolerance = {.kind = TOLERANCE_PLAIN, .plain = {.atol = 1e-6}}, .reveal = true};
    pose();
    run();
    ck_assert(!report.passed && report.entries[0].verdict == VERDICT_MISSING);
    for (size_t p = 0; p < n->parameter_count; p++) {
        ck_assert(tensor_new(&arena, &shapes[p], &student[p]));
        memcpy(student[p].data, report.entries[p].reference, student[p].size * sizeof(double));
        submissions[p] = (struct submission){.name = names[p], .tensor = &student[p]};
    }
    check.gradients = (struct submissions){submissions, n->parameter_count};
    run();
    ck_assert(report.passed && report.score == 1);
}

static void prepare(const struct link *links, const char *loss)
{
    chain_define(WIDTH, links, loss, &chain);
    prepare_defined();
}

static const struct link plain[] = {{"linear", WIDTH}, {"tanh", 0}, {"linear", WIDTH}, {"sigmoid", 0}, {NULL, 0}};

static void expect(size_t p, enum verdict verdict)
{
    run();
    for (size_t q = 0; q < chain.network.parameter_count; q++) {
        enum verdict want = q == p ? verdict : VERDICT_MATCH;
        ck_assert_msg(report.entries[q].verdict == want, "%s: %s", names[q], verdict_names[report.entries[q].verdict]);
        ck_assert_int_eq(report.entries[q].passed, want == VERDICT_MATCH);
    }
    ck_assert(!report.passed && report.points == 3 && report.max_points == 4 && report.score == 0.75);
}

START_TEST(verdicts)
{
    prepare(plain, "mse");
    student[1].data[2] += 1e-3;
    expect(1, VERDICT_MISMATCH);
    ck_assert(report.entries[1].comparison.worst == 2 && report.entries[1].comparison.mismatches == 1);
    student[1].data[2] = NAN;
    expect(1, VERDICT_NOT_FINITE);
    submissions[1].tensor = NULL;
    submissions[1].flaw = "it is a string";
    expect(1, VERDICT_NOT_A_TENSOR);
    student[1].shape = (struct shape){3, {WIDTH, 1, 1}};
    submissions[1].tensor = &student[1];
    expect(1, VERDICT_SHAPE_MISMATCH);
    submissions[1].name = "b9";
    expect(1, VERDICT_MISSING);
    ck_assert_uint_eq(report.entry_count, 5);
    ck_assert(report.entries[4].verdict == VERDICT_UNEXPECTED && report.entries[4].passed);
}
END_TEST

START_TEST(other_names_and_second_copies)
{
    prepare(plain, "mse");
    submissions[0].name = "dW1";
    submissions[3].name = "dL_db2";
    run();
    ck_assert(report.passed && report.entry_count == 4);
    /* Two for one parameter, as in {**parameters, **gradients}: the gradient's own name counts, the other is
     * unexpected. */
    static struct submission both[5];
    memcpy(both, submissions, 4 * sizeof *both);
    both[4] = (struct submission){.name = "W1", .flaw = "it is null"};
    check.gradients = (struct submissions){both, 5};
    run();
    ck_assert(report.passed && report.entry_count == 5);
    ck_assert_str_eq(report.entries[4].name, "W1");
}
END_TEST

START_TEST(very_many_unexpected_names)
{
    enum { MANY = 200000 };
    prepare(plain, "mse");
    struct submission *many = arena_array(&arena, MANY, sizeof *many);
    char *text = arena_alloc(&arena, MANY * 8);
    ck_assert(many != NULL && text != NULL);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text + 8 * i, 8, "q%zu", i % 999999);
        many[i] = (struct submission){.name = text + 8 * i, .flaw = ""};
    }
    check.gradients = (struct submissions){many, MANY};
    run();
    ck_assert_uint_eq(report.entry_count, 4 + CHECK_UNEXPECTED_MAX);
    ck_assert_uint_eq(report.unexpected_not_listed, MANY - CHECK_UNEXPECTED_MAX);
}
END_TEST

START_TEST(points_and_score)
{
    prepare(plain, "mse");
    points[0] = 10;
    points[1] = 0.5;
    student[0].data[0] = -student[0].data[0] - 1;
    run();
    ck_assert(report.points == 2.5 && report.max_points == 12.5 && report.score == 2.5 / 12.5);
    memset(points, 0, sizeof points);
    run();
    ck_assert(report.max_points == 0 && report.score == 0);
    student[0].data[0] = -(student[0].data[0] + 1);
    run();
    ck_assert(report.passed && report.score == 1);
}
END_TEST

START_TEST(overflow_is_the_requests_fault)
{
    const struct link no_sigmoid[] = {{"linear", WIDTH}, {NULL, 0}};
    prepare(no_sigmoid, "mse");
    parameters[0][0] = 1e308;
    x[0] = 1e10;
    error = (struct error){0};
    ck_assert_int_eq(check_run(&arena, &check, &report, &error), CODE_NOT_FINITE);
    ck_assert_str_eq(place_of(&error), "/parameters");
    ck_assert_ptr_nonnull(strstr(error.detail, "layer 0 (linear)"));
    error = (struct error){0};
    chain_define(WIDTH, no_sigmoid, "bce", &chain);
    pose();
    parameters[0][0] = 5;
    x[0] = 5;
    ck_assert_int_eq(check_run(&arena, &check, &report, &error), CODE_OUT_OF_RANGE);
    ck_assert_str_eq(place_of(&error), "/network/loss");
}
END_TEST

/* Each allocation failing in turn gives CODE_OUT_OF_MEMORY, never a wrong report. */
START_TEST(out_of_memory)
{
    prepare(plain, "mse");
    static struct submission named[PARAMETERS_MAX];
    memcpy(named, submissions, sizeof named);
    named[0].name = "dW1"; /* found only by a name that has to be put together */
    check.gradients.items = named;
    check.problem.convention = CONVENTION_NUMPY;
    check.verify_reference = true;
    size_t failures = 0;
    int code = CODE_OUT_OF_MEMORY;
    for (size_t n = 1; code != CODE_OK; n++) {
        ck_assert_uint_lt(n, 1000);
        struct arena small;
        arena_init(&small, (size_t)1 << 24);
        small.fail_in = n;
        error = (struct error){0};
        code = check_run(&small, &check, &report, &error);
        ck_assert_msg(code == CODE_OK || code == CODE_OUT_OF_MEMORY, "%s", error.detail);
        if (code == CODE_OK)
            ck_assert(report.passed && report.score == 1);
        else
            failures++;
        arena_free(&small);
    }
    ck_assert_uint_ge(failures, 20);
}
END_TEST

/* Where there is no memory to try anything, what float32 leaves of right numbers passes all the same. */
START_TEST(float32_needs_no_memory)
{
    prepare(plain, "mse");
    check.tolerance.kind = TOLERANCE_AUTO;
    for (size_t i = 0; i < BATCH * WIDTH; i++)
        target[i] *= 1e4; /* so that float32 is off by more than 1e-6 */
    run();
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        student[p] = (struct tensor){.shape = shapes[p],
                                     .size = chain.network.graded[p].value->size,
                                     .data = (double *)report.entries[p].reference};
        for (size_t i = 0; i < student[p].size; i++)
            student[p].data[i] = (double)(float)student[p].data[i];
    }
    size_t passed = 0;
    for (size_t kib = 1; passed == 0 || kib < 1024; kib *= 2) {
        struct arena small;
        arena_init(&small, kib * 1024);
        error = (struct error){0};
        int code = check_run(&small, &check, &report, &error);
        ck_assert_msg(code == CODE_OUT_OF_MEMORY || (code == CODE_OK && report.passed), "%zu KiB: %s", kib,
                      error.detail);
        passed += code == CODE_OK;
        arena_free(&small);
    }
    ck_assert_uint_ge(passed, 2);
}
END_TEST

/* What is lost on the way to a loss that looks fine would pass anything. */
START_TEST(a_nan_on_the_way_is_not_swallowed)
{
    static const char *const losses[] = {"mse", "hinge", "cross_entropy", "smooth_l1"};
    for (size_t l = 0; l < sizeof losses / sizeof *losses; l++)
        for (size_t i = 0; ops[i] != NULL; i++) {
            if (ops[i]->kind != OP_ACTIVATION) continue;
            const struct link links[] = {{"linear", WIDTH}, {ops[i]->name, 0}, {NULL, 0}};
            prepare(links, losses[l]);
            parameters[0][0] = parameters[0][WIDTH] = 1e308;
            double kept = x[0];
            x[0] = 10; /* 1e309 - 1e309 */
            x[1] = -10;
            error = (struct error){0};
            int code = check_run(&arena, &check, &report, &error);
            ck_assert_msg(code == CODE_NOT_FINITE, "%s before %s: %d", ops[i]->name, losses[l], code);
            x[0] = kept;
        }
}
END_TEST

/* In columns a bias gradient that was not summed has as many rows as the bias has units; it is no column of them. */
START_TEST(an_unsummed_bias_in_columns)
{
    prepare(plain, "mse");
    check.problem.convention = CONVENTION_COLUMNS;
    struct tensor column, unsummed;
    ck_assert(tensor_new(&arena, &(struct shape){2, {WIDTH, 1}}, &column));
    ck_assert(tensor_new(&arena, &(struct shape){2, {WIDTH, BATCH}}, &unsummed));
    memcpy(column.data, student[1].data, WIDTH * sizeof(double));
    memset(unsummed.data, 0, unsummed.size * sizeof(double));
    submissions[1].tensor = &column;
    run();
    ck_assert_int_eq(report.entries[1].verdict, VERDICT_MATCH);
    submissions[1].tensor = &unsummed;
    run();
    ck_assert_int_eq(report.entries[1].verdict, VERDICT_SHAPE_MISMATCH);
}
END_TEST

/* The gradient of a softmax whose probability has underflowed is still p - y. */
START_TEST(cross_entropy_joins_its_softmax)
{
    const struct link links[] = {{"linear", WIDTH}, {"softmax", 0}, {NULL, 0}};
    static const double gaps[] = {1, 40, 720, 760, 1e4};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        prepare(links, "mse");
        chain_define(WIDTH, links, "cross_entropy", &chain);
        chain.definition.loss.attributes[0] = 1; /* from probabilities */
        pose();
        memset(parameters[0], 0, WIDTH * WIDTH * sizeof(double));
        parameters[1][0] = gaps[i];
        parameters[1][1] = parameters[1][2] = 0;
        memset(target, 0, sizeof target);
        for (size_t b = 0; b < BATCH; b++)
            target[b * WIDTH + 1] = 1;
        run();
        double e = exp(-gaps[i]), p0 = 1 / (1 + 2 * e), p1 = e / (1 + 2 * e);
        ck_assert_double_eq_tol(report.entries[1].reference[0], p0, 1e-14);
        ck_assert_double_eq_tol(report.entries[1].reference[1], p1 - 1, 1e-14);
        ck_assert_double_eq_tol(report.loss, gaps[i] + log1p(2 * e), 1e-12 * gaps[i]);
    }
}
END_TEST

/* ---- mutants ---- */

enum mutant { FLIPPED, DOUBLED, ZEROED, TRANSPOSED, NOT_A_NUMBER, NEARLY, MUTANTS };

static const char *const mutant_names[] = {"flipped",    "doubled", "zeroed",
                                           "transposed", "NaN",     "off by 1e-3 in one element"};

static void mutate(enum mutant mutant, const struct tensor *right, struct tensor *wrong)
{
    for (size_t i = 0; i < right->size; i++)
        wrong->data[i] = mutant == FLIPPED   ? -right->data[i]
                         : mutant == DOUBLED ? 2 * right->data[i]
                         : mutant == ZEROED  ? 0
                                             : right->data[i];
    if (mutant == TRANSPOSED) tensor_transpose(right->shape.dim[0], right->shape.dim[1], right->data, wrong->data);
    if (mutant == NOT_A_NUMBER) wrong->data[right->size / 2] = NAN;
    if (mutant == NEARLY) wrong->data[right->size - 1] += 1e-3;
}

static void reject_mutants(const char *what)
{
    size_t tried = 0;
    for (size_t p = 0; p < chain.network.parameter_count; p++) {
        double right[SIZE_MAX_OF_PARAMETER], largest = 0;
        memcpy(right, student[p].data, student[p].size * sizeof *right);
        for (size_t i = 0; i < student[p].size; i++)
            largest = fmax(largest, fabs(right[i]));
        const struct tensor original = {.shape = student[p].shape, .size = student[p].size, .data = right};
        for (int m = 0; m < MUTANTS; m++) {
            bool multiplies = m == FLIPPED || m == DOUBLED || m == ZEROED;
            if (multiplies && largest < 1e-4) continue; /* a gradient of zeros has no such mutant; counted below */
            if (m == TRANSPOSED && student[p].shape.rank != 2) continue;
            mutate((enum mutant)m, &original, &student[p]);
            run();
            ck_assert_msg(!report.passed && !report.entries[p].passed, "%s: %s, %s, passes", what, names[p],
                          mutant_names[m]);
            tried++;
        }
        memcpy(student[p].data, right, student[p].size * sizeof *right);
        run();
        ck_assert(report.passed);
    }
    ck_assert_msg(tried >= 3 * (size_t)MUTANTS, "%s: only %zu mutants", what, tried);
}

/* An op that takes images alone: windows of one element over an image with one channel, WIDTH of them in all. */
static void prepare_images(const struct op *op)
{
    const struct link links[] = {{"linear", WIDTH}, {op->name, 1},     {"tanh", 0},
                                 {"flatten", 0},    {"linear", WIDTH}, {NULL, 0}};
    chain_define(WIDTH, links, "mse", &chain);
    for (size_t a = 0; attribute_stands(&op->attributes[a]); a++)
        if (chain.layers[1].attributes[a] < op->attributes[a].least) chain.layers[1].attributes[a] = 1;
    struct shape *sample = &chain.feed.sample;
    *sample = (struct shape){.rank = op->cases[0].in[0].rank - 1};
    for (size_t i = 0; i < sample->rank; i++)
        sample->dim[i] = i + 1 < sample->rank ? 1 : WIDTH;
    prepare_defined();
}

START_TEST(mutants_of_ops)
{
    const struct op *op = ops[_i];
    if (op->kind == OP_LAYER && op->cases[0].in[0].rank > 2) {
        prepare_images(op);
        reject_mutants(op->name);
        return;
    }
    const char *final = op->kind == OP_LOSS && op->on_probabilities != NULL ? "softmax" : "tanh";
    if (op->kind == OP_LOSS && strcmp(op->name, "bce") == 0) final = "sigmoid";
    struct link links[] = {{"linear", WIDTH}, {"tanh", 0}, {"linear", WIDTH}, {final, 0}, {NULL, 0}};
    if (op->kind == OP_ACTIVATION) links[1].name = op->name;
    if (op->kind == OP_LAYER && strcmp(op->name, "linear") != 0) links[1].name = op->name;
    chain_define(WIDTH, links, op->kind == OP_LOSS ? op->name : "mse", &chain);
    /* What takes two values takes x as the second one. */
    const struct source both[] = {{.layer = &chain.layers[0]}, {.feed = 0}};
    if (op->kind != OP_LOSS && op->slots[1].symbol != NULL && op->slots[1].role == SLOT_INPUT) {
        chain.layers[1].inputs = both;
        chain.layers[1].input_count = 2;
    }
    prepare_defined();
    reject_mutants(op->name);
}
END_TEST

Suite *test_suite(void)
{
    int count = 0;
    while (ops[count] != NULL)
        count++;
    Suite *suite = suite_create("check");
    TCase *tcase = tcase_create("check");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, verdicts);
    tcase_add_test(tcase, other_names_and_second_copies);
    tcase_add_test(tcase, very_many_unexpected_names);
    tcase_add_test(tcase, points_and_score);
    tcase_add_test(tcase, overflow_is_the_requests_fault);
    tcase_add_test(tcase, out_of_memory);
    tcase_add_test(tcase, float32_needs_no_memory);
    tcase_add_test(tcase, a_nan_on_the_way_is_not_swallowed);
    tcase_add_test(tcase, an_unsummed_bias_in_columns);
    tcase_add_test(tcase, cross_entropy_joins_its_softmax);
    tcase_add_loop_test(tcase, mutants_of_ops, 0, count);
    suite_add_tcase(suite, tcase);
    return suite;
}
