/* One update of an optimizer: both forms of a velocity, and the table of slips. */
#include "tests/main.h"

#include <math.h>
#include <string.h>

#include "core/backend/backend.h"
#include "core/base/numpy_random.h"
#include "core/train/update_mistakes.h"
#include "core/update/update_check.h"

enum { N = 3, STEPS = 5 };

static const double start[N] = {0.7, -1.2, 2.0}, slopes[N] = {0.31, -0.22, 0.17};
static const double firsts[N] = {0.2, -0.1, 0.05}, seconds[N] = {0.11, 0.07, 0.23};
static struct optimizer optimizer;

static void choose(const char *name)
{
    for (size_t i = 0; optimizers[i] != NULL; i++)
        if (strcmp(optimizers[i]->name, name) == 0) optimizer.type = optimizers[i];
    for (size_t a = 0; attribute_stands(&optimizer.type->attributes[a]); a++)
        optimizer.attributes[a] = optimizer.type->attributes[a].fallback;
    optimizer.attributes[0] = 0.1;
}

static void set(const char *name, double value)
{
    for (size_t a = 0; attribute_stands(&optimizer.type->attributes[a]); a++)
        if (optimizer.type->attributes[a].name != NULL && strcmp(optimizer.type->attributes[a].name, name) == 0)
            optimizer.attributes[a] = value;
}

static void run(const struct step_plan *plan, const double *w, const double *first, const double *second,
                double made[3][N])
{
    double scratch[3 * N];
    const struct one_step from = {.n = N, .w = w, .g = slopes, .first = first, .second = second};
    struct stepped to = {made[0], made[1], made[2]};
    memset(made, 0, 3 * N * sizeof(double));
    ck_assert_int_eq(step_plan_run(plan, &from, scratch, &to), CODE_OK);
}

/* The same parameters, and velocities that differ by -lr. */
START_TEST(forms)
{
    for (int nesterov = 0; nesterov < 2; nesterov++) {
        choose("sgd");
        set("momentum", 0.9);
        set("nesterov", nesterov);
        set("weight_decay", 0.01);
        double w[2][N], v[2][N] = {{0}};
        memcpy(w[0], start, sizeof start);
        memcpy(w[1], start, sizeof start);
        for (size_t t = 1; t <= STEPS; t++) {
            for (int form = 0; form < VELOCITY_FORMS; form++) {
                double made[3][N];
                struct step_plan plan = step_plan_of(&optimizer, t, (enum velocity_form)form);
                run(&plan, w[form], v[form], NULL, made);
                memcpy(w[form], made[0], sizeof w[form]);
                memcpy(v[form], made[1], sizeof v[form]);
            }
            for (size_t i = 0; i < N; i++) {
                ck_assert_double_eq_tol(w[0][i], w[1][i], 1e-14);
                ck_assert_double_eq_tol(v[0][i] * -0.1, v[1][i], 1e-14);
            }
        }
        ck_assert_double_ne(w[0][0], start[0]);
    }
}
END_TEST

START_TEST(counts_steps)
{
    static const struct {
        const char *name;
        bool counts;
    } known[] = {{"sgd", false}, {"adam", true}, {"adamw", true}, {"rmsprop", false}, {"adagrad", false}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        choose(known[i].name);
        ck_assert_int_eq(optimizer_counts_steps(&optimizer), known[i].counts);
    }
    set("lr_decay", 0.1);
    ck_assert(optimizer_counts_steps(&optimizer)); /* adagrad */
}
END_TEST

static void all_options(size_t which)
{
    choose(optimizers[which]->name);
    set("weight_decay", 0.2);
    if (strcmp(optimizers[which]->name, "sgd") == 0) set("momentum", 0.9);
    if (strcmp(optimizers[which]->name, "adam") != 0 && strcmp(optimizers[which]->name, "adamw") != 0) return;
    set("eps", 1e-2);
}

