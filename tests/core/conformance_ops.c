/* Every op of the table, on every backend, by the cases that it brings: its backward against central differences of its
 * forward with a random cotangent; nothing written outside its tensors; and, so that this suite itself can be trusted,
 * mutants of every backward are refused. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "tests/core/conformance_cases.h"

#define FLOAT64_TOLERANCE 1e-12
#define FLOAT32_TOLERANCE 3e-5

static const struct trial_how usual = {0};

/* ---- what an op brings ---- */

/* Whether a case sets an attribute to something else than its default. */
static bool is_varied(const struct op *op, const struct attribute *attribute)
{
    for (const struct op_case *c = op->cases; c->count > 0; c++)
        for (size_t s = 0; s < CASE_SETTINGS_MAX && c->set[s].attribute != NULL; s++)
            if (strcmp(c->set[s].attribute, attribute->name) == 0 && c->set[s].value != attribute->fallback)
                return true;
    return false;
}

/* An op whose cases leave something out is not tested, whatever passes below. */
START_TEST(cases_cover_the_op)
{
    const struct op *op = trial_op(_i);
    ck_assert_msg(op->cases != NULL && op->cases[0].count > 0, "%s has no cases", op->name);
    for (const struct attribute *a = op->attributes; attribute_stands(a); a++)
        if (a->name != NULL) ck_assert_msg(is_varied(op, a), "no case of %s tries another %s", op->name, a->name);
    size_t slots = 0, most = 0;
    while (op->slots[slots].symbol != NULL)
        slots++;
    for (const struct op_case *c = op->cases; c->count > 0; c++) {
        ck_assert_uint_ge(c->count, slots);
        ck_assert_uint_le(c->count, CASE_INPUTS_MAX);
        if (c->count > most) most = c->count;
    }
    if (op->slots[slots - 1].repeated) ck_assert_msg(most > slots, "%s is never tried with more inputs", op->name);
}
END_TEST

/* ---- numbers ---- */

static void agrees_with_differences(struct trial *t)
{
    static struct outcome analytic, numeric;
    trial_run(t, trial_backend, usual, &analytic);
    trial_differences(t, trial_backend, &numeric);
    for (size_t k = 0; k < t->count; k++) {
        if (!t->differentiable[k]) continue;
        double e = trial_error(t->n[k], analytic.dx[k], numeric.dx[k]);
        ck_assert_msg(e <= TRIAL_TOLERANCE, "%s: error %g in the gradient of %s", t->text, e,
                      op_slot(t->op, k)->symbol);
    }
}

START_TEST(central_differences)
{
    const struct op *op = trial_op_of_loop(_i);
    if (trial_backend->dtype == DTYPE_FLOAT64) trial_each(op, agrees_with_differences);
}
END_TEST

static void close_to(const struct trial *t, const char *what, size_t n, const double *got, const double *want)
{
    double tolerance = trial_backend->dtype == DTYPE_FLOAT32 ? FLOAT32_TOLERANCE : FLOAT64_TOLERANCE;
    double e = trial_error(n, got, want);
    ck_assert_msg(e <= tolerance, "%s: error %g in %s", t->text, e, what);
}

/* Every backend against the CPU's in float64: the same numbers to rounding. */
static void agrees_with_cpu(struct trial *t)
{
    static struct outcome want, got;
    trial_round(t);
    trial_run(t, backend_cpu(DTYPE_FLOAT64), usual, &want);
    trial_run(t, trial_backend, usual, &got);
    close_to(t, "y", t->y_n, got.y, want.y);
    for (size_t k = 0; k < t->count; k++)
        if (t->differentiable[k]) close_to(t, op_slot(t->op, k)->symbol, t->n[k], got.dx[k], want.dx[k]);
}

START_TEST(agreement)
{
    const struct op *op = trial_op_of_loop(_i);
    trial_each(op, agrees_with_cpu);
}
END_TEST

/* ---- which gradients are wanted, and where they go ---- */

static void makes_what_is_wanted(struct trial *t)
{
    static struct outcome all, some;
    unsigned every = (1U << t->count) - 1;
    trial_run(t, trial_backend, usual, &all);
    for (unsigned unwanted = 0; unwanted <= every; unwanted++) {
        trial_run(t, trial_backend, (struct trial_how){.unwanted = unwanted}, &some);
        for (size_t k = 0; k < t->count; k++)
            if (t->differentiable[k] && !(unwanted >> k & 1))
                ck_assert_msg(memcmp(some.dx[k], all.dx[k], t->n[k] * sizeof *some.dx[k]) == 0,
                              "%s: without %u another gradient of %s", t->text, unwanted, op_slot(t->op, k)->symbol);
    }
}

START_TEST(wanted_gradients)
{
    const struct op *op = trial_op_of_loop(_i);
    trial_each(op, makes_what_is_wanted);
}
END_TEST

/* An op that says so adds to what is there. */
static void adds_on_top(struct trial *t)
{
    static struct outcome alone, on_top;
    trial_round(t);
    trial_run(t, trial_backend, usual, &alone);
    trial_run(t, trial_backend, (struct trial_how){.on_top = true}, &on_top);
    for (size_t k = 0; k < t->count; k++) {
        if (!t->differentiable[k]) continue;
        for (size_t i = 0; i < t->n[k]; i++)
            alone.dx[k][i] += t->op->adds ? t->x[k][i] : 0;
        close_to(t, op_slot(t->op, k)->symbol, t->n[k], on_top.dx[k], alone.dx[k]);
    }
}

START_TEST(gradients_on_top)
{
    const struct op *op = trial_op_of_loop(_i);
    if (op->adds) trial_each(op, adds_on_top);
}
END_TEST

