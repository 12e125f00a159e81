/* Whose turn it is among clients that ask for more than there is. */
#include "tests/main.h"

#include <string.h>

#include "server/http/turns.h"

static struct turns turns;

static void setup(void)
{
    memset(&turns, 0, sizeof turns);
}

START_TEST(a_polite_client_comes_next)
{
    double last = 0;
    for (int i = 0; i < 250; i++) {
        double begin = turns_begin(&turns, 1, 10, true);
        ck_assert_double_eq(begin, 10 * i);
        last = begin;
    }
    turns_take(&turns, 0);
    turns_take(&turns, 10);
    double polite = turns_begin(&turns, 2, 10, true);
    ck_assert_double_eq(polite, 10);
    ck_assert_double_lt(polite, last);
    ck_assert_double_eq(turns_begin(&turns, 2, 10, true), 20); /* and then takes turns */
}
END_TEST

START_TEST(work_counts_not_requests)
{
    for (int i = 0; i < 4; i++)
        turns_begin(&turns, 1, 100, true);
    for (int i = 0; i < 30; i++)
        turns_begin(&turns, 2, 10, true);
    ck_assert_double_eq(turns_begin(&turns, 1, 1, true), 400);
    ck_assert_double_eq(turns_begin(&turns, 2, 1, true), 300);
}
END_TEST

START_TEST(nobody_saves_turns_up)
{
    turns_begin(&turns, 1, 5, true);
    turns_take(&turns, 1000);
    ck_assert_double_eq(turns_begin(&turns, 1, 5, true), 1000);
    turns_take(&turns, 500); /* the clock does not go back */
    ck_assert_double_eq(turns_begin(&turns, 2, 5, true), 1000);
}
END_TEST

START_TEST(of_too_many_those_are_forgotten_that_end_first)
{
    for (uint64_t client = 1; client <= TURNS_CLIENTS; client++)
        turns_begin(&turns, client, (double)client, true);
    ck_assert_double_eq(turns_begin(&turns, TURNS_CLIENTS + 1, 1000, true), 0);
    ck_assert_double_eq(turns_begin(&turns, TURNS_CLIENTS, 1, true), TURNS_CLIENTS);
    ck_assert_double_eq(turns_begin(&turns, 1, 1, true), 0);
}
END_TEST

/* What a large body or a long search takes is known only then; and nobody pays for what was not done. */
START_TEST(what_was_done_is_charged)
{
    turns_begin(&turns, 1, 10, true);
    turns_charge(&turns, 1, 90);
    ck_assert_double_eq(turns_begin(&turns, 1, 10, true), 100);
    turns_charge(&turns, 1, -10);
    ck_assert_double_eq(turns_begin(&turns, 1, 10, true), 100);
    turns_take(&turns, 1000);
    turns_charge(&turns, 1, 5);
    ck_assert_double_eq(turns_begin(&turns, 1, 1, true), 1005);
    turns_charge(&turns, 2, 7);
    ck_assert_double_eq(turns_begin(&turns, 2, 1, true), 1007);
}
END_TEST

START_TEST(a_debt_has_an_end)
{
    turns_begin(&turns, 1, 100 * TURNS_DEBT_MAX, false);
    ck_assert_double_eq(turns_begin(&turns, 1, 1, false), TURNS_DEBT_MAX);
    turns_begin(&turns, 2, 100 * TURNS_DEBT_MAX, false);
    ck_assert_double_eq(turns_begin(&turns, 2, 1, true), 100 * TURNS_DEBT_MAX); /* that one is still to be done */
}
END_TEST

START_TEST(clients_are_told_apart)
{
    ck_assert_uint_ne(turns_client("\x7f\0\0\1", 4), turns_client("\x7f\0\0\2", 4));
    ck_assert_uint_eq(turns_client("ab", 2), turns_client("ab", 2));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("turns");
    TCase *tests = tcase_create("turns");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_polite_client_comes_next);
    tcase_add_test(tests, work_counts_not_requests);
    tcase_add_test(tests, nobody_saves_turns_up);
    tcase_add_test(tests, of_too_many_those_are_forgotten_that_end_first);
    tcase_add_test(tests, what_was_done_is_charged);
    tcase_add_test(tests, a_debt_has_an_end);
    tcase_add_test(tests, clients_are_told_apart);
    suite_add_tcase(suite, tests);
    return suite;
}