/* Every slip changes a step of some optimizer, and every mistake of an update has one. */
START_TEST(slips)
{
    const struct update_slip *list[UPDATE_SLIPS_MAX];
    size_t count = update_slips(list);
    ck_assert_uint_gt(count, 30);
    const struct update_slip *const lists[] = {step_slips, moment_slips, decay_slips, momentum_slips};
    size_t written = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct update_slip *slip = lists[i]; slip->mistake != NULL; slip++)
            written++;
    ck_assert_uint_eq(count, written); /* none is left out */
    for (size_t k = 0; k < count; k++) {
        const struct update_slip *slip = list[k];
        bool changes = false;
        ck_assert_int_eq(slip->mistake->step, STEP_UPDATE);
        ck_assert(slip->mistake->variants == 0 ||
                  (slip->variant < slip->mistake->variants && slip->mistake->variant_words(slip->variant)[0] != '\0'));
        for (size_t o = 0; optimizers[o] != NULL; o++)
            for (int nesterov = 0; nesterov < 2; nesterov++) {
                all_options(o);
                set("nesterov", nesterov);
                double right[3][N], wrong[3][N];
                struct step_plan plan = step_plan_of(&optimizer, 4, VELOCITY_PYTORCH);
                run(&plan, start, firsts, seconds, right);
                if (!slip->put(&plan, slip->variant)) continue;
                run(&plan, start, firsts, seconds, wrong);
                ck_assert_msg(memcmp(right, wrong, sizeof right) != 0, "%s of %s", slip->mistake->id,
                              optimizers[o]->name);
                changes = true;
            }
        ck_assert_msg(changes, "%s", slip->mistake->id);
    }
    for (size_t i = 0; mistakes[i] != NULL; i++) {
        bool listed = false;
        for (size_t k = 0; k < count; k++)
            listed = listed || list[k]->mistake == mistakes[i];
        ck_assert_msg(listed == (mistakes[i]->step == STEP_UPDATE), "%s", mistakes[i]->id);
    }
}
END_TEST

/* ---- the check ---- */

static struct arena arena;
static struct error error;
static double handed_in[N];
static struct tensor tensor = {.size = N, .data = handed_in};
static struct updated parameter;
static struct update_check check;

static void ask(struct update_report *report)
{
    tensor.shape = shape_of(1, (size_t[]){N});
    parameter = (struct updated){.name = "w",
                                 .shape = tensor.shape,
                                 .from = {.n = N, .w = start, .g = slopes, .first = firsts, .second = seconds},
                                 .submissions = {{.name = "w", .tensor = &tensor}},
                                 .submitted = {true}};
    check = (struct update_check){
        .optimizer = optimizer, .step = 4, .parameters = &parameter, .count = 1, .diagnose = true};
    ck_assert_int_eq(update_check_run(&arena, &check, report, &error), CODE_OK);
}

static void begin(void)
{
    arena_init(&arena, (size_t)1 << 24);
    error = (struct error){0};
    choose("adam");
}

static void end(void)
{
    arena_free(&arena);
}

static void hand_in(void)
{
    double made[3][N];
    struct step_plan plan = step_plan_of(&optimizer, 4, VELOCITY_PYTORCH);
    run(&plan, start, firsts, seconds, made);
    memcpy(handed_in, made[0], sizeof handed_in);
}

START_TEST(right_and_wrong)
{
    struct update_report report;
    hand_in();
    ask(&report);
    ck_assert(report.passed);
    for (size_t i = 0; i < N; i++) {
        hand_in();
        handed_in[i] += 2e-6;
        ask(&report);
        ck_assert(!report.passed && report.found_count == 0 && !report.explained);
        handed_in[i] = NAN;
        ask(&report);
        ck_assert(!report.passed && report.found_count == 0);
        ck_assert_int_eq(report.entries[0].verdict, VERDICT_NOT_FINITE);
    }
}
END_TEST

