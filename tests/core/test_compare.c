/* The verdict on single numbers. */
#include "tests/main.h"

#include <float.h>
#include <math.h>

#include "core/check/compare.h"

static const struct tolerance usual = {.atol = 1e-6, .rtol = 0};

static struct comparison compare(size_t n, const double *student, const double *reference, struct tolerance tolerance)
{
    const struct tolerance_rule rule = {.kind = TOLERANCE_PLAIN, .plain = tolerance};
    return compare_elements(n, student, reference, &rule, tolerance, NULL);
}

static struct comparison one(double student, double reference, struct tolerance tolerance)
{
    return compare(1, &student, &reference, tolerance);
}

START_TEST(the_tolerance_is_inclusive)
{
    ck_assert_uint_eq(one(0.5, 0, (struct tolerance){0.5, 0}).mismatches, 0);
    ck_assert_uint_eq(one(nextafter(0.5, 1), 0, (struct tolerance){0.5, 0}).mismatches, 1);
    ck_assert_uint_eq(one(12, 8, (struct tolerance){0, 0.5}).mismatches, 0); /* rtol is of the reference */
    ck_assert_uint_eq(one(8, 12, (struct tolerance){0, 0.25}).mismatches, 1);
    ck_assert_uint_eq(one(1, 1, (struct tolerance){0, 0}).mismatches, 0);
    ck_assert_uint_eq(one(-0.0, 0, (struct tolerance){0, 0}).mismatches, 0);
}
END_TEST

START_TEST(nothing_that_is_no_number_passes)
{
    const double bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    const struct tolerance loose = {DBL_MAX, DBL_MAX};
    for (size_t i = 0; i < 4; i++) {
        struct comparison c = one(bad[i], 0, usual);
        ck_assert(c.mismatches == 1 && c.not_finite == 1 && c.compared == 0);
        ck_assert_uint_eq(one(bad[i], 1, loose).mismatches, 1);
    }
    /* a difference that overflows is none that any tolerance covers */
    struct comparison c = one(1.7e308, -1.7e308, loose);
    ck_assert_uint_eq(c.mismatches, 1);
    ck_assert_double_eq(c.max_abs_diff, DBL_MAX);
    ck_assert_double_eq(c.max_rel_diff, 1);
}
END_TEST

START_TEST(finds_a_planted_difference_at_its_index)
{
    enum { N = 101 };
    double student[N], reference[N];
    for (size_t i = 0; i < N; i++)
        student[i] = reference[i] = sin((double)i);
    for (size_t i = 0; i < N; i++) {
        student[i] += 1e-3;
        struct comparison c = compare(N, student, reference, usual);
        ck_assert(c.mismatches == 1 && c.worst == i && c.compared == N);
        ck_assert_double_eq_tol(c.max_abs_diff, 1e-3, 1e-15);
        student[i] = NAN;
        c = compare(N, student, reference, usual);
        ck_assert(c.mismatches == 1 && c.first_not_finite == i && c.compared == N - 1 && c.max_abs_diff == 0);
        student[i] = reference[i];
    }
    ck_assert_uint_eq(compare(N, student, reference, (struct tolerance){0, 0}).mismatches, 0);
}
END_TEST

START_TEST(the_relative_difference_is_that_of_cs231n)
{
    ck_assert_double_eq_tol(one(1, 3, usual).max_rel_diff, 0.5, 1e-16);
    ck_assert_double_eq_tol(one(1e-9, 0, usual).max_rel_diff, 0.1, 1e-16);
    ck_assert_double_eq(one(0, 0, usual).max_rel_diff, 0);
    ck_assert_double_eq(one(-5, 5, usual).max_rel_diff, 1);
}
END_TEST

START_TEST(of_equal_differences_the_first_is_the_worst)
{
    double student[] = {0, 1, 1}, reference[] = {0, 0, 0};
    struct comparison c = compare(3, student, reference, usual);
    ck_assert(c.worst == 1 && c.mismatches == 2);
    ck_assert_uint_eq(compare(0, student, reference, usual).compared, 0);
}
END_TEST

/* Mismatches by a rule with one number. */
static size_t by(enum tolerance_kind kind, double limit, size_t n, const double *student, const double *reference)
{
    const struct tolerance_rule rule = {.kind = kind, .limit = limit};
    struct tolerance tolerance = tolerance_of(&rule, n, reference, 1);
    return compare_elements(n, student, reference, &rule, tolerance, NULL).mismatches;
}