/* What the table says of a gradient is so: a slot that is summed gets dy, summed over the rows. */
static void sums_rows(struct trial *t)
{
    static struct outcome out;
    double sum[TRIAL_TENSOR_MAX];
    trial_run(t, trial_backend, usual, &out);
    for (size_t k = 0; k < t->count; k++) {
        if (!t->has[k] || !op_slot(t->op, k)->summed) continue;
        memset(sum, 0, sizeof sum);
        for (size_t i = 0; i < t->y_n; i++)
            sum[i % t->n[k]] += t->dy[i];
        close_to(t, op_slot(t->op, k)->symbol, t->n[k], out.dx[k], sum);
    }
}

START_TEST(summed_slots)
{
    const struct op *op = trial_op_of_loop(_i);
    trial_each(op, sums_rows);
}
END_TEST

/* A loss as a pass ends with it: a scalar to the host, and a gradient of 1 there. */
static void ends_a_pass(struct trial *t)
{
    static struct outcome alone, arriving;
    trial_run(t, trial_backend, (struct trial_how){.bare = true}, &alone);
    t->dy[0] = 1;
    trial_run(t, trial_backend, usual, &arriving);
    ck_assert_msg(alone.value == arriving.value, "%s: %g for %g", t->text, alone.value, arriving.value);
    ck_assert_mem_eq(alone.dx[LOSS_PREDICTION], arriving.dx[LOSS_PREDICTION], t->n[LOSS_PREDICTION] * sizeof(double));
}

START_TEST(losses_end_a_pass)
{
    const struct op *op = trial_op_of_loop(_i);
    if (op->kind == OP_LOSS) trial_each(op, ends_a_pass);
}
END_TEST

/* ---- mutants ---- */

enum mutant { FLIPPED, DOUBLED, ZEROED, NOT_A_NUMBER, NEARLY, TRANSPOSED, MUTANTS };

static const char *const mutant_names[] = {"flipped", "doubled", "zeroed", "NaN", "off by 1e-3", "transposed"};

/* How often each was tried on the gradient of each input, and whether there was anything to transpose. */
static size_t tried[CASE_INPUTS_MAX][MUTANTS];
static bool is_matrix[CASE_INPUTS_MAX];

static void mutate(enum mutant mutant, const struct shape *shape, const double *right, double *wrong)
{
    size_t n = op_elements(shape), columns = shape->rank > 0 ? shape->dim[shape->rank - 1] : 1;
    for (size_t i = 0; i < n; i++)
        wrong[i] = mutant == FLIPPED ? -right[i] : mutant == DOUBLED ? 2 * right[i] : mutant == ZEROED ? 0 : right[i];
    if (mutant == NOT_A_NUMBER) wrong[n / 2] = NAN;
    if (mutant == NEARLY) wrong[n / 2] += 1e-3;
    if (mutant == TRANSPOSED) tensor_transpose(n / columns, columns, right, wrong);
}

static void refuses_mutants(struct trial *t)
{
    static struct outcome analytic, numeric;
    double mutated[TRIAL_TENSOR_MAX];
    trial_run(t, trial_backend, usual, &analytic);
    trial_differences(t, trial_backend, &numeric);
    for (size_t k = 0; k < t->count; k++) {
        size_t columns = t->in[k].rank > 0 ? t->in[k].dim[t->in[k].rank - 1] : 1;
        if (!t->differentiable[k] || !t->has[k]) continue;
        is_matrix[k] = is_matrix[k] || (columns > 1 && columns < t->n[k]);
        for (int m = 0; m < MUTANTS; m++) {
            mutate((enum mutant)m, &t->in[k], analytic.dx[k], mutated);
            /* What is nearly the same is no mutant: a softmax over one element has no gradient to flip. */
            if (trial_error(t->n[k], mutated, analytic.dx[k]) <= 10 * TRIAL_TOLERANCE) continue;
            tried[k][m]++;
            ck_assert_msg(trial_error(t->n[k], mutated, numeric.dx[k]) > TRIAL_TOLERANCE,
                          "%s: the gradient of %s passes though it is %s", t->text, op_slot(t->op, k)->symbol,
                          mutant_names[m]);
        }
    }
}

START_TEST(mutants)
{
    const struct op *op = trial_op(_i);
    trial_backend = backend_cpu(DTYPE_FLOAT64); /* it is the suite that is tested here */
    memset(tried, 0, sizeof tried);
    memset(is_matrix, 0, sizeof is_matrix);
    trial_each(op, refuses_mutants);
    for (size_t k = 0; op->slots[k].symbol != NULL; k++)
        for (int m = 0; op_differentiates(op, k) && m < MUTANTS; m++)
            ck_assert_msg(tried[k][m] > 0 || (m == TRANSPOSED && !is_matrix[k]),
                          "%s: no case in which the gradient of %s could be %s", op->name, op->slots[k].symbol,
                          mutant_names[m]);
}
END_TEST

void conformance_add_ops(Suite *suite)
{
    int count = trial_loop() / conformance.count;
    TCase *tcase = tcase_create("ops");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, cases_cover_the_op, 0, count);
    tcase_add_loop_test(tcase, central_differences, 0, trial_loop());
    tcase_add_loop_test(tcase, agreement, 0, trial_loop());
    tcase_add_loop_test(tcase, wanted_gradients, 0, trial_loop());
    tcase_add_loop_test(tcase, gradients_on_top, 0, trial_loop());
    tcase_add_loop_test(tcase, summed_slots, 0, trial_loop());
    tcase_add_loop_test(tcase, losses_end_a_pass, 0, trial_loop());
    tcase_add_loop_test(tcase, mutants, 0, count);
    suite_add_tcase(suite, tcase);
}