/* What a slip makes is told as that slip, or as another one that makes the same. */
START_TEST(each_slip_is_named)
{
    const struct update_slip *list[UPDATE_SLIPS_MAX];
    size_t count = update_slips(list);
    for (size_t k = 0; k < count; k++)
        for (size_t o = 0; optimizers[o] != NULL; o++) {
            const struct update_slip *slip = list[k];
            all_options(o);
            double made[3][N], right[3][N];
            struct update_report report;
            struct step_plan plan = step_plan_of(&optimizer, 4, VELOCITY_PYTORCH);
            run(&plan, start, firsts, seconds, right);
            if (slip->mistake == &mistake_velocity_form || !slip->put(&plan, slip->variant)) continue;
            run(&plan, start, firsts, seconds, made);
            memcpy(handed_in, made[0], sizeof handed_in);
            ask(&report);
            bool finite = true, told = false;
            for (size_t i = 0; i < N; i++)
                finite = finite && isfinite(made[0][i]);
            if (!finite || report.passed) continue; /* only the state shows it */
            ck_assert_msg(report.found_count == 1 && report.explained, "%s of %s: %zu", slip->mistake->id,
                          optimizers[o]->name, report.found_count);
            told = report.found[0].slip->mistake == slip->mistake;
            for (size_t i = 0; i < report.found[0].alternative_count; i++)
                told = told || report.found[0].alternatives[i].mistake == slip->mistake;
            ck_assert_msg(told, "%s of %s: %s", slip->mistake->id, optimizers[o]->name,
                          report.found[0].slip->mistake->id);
        }
}
END_TEST

/* ---- float32 ---- */

enum { DRAWS = 4000 };

static struct numpy_random dice;

static double draw_number(double size)
{
    return (double)(float)(size * numpy_random_normal(&dice));
}

static double draw_size(double least, double most)
{
    return pow(10, least + (most - least) * numpy_random_uniform(&dice));
}

/* An optimizer with options, a step, and numbers of float32. */
static size_t draw(double w[N], double g[N], double first[N], double second[N])
{
    static const double decays[] = {0, 1e-4, 0.1};
    size_t kinds = 0, step = numpy_random_uniform(&dice) < 0.5 ? 1 : 1 + (size_t)draw_size(0, 3);
    double size = draw_size(-3, 3), slope = draw_size(-6, 3);
    while (optimizers[kinds] != NULL)
        kinds++;
    choose(optimizers[(size_t)(numpy_random_uniform(&dice) * (double)kinds)]->name);
    optimizer.attributes[0] = draw_size(-9, 0);
    set("weight_decay", decays[(size_t)(numpy_random_uniform(&dice) * 3)]);
    if (numpy_random_uniform(&dice) < 0.7) set("momentum", 0.9);
    for (size_t i = 0; i < N; i++) {
        w[i] = draw_number(size);
        g[i] = draw_number(slope);
        first[i] = step > 1 ? draw_number(slope) : 0;
        second[i] = step > 1 ? (double)(float)pow(draw_number(slope), 2) : 0;
    }
    return step;
}

/* PyTorch's step in float32. */
static void step_in_float32(size_t step, const double *w, const double *g, const double *first, const double *second,
                            double made[3][N])
{
    const struct step_plan plan = step_plan_of(&optimizer, step, VELOCITY_PYTORCH);
    float numbers[4][N];
    const double *const from[] = {w, g, first, second};
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < N; i++)
            numbers[k][i] = (float)from[k][i];
    int code = backend_cpu(DTYPE_FLOAT32)->update(&plan.update, N, numbers[1], numbers[0], numbers[2], numbers[3]);
    ck_assert_int_eq(code, CODE_OK);
    for (size_t i = 0; i < N; i++) {
        made[0][i] = (double)numbers[0][i];
        made[1][i] = (double)numbers[2][i];
        made[2][i] = (double)numbers[3][i];
    }
}

static const struct entry *judge_numbers(size_t step, const struct one_step *from, double made[3][N],
                                         struct update_report *report)
{
    struct tensor made_of[3];
    struct update_check of = {.optimizer = optimizer, .step = step, .parameters = &parameter, .count = 1};
    const struct step_plan plan = step_plan_of(&optimizer, step, VELOCITY_PYTORCH);
    parameter = (struct updated){.name = "w", .shape = shape_of(1, (size_t[]){N}), .from = *from};
    for (size_t part = 0; part < UPDATE_PARTS; part++) {
        made_of[part] = (struct tensor){.shape = parameter.shape, .size = N, .data = made[part]};
        parameter.submissions[part] = (struct submission){.name = "w", .tensor = &made_of[part]};
    }
    parameter.submitted[0] = true;
    parameter.submitted[1] = plan.update.uses_first;
    parameter.submitted[2] = plan.update.uses_second;
    ck_assert_int_eq(update_check_run(&arena, &of, report, &error), CODE_OK);
    return report->entries;
}