START_TEST(rules_with_one_number)
{
    const double r[] = {3, 4}, off[] = {3, 4.001}, nan[] = {3, NAN}, tiny[] = {3e-200, 4e-200},
                 tiny_off[] = {3e-200, 5e-200};
    double norm = 0.001 / (5 + sqrt(9 + 4.001 * 4.001)), error = 0.001 / 8.001;
    ck_assert_uint_eq(by(TOLERANCE_RELATIVE_NORM, norm * 1.0001, 2, off, r), 0);
    ck_assert_uint_ge(by(TOLERANCE_RELATIVE_NORM, norm * 0.9999, 2, off, r), 1);
    ck_assert_uint_eq(by(TOLERANCE_RELATIVE_NORM, 0, 2, r, r), 0);
    ck_assert_uint_eq(by(TOLERANCE_RELATIVE_NORM, 1e9, 2, nan, r), 1);
    ck_assert_uint_ge(by(TOLERANCE_RELATIVE_NORM, 0.05, 2, tiny_off, tiny), 1); /* no square vanishes */
    ck_assert_uint_eq(by(TOLERANCE_RELATIVE_ERROR, error * 1.0001, 2, off, r), 0);
    ck_assert_uint_eq(by(TOLERANCE_RELATIVE_ERROR, error * 0.9999, 2, off, r), 1);
    ck_assert_uint_eq(by(TOLERANCE_RELATIVE_ERROR, 1e9, 2, nan, r), 1);
    const double exact[] = {0.12345, -2.00005}, printed[] = {0.1235, -2}, further[] = {0.1236, -2};
    ck_assert_uint_eq(by(TOLERANCE_DECIMALS, 4, 2, printed, exact), 0);
    ck_assert_uint_eq(by(TOLERANCE_DECIMALS, 4, 2, further, exact), 1);
    ck_assert_uint_eq(by(TOLERANCE_DECIMALS, 400, 2, exact, exact), 0);
}
END_TEST

/* Which elements are outside, by the rules that look at one at a time. */
START_TEST(marks_what_is_outside)
{
    const double student[] = {1, 1.5, NAN, INFINITY, 1.001}, reference[] = {1, 1, 1, 1, 1};
    const struct tolerance_rule plain = {.kind = TOLERANCE_PLAIN, .plain = {.atol = 0.01}},
                                decimals = {.kind = TOLERANCE_DECIMALS, .limit = 4};
    bool wrong[5];
    compare_mark(5, student, reference, &plain, plain.plain, wrong);
    ck_assert(!wrong[0] && wrong[1] && wrong[2] && wrong[3] && !wrong[4]);
    compare_mark(5, student, reference, &decimals, tolerance_of(&decimals, 5, reference, 1), wrong);
    ck_assert(!wrong[0] && wrong[1] && wrong[2] && wrong[3] && wrong[4]);
}
END_TEST

START_TEST(what_auto_comes_to)
{
    const struct tolerance_rule rule = {.kind = TOLERANCE_AUTO};
    const double ordinary[] = {0.5, 0}, small[] = {5e-4, 0}, none[] = {0, 0};
    ck_assert_double_eq(tolerance_of(&rule, 2, ordinary, 1).atol, 1e-6);
    ck_assert_double_eq_tol(tolerance_of(&rule, 2, small, 1e3).atol, 5e-7 + 1e-9, 1e-18);
    ck_assert_double_eq_tol(tolerance_of(&rule, 2, none, 2).atol, 2e-12, 1e-24);
    ck_assert_double_le(tolerance_of(&rule, 2, small, 1e12).atol, 1e-6); /* never more than where it is large */
    const double allowed[] = {0, 1};
    struct comparison c = compare_elements(2, (double[]){0.5, 1}, ordinary, &rule, (struct tolerance){0, 0}, allowed);
    ck_assert_uint_eq(c.mismatches, 0);
    ck_assert(!tolerance_is_weak(&rule, 2, none));
    const struct tolerance_rule plain = {.kind = TOLERANCE_PLAIN, .plain = {.atol = 1e-3}};
    ck_assert(tolerance_is_weak(&plain, 2, small) && !tolerance_is_weak(&plain, 2, ordinary));
}
END_TEST

static bool weak(enum tolerance_kind kind, double limit, double r)
{
    const struct tolerance_rule rule = {.kind = kind, .limit = limit};
    const double reference[] = {0, -r};
    return tolerance_is_weak(&rule, 2, reference);
}

/* Whether zeros would pass, by the rules with one number. */
START_TEST(weak_rules)
{
    ck_assert(weak(TOLERANCE_RELATIVE_NORM, 1, 3) && !weak(TOLERANCE_RELATIVE_NORM, 0.99, 3));
    ck_assert(weak(TOLERANCE_RELATIVE_ERROR, 1, 3) && !weak(TOLERANCE_RELATIVE_ERROR, 0.99, 3));
    ck_assert(weak(TOLERANCE_RELATIVE_ERROR, 0.01, 1e-10) && !weak(TOLERANCE_RELATIVE_ERROR, 0.01, 1.1e-10));
    ck_assert(weak(TOLERANCE_DECIMALS, 2, 0.005) && !weak(TOLERANCE_DECIMALS, 2, 0.0051));
    ck_assert(weak(TOLERANCE_DECIMALS, 0, 0.5) && !weak(TOLERANCE_DECIMALS, 400, 1e-300));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("compare");
    TCase *tcase = tcase_create("compare");
    tcase_add_test(tcase, the_tolerance_is_inclusive);
    tcase_add_test(tcase, nothing_that_is_no_number_passes);
    tcase_add_test(tcase, finds_a_planted_difference_at_its_index);
    tcase_add_test(tcase, the_relative_difference_is_that_of_cs231n);
    tcase_add_test(tcase, of_equal_differences_the_first_is_the_worst);
    tcase_add_test(tcase, rules_with_one_number);
    tcase_add_test(tcase, marks_what_is_outside);
    tcase_add_test(tcase, what_auto_comes_to);
    tcase_add_test(tcase, weak_rules);
    suite_add_tcase(suite, tcase);
    return suite;
}
