/* The parts of the diagnosis by themselves; how well it names mistakes is tests/diagnosis' matter. */
#include "tests/main.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/match.h"
#include "core/diagnosis/written.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/words.h"
#include "core/ops/ops.h"
#include "core/diagnosis/rules.h"
#include "tests/core/chain.h"

static const struct mistake *find_mistake(const char *id)
{
    for (size_t i = 0; mistakes[i] != NULL; i++)
        if (strcmp(mistakes[i]->id, id) == 0) return mistakes[i];
    return NULL;
}

static const struct matching usual = {.scale = 1, .clip = HUGE_VAL};
static const struct tolerance within = {.atol = 1e-6};

START_TEST(fits)
{
    const double reference[] = {0.5, -0.25, 0.125}, predicted[] = {1, -0.5, 0.25};
    const struct {
        double off;
        enum fit fit;
    } cases[] = {{0, FIT_EXACT},   {1e-13, FIT_EXACT}, {3e-7, FIT_FLOAT32}, {9e-7, FIT_FLOAT32},
                 {1e-3, FIT_NONE}, {NAN, FIT_NONE},    {INFINITY, FIT_NONE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double student[] = {1, -0.5 + cases[i].off, 0.25};
        struct match m = match_numbers(&usual, within, 3, student, predicted, reference, HUGE_VAL);
        ck_assert_msg(m.fit == cases[i].fit, "off by %g: fit %d", cases[i].off, m.fit);
    }
    /* Nothing is gained by reproducing what is right anyway. */
    ck_assert_double_eq(match_numbers(&usual, within, 3, reference, reference, reference, HUGE_VAL).digits, 0);
    const double computed[] = {1 / 3.0, -2 / 7.0, 0.1 + 1e-9}; /* as many digits as a float64 has */
    ck_assert_double_gt(match_numbers(&usual, within, 3, computed, computed, reference, HUGE_VAL).digits, 30);
    /* A number that somebody typed is no evidence: 1, 0.5 and 0.25 have four digits together. */
    ck_assert_double_lt(match_numbers(&usual, within, 3, predicted, predicted, reference, HUGE_VAL).digits, 6);
    /* Eight printed digits of one number are worth less than the rounding of a float64. */
    double printed = 0.12345679, exact = 0.123456789, wrong = 0.3;
    ck_assert_double_lt(match_numbers(&usual, within, 1, &printed, &exact, &wrong, HUGE_VAL).digits, 9);
}
END_TEST

/* Beside gradients of a million what differs by a third is not the same but for rounding, though it is less than a
 * float32's rounding of the million. */
START_TEST(small_beside_large)
{
    const struct matching beside = {.scale = 1e6, .clip = HUGE_VAL};
    const double reference[] = {0.31, -0.17, 0.23}, noise[] = {0.28, -0.21, 0.11};
    const double predicted[] = {0.3, -0.2, 0.1}, near[] = {0.3 + 1e-6, -0.2 - 2e-6, 0.1};
    ck_assert_int_eq(match_numbers(&beside, within, 3, noise, predicted, reference, HUGE_VAL).fit, FIT_NONE);
    ck_assert_int_eq(match_numbers(&beside, within, 3, near, predicted, reference, HUGE_VAL).fit, FIT_FLOAT32);
    /* What is within the tolerance is right, however small the tensor. */
    const double tiny[] = {1e-9, 0, -1e-9}, none[] = {0, 0, 0};
    ck_assert_int_ne(match_numbers(&beside, within, 3, tiny, none, reference, HUGE_VAL).fit, FIT_NONE);
}
END_TEST

/* Where the hypothesis is nearer at one element and further off at another, the one stands against the other. */
START_TEST(evidence_against)
{
    const struct tolerance strict = {.atol = 1e-9};
    const double student[] = {0.7123456, -0.1123456}, reference[] = {0.5123456, -0.1123456 - 1e-10};
    const double predicted[] = {0.7123456, -0.1123436};
    double alone = match_numbers(&usual, strict, 1, student, predicted, reference, HUGE_VAL).digits;
    struct match both = match_numbers(&usual, strict, 2, student, predicted, reference, HUGE_VAL);
    ck_assert_double_gt(alone, 5);
    ck_assert_int_eq(both.fit, FIT_FLOAT32);
    ck_assert_double_lt(both.digits, alone - 3);
}
END_TEST

/* Ending early changes nothing: whatever fits is within the bound, for every tolerance and size of rounding. */
START_TEST(bound_turns_nothing_away)
{
    enum { N = 7 };
    size_t fitted = 0;
    unsigned state = 1;
    for (size_t i = 0; i < 20000; i++) {
        double numbers[3][N], largest = 0, off = pow(10, -(double)(i % 13) / 2 - 2);
        for (size_t k = 0; k < 3 * N; k++) {
            state = state * 1664525U + 1013904223U;
            numbers[k / N][k % N] = (double)(state >> 8) / (1 << 23) - 1;
        }
        double *student = numbers[0], *predicted = numbers[1];
        for (size_t k = 0; k < N; k++) {
            predicted[k] = student[k] + off * predicted[k];
            largest = fmax(largest, fabs(student[k]));
        }
        const struct tolerance tolerance = {.atol = i % 2 ? 1e-6 : 0, .rtol = (double)(i % 5) * 0.12};
        const struct matching matching = {.scale = pow(10, (double)(i % 9)), .clip = HUGE_VAL};
        struct match whole = match_numbers(&matching, tolerance, N, student, predicted, numbers[2], HUGE_VAL);
        struct match early = match_numbers(&matching, tolerance, N, student, predicted, numbers[2],
                                           match_bound(&matching, tolerance, largest));
        ck_assert_int_eq(whole.fit, early.fit);
        fitted += whole.fit != FIT_NONE;
    }
    ck_assert(fitted > 1000 && fitted < 19000);
}
END_TEST

START_TEST(predictions_are_clipped)
{
    struct matching clipping = usual;
    clipping.clip = 0.5;
    const double reference[] = {2, -3, 0.1}, student[] = {0.5, -0.5, 0.1};
    ck_assert_int_eq(match_numbers(&clipping, within, 3, student, reference, reference, HUGE_VAL).fit, FIT_EXACT);
    ck_assert_int_eq(match_numbers(&usual, within, 3, student, reference, reference, HUGE_VAL).fit, FIT_NONE);
    /* What is clipped shows a sign, not a number: it says next to nothing, and nothing where the reference says it too.
     */
    const double predicted[] = {2, 3, 0.3123456789}, at_limit[] = {0.5, 0.5, 0.3123456789};
    ck_assert_double_lt(match_numbers(&clipping, within, 3, at_limit, predicted, predicted, HUGE_VAL).digits, 1e-9);
    const double negated[] = {-2, -3, 0.3123456789};
    double digits = match_numbers(&clipping, within, 3, at_limit, predicted, negated, HUGE_VAL).digits;
    ck_assert(digits > 0.5 && digits < 1);
}
END_TEST

START_TEST(round_numbers)
{
    const double round[] = {1, 0.5, 0.25, 10, 1.5, 1e-3, 99, 0.01 * (1 + 1e-7)};
    const double others[] = {0, -1, 0.123, 1.01, NAN, INFINITY, 0.3333333};
    for (size_t i = 0; i < sizeof round / sizeof *round; i++)
        ck_assert_msg(!isnan(written_round(round[i])), "%g", round[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(isnan(written_round(others[i])), "%g", others[i]);
    /* As it was written down, whatever float32 made of it. */
    ck_assert_double_eq_tol(written_round((double)0.2F), 0.2, 1e-15);
    ck_assert_double_eq(written_round(9.99999999), 10);
    ck_assert_double_nan(written_round(0.123));
}
END_TEST

/* Two mistakes are allowed: each may be made again, a third may not, until one is taken back. */
START_TEST(mistakes_are_counted_once)
{
    struct choice path[6];
    struct search s = {.now = {.budget = 2, .path = path, .path_max = 6, .pending = NOTHING_PENDING}};
    ck_assert_ptr_nonnull(hypothesis_push(&s, &mistake_transposed, 0, NULL, NULL));
    ck_assert_ptr_nonnull(hypothesis_push(&s, &mistake_input_ignored, 0, NULL, NULL));
    ck_assert_ptr_nonnull(hypothesis_push(&s, &mistake_transposed, 0, NULL, NULL));
    ck_assert_ptr_null(
        hypothesis_push(&s, &mistake_transposed, 1, NULL, NULL)); /* another variant is another mistake */
    ck_assert_ptr_null(hypothesis_push(&s, &mistake_all_zero, 0, NULL, NULL));
    ck_assert_uint_eq(s.now.distinct, 2);
    hypothesis_pop_to(&s, 1);
    ck_assert_uint_eq(s.now.distinct, 1);
    ck_assert(hypothesis_makes(&s, &mistake_transposed, 0) && !hypothesis_makes(&s, &mistake_input_ignored, 0));
    ck_assert_ptr_nonnull(hypothesis_push(&s, &mistake_all_zero, 0, NULL, NULL));
    path[1].mistake = &mistake_transposed; /* a choice becomes the same as the first */
    ck_assert(hypothesis_recount(&s));
    ck_assert_uint_eq(s.now.distinct, 1);
    while (s.now.length < s.now.path_max)
        ck_assert_ptr_nonnull(hypothesis_push(&s, &mistake_transposed, 0, NULL, NULL));
    ck_assert_ptr_null(hypothesis_push(&s, &mistake_transposed, 0, NULL, NULL)); /* no room */
}
END_TEST

/* Of solutions that explain as much: fewer mistakes, then likelier ones, then fewer places. */
START_TEST(likelier)
{
    const struct solution one = {.distinct = 1, .rank = 9, .length = 4}, two = {.distinct = 2, .rank = 3, .length = 2};
    const struct solution other = {.distinct = 1, .rank = 5, .length = 4},
                          here = {.distinct = 1, .rank = 9, .length = 1};
    ck_assert(hypothesis_is_likelier(&one, &two) && !hypothesis_is_likelier(&two, &one));
    ck_assert(hypothesis_is_likelier(&other, &one) && hypothesis_is_likelier(&other, &here));
    ck_assert(hypothesis_is_likelier(&here, &one) && !hypothesis_is_likelier(&one, &one));
}
END_TEST

/* Two mistakes are looked for beside a single one where they may well come to the same, and nowhere else. */
START_TEST(two_in_one)
{
    static const struct node node;
    const struct {
        struct choice choice;
        bool may;
    } cases[] = {
        {{.mistake = find_mistake("cross_entropy_shortcut"), .parameter = PARAMETER_NONE}, true},
        {{.mistake = &mistake_single_sample, .parameter = PARAMETER_NONE}, false},
        {{.mistake = &mistake_sign_flipped, .parameter = PARAMETER_NONE, .has_factor = true}, false},
        {{.mistake = &mistake_not_averaged_over_batch, .node = &node, .parameter = 0, .has_factor = true}, true},
        {{.mistake = &mistake_transposed, .node = &node, .parameter = 0}, false},
        {{.mistake = find_mistake("upstream_dropped"), .node = &node, .parameter = PARAMETER_NONE}, false},
        {{.mistake = &mistake_wrong_activation_derivative, .node = &node, .parameter = PARAMETER_NONE, .fitted = true},
         true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct choice path = cases[i].choice;
        const struct solution solution = {.path = &path, .length = 1, .distinct = 1};
        ck_assert_msg(hypothesis_may_be_two(&solution) == cases[i].may, "%s", path.mistake->id);
    }
}
END_TEST

START_TEST(table)
{
    size_t count = 0;
    for (size_t i = 0; mistakes[i] != NULL; i++, count++) {
        const struct mistake *m = mistakes[i];
        ck_assert_ptr_eq(find_mistake(m->id), m); /* ids differ */
        ck_assert(strlen(m->summary) > 5 && strlen(m->message) > 20 && strlen(m->hint) > 20);
        ck_assert(m->wrong != NULL && m->right != NULL && strcmp(m->wrong, m->right) != 0);
    }
    ck_assert_uint_eq(count, 124);
}
END_TEST

/* Whether an op comes to a mistake that has a rule, in whichever way it has it. */
static bool is_reached(const struct op *op, const struct mistake *mistake)
{
    struct rule rules[] = {rule_first(op, mistake->step, mistake->input), rule_first(op, STEP_LOSS, 0),
                           rule_first_factor(op)};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        for (; rules[i].mistake != NULL; rule_next(&rules[i]))
            if (rules[i].mistake == mistake) return true;
    return false;
}

/* What ops list stands in the table, and no rule in the table is forgotten by the ops. */
START_TEST(rules)
{
    static const struct op *const *const tables[] = {ops, elementary_ops};
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; tables[t][i] != NULL; i++)
            for (const struct mistake *const *m = tables[t][i]->mistakes; m != NULL && *m != NULL; m++)
                ck_assert_msg(find_mistake((*m)->id) != NULL, "%s lists %s", tables[t][i]->name, (*m)->id);
    for (size_t m = 0; mistakes[m] != NULL; m++) {
        bool has_rule =
            mistakes[m]->alternative != NULL || mistakes[m]->direction != NULL || mistakes[m]->factor != NULL;
        bool reached = false;
        for (size_t t = 0; t < 2; t++)
            for (size_t i = 0; tables[t][i] != NULL; i++)
                reached = reached || is_reached(tables[t][i], mistakes[m]);
        ck_assert_msg(reached == has_rule, "%s", mistakes[m]->id);
    }
}
END_TEST

/* Whether a layer stands in a line of others, and does not join several. */
static bool takes_one(const struct op *op)
{
    return op->kind == OP_LAYER && (op->slots[1].symbol == NULL || op->slots[1].role != SLOT_INPUT);
}

/* The layer that alone makes a mistake, where linear layers do not; NULL for all others. */
static const struct op *layer_of(const struct mistake *mistake)
{
    for (size_t i = 0; ops[i] != NULL; i++)
        for (const struct mistake *const *m = ops[i]->mistakes; m != NULL && *m != NULL; m++)
            if (*m == mistake && takes_one(ops[i]) && strcmp(ops[i]->name, "linear") != 0) return ops[i];
    return NULL;
}

/* In every convention, at every layer and at the loss (or at the one layer that makes it): no word in braces is left,
 * and none has become nothing. */
START_TEST(words)
{
    enum { NAMES = 6, PLACES = 5, OWN = 1 };
    struct arena arena;
    arena_init(&arena, (size_t)1 << 24);
    static struct test_chain chain;
    struct error error = {0};
    enum convention convention = (enum convention)_i;
    const char *names[NAMES];
    struct check check = {.problem = {.network = &chain.network, .convention = convention, .names = names}};
    size_t layers[PLACES] = {0, OWN, 2, 3, LAYER_LOSS}, parameters[] = {0, 3};
    for (size_t i = 0; mistakes[i] != NULL; i++) {
        const struct op *own = layer_of(mistakes[i]);
        const struct link links[] = {
            {"linear", 3}, {own != NULL ? own->name : "relu", 0}, {"linear", 3}, {"sigmoid", 0}, {NULL, 0}};
        ck_assert_int_eq(chain_build(&arena, 3, 4, links, "mse", &chain, &error), CODE_OK);
        ck_assert_uint_le(chain.network.parameter_count, NAMES);
        for (size_t p = 0; p < chain.network.parameter_count; p++)
            names[p] = convention_name(convention, &chain.network, p, &arena);
        for (size_t at = own != NULL ? OWN : 0; at < (own != NULL ? OWN + 1 : PLACES); at++) {
            struct found found = {.mistake = mistakes[i],
                                  .layers = &layers[at],
                                  .layer_count = 1,
                                  .parameters = parameters,
                                  .parameter_count = 2,
                                  .has_factor = true,
                                  .factor = 0.5,
                                  .below = chain.network.layers[0]->output};
            const char *texts[] = {words_text(&arena, &check, &found, mistakes[i]->message),
                                   words_text(&arena, &check, &found, mistakes[i]->hint)};
            for (size_t t = 0; t < 2; t++) {
                ck_assert_ptr_nonnull(texts[t]);
                ck_assert_msg(strpbrk(texts[t], "{}") == NULL, "%s: %s", mistakes[i]->id, texts[t]);
                ck_assert_msg(strstr(texts[t], "  ") == NULL && strstr(texts[t], " .") == NULL && texts[t][0] != ' ',
                              "%s: %s", mistakes[i]->id, texts[t]);
            }
            /* a hint points the way without giving numbers of this submission */
            ck_assert_msg(strstr(texts[1], "0.5") == NULL, "%s: %s", mistakes[i]->id, texts[1]);
        }
    }
    arena_free(&arena);
}
END_TEST

START_TEST(formulas_speak_the_convention)
{
    static const char *const expected[] = {"h1.T @ dz2", "dz2.T @ h1", "dz2 @ h1.T", "dz2.T @ h1"};
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    static struct test_chain chain;
    struct error error = {0};
    const struct link links[] = {{"linear", 3}, {"relu", 0}, {"linear", 2}, {NULL, 0}};
    ck_assert_int_eq(chain_build(&arena, 3, 4, links, "mse", &chain, &error), CODE_OK);
    const char *names[4];
    for (size_t p = 0; p < 4; p++)
        names[p] = convention_name((enum convention)_i, &chain.network, p, &arena);
    struct check check = {.problem = {.network = &chain.network, .convention = (enum convention)_i, .names = names}};
    size_t layer = 2, parameter = 2;
    struct found found = {.mistake = &mistake_input_ignored,
                          .layers = &layer,
                          .layer_count = 1,
                          .parameters = &parameter,
                          .parameter_count = 1};
    const char *text = words_text(&arena, &check, &found, mistake_input_ignored.message);
    ck_assert_msg(strstr(text, expected[_i]) != NULL, "%s", text);
    arena_free(&arena);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("diagnose");
    TCase *tcase = tcase_create("diagnose");
    tcase_add_test(tcase, fits);
    tcase_add_test(tcase, small_beside_large);
    tcase_add_test(tcase, evidence_against);
    tcase_add_test(tcase, bound_turns_nothing_away);
    tcase_add_test(tcase, predictions_are_clipped);
    tcase_add_test(tcase, round_numbers);
    tcase_add_test(tcase, mistakes_are_counted_once);
    tcase_add_test(tcase, likelier);
    tcase_add_test(tcase, two_in_one);
    tcase_add_test(tcase, table);
    tcase_add_test(tcase, rules);
    tcase_add_loop_test(tcase, words, 0, 4);
    tcase_add_loop_test(tcase, formulas_speak_the_convention, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