static double ulp(double number)
{
    return (double)(nextafterf((float)fabs(number), HUGE_VALF) - (float)fabs(number));
}

/* What was computed in float32 passes for each optimizer; none and the other way only where float32 shows no step, and
 * then it is said. */
START_TEST(in_float32)
{
    size_t shown = 0, hidden = 0;
    numpy_random_seed(&dice, 8);
    for (size_t k = 0; k < DRAWS; k++) {
        double w[N], g[N], first[N], second[N], made[3][N], other[3][N];
        size_t step = draw(w, g, first, second);
        const struct one_step from = {.n = N, .w = w, .g = g, .first = first, .second = second};
        struct update_report report;
        step_in_float32(step, w, g, first, second, made);
        judge_numbers(step, &from, made, &report);
        ck_assert_msg(report.passed, "draw %zu, %s", k, optimizer.type->name);
        double away = 0; /* the largest step, in units of the last place */
        for (size_t i = 0; i < N; i++)
            away = fmax(away, fabs(report.entries[0].reference[i] - w[i]) / ulp(w[i]));
        for (int way = 0; way < 2; way++) {
            memcpy(other, made, sizeof other);
            for (size_t i = 0; i < N; i++)
                other[0][i] = way == 0 ? w[i] : (double)(float)(2 * w[i] - made[0][i]);
            const struct entry *entry = judge_numbers(step, &from, other, &report);
            ck_assert_msg(!entry->passed || (entry->weak && away <= 1), "draw %zu, %s, %g", k, optimizer.type->name,
                          away);
            shown += !entry->passed;
            hidden += entry->weak;
        }
        arena_reset(&arena);
    }
    ck_assert(shown > DRAWS / 2 && hidden > DRAWS / 10);
}
END_TEST

/* What is rounded is told from what is not there in float64, too. */
START_TEST(in_float64)
{
    static const double rates[] = {1e-16, 1e-15, 1e-14, 1e-12};
    choose("sgd");
    for (size_t k = 0; k < sizeof rates / sizeof *rates; k++) {
        const double w[N] = {0.7, 0.7, 0.7}, g[N] = {1, 1, 1};
        double made[3][N] = {{0.7, 0.7, 0.7}};
        const struct one_step from = {.n = N, .w = w, .g = g};
        struct update_report report;
        optimizer.attributes[0] = rates[k];
        const struct entry *entry = judge_numbers(1, &from, made, &report);
        ck_assert_int_eq(entry->passed, rates[k] < 5e-16);
        for (size_t i = 0; i < N; i++)
            made[0][i] = 0.7 - rates[k];
        entry = judge_numbers(1, &from, made, &report);
        ck_assert(entry->passed && entry->weak == (rates[k] < 5e-16));
    }
}
END_TEST

START_TEST(little_memory)
{
    struct update_report whole;
    hand_in();
    handed_in[0] += 1;
    ask(&whole);
    for (size_t n = 1; n < 40; n++) {
        struct update_report report;
        arena_reset(&arena);
        arena.fail_in = n;
        error = (struct error){0};
        int code = update_check_run(&arena, &check, &report, &error);
        ck_assert(code == CODE_OK || code == CODE_OUT_OF_MEMORY);
    }
    arena.fail_in = 0;
}
END_TEST

START_TEST(cancelled)
{
    struct update_report report;
    atomic_bool stop = true;
    hand_in();
    ask(&report);
    check.cancelled = &stop;
    ck_assert_int_eq(update_check_run(&arena, &check, &report, &error), CODE_CANCELLED);
}
END_TEST

Suite *test_suite(void)
{
    Suite *s = suite_create("one step");
    TCase *plain = tcase_create("plans"), *checks = tcase_create("checks");
    tcase_add_test(plain, forms);
    tcase_add_test(plain, counts_steps);
    tcase_add_test(plain, slips);
    suite_add_tcase(s, plain);
    tcase_add_checked_fixture(checks, begin, end);
    tcase_add_test(checks, right_and_wrong);
    tcase_add_test(checks, each_slip_is_named);
    tcase_add_test(checks, in_float32);
    tcase_add_test(checks, in_float64);
    tcase_add_test(checks, little_memory);
    tcase_add_test(checks, cancelled);
    suite_add_tcase(s, checks);
    return s;
}
