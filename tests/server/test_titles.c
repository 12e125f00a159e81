#include "tests/main.h"

#include <stdio.h>
#include <string.h>

#include "server/report/titles.h"
#include "server/text/text.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, (size_t)64 << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

START_TEST(test_cleaned)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"W1", "W1"},
        {"", ""},
        {"a b: \"c\" # SKIP <b>|\\", "a b: \"c\" # SKIP <b>|\\"},
        {"\n::error::x\r\t", "?::error::x??"},
        {"\x1B[31m\x7F\x01", "?[31m??"},
        {"\xC2\x9B"
         "31m",
         "?31m"},                                                   /* a control character of two bytes */
        {"\xED\xA0\x80", "???"},                                    /* a lone surrogate */
        {"\xEF\xBF\xBD\xEF\xBF\xBE\xEF\xBF\xBF", "\xEF\xBF\xBD??"}, /* U+FFFD is a character */
        {"\xFF\xC3", "??"},                                         /* no UTF-8, and a character that breaks off */
        {"\xE2\x80\xAE"
         "dcba",
         "?dcba"}, /* turns the line around */
        {"\xE2\x88\x82L/\xE2\x88\x82W\xF0\x9F\x98\x80", "\xE2\x88\x82L/\xE2\x88\x82W\xF0\x9F\x98\x80"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(titles_clean(&arena, cases[i].text), cases[i].clean);
    ck_assert_str_eq(titles_name(&arena, ""), "?");
    ck_assert_str_eq(titles_name(&arena, "a\nb"), "a?b");
}
END_TEST

/* Characters are counted, not bytes, and none is cut. */
START_TEST(test_cut)
{
    char name[4 * TITLE_MAX + 16] = "";
    for (int i = 0; i < TITLE_MAX; i++)
        strcat(name, "\xF0\x9F\x98\x80");
    ck_assert_str_eq(titles_name(&arena, name), name);
    strcat(name, "x");
    const char *cut = titles_name(&arena, name);
    ck_assert_uint_eq(strlen(cut), 4 * (TITLE_MAX - 3) + 3);
    ck_assert_int_eq(memcmp(cut, name, 4 * (TITLE_MAX - 3)), 0);
    ck_assert_str_eq(cut + strlen(cut) - 3, "...");

    memset(name, '\n', TITLE_MAX + 1);
    name[TITLE_MAX + 1] = '\0';
    cut = titles_name(&arena, name);
    ck_assert_uint_eq(strlen(cut), TITLE_MAX);
    ck_assert_str_eq(cut + TITLE_MAX - 4, "?...");

    size_t length = (size_t)8 << 20;
    char *long_one = arena_alloc(&arena, length + 1);
    memset(long_one, '\x01', length);
    long_one[length] = '\0';
    for (int i = 0; i < 1000; i++) /* takes no memory that grows with the name */
        ck_assert_ptr_nonnull(cut = titles_name(&arena, long_one));
    ck_assert_uint_eq(strlen(cut), TITLE_MAX);
}
END_TEST

START_TEST(test_unique)
{
    const char *titles[] = {"a", "b", "a", "a (2)", "a", "b", "c", "a (2)", "a (3)"};
    static const char *const expected[] = {"a", "b", "a (4)", "a (2)", "a (5)", "b (2)", "c", "a (2) (2)", "a (3)"};
    enum { COUNT = sizeof titles / sizeof *titles };
    ck_assert(titles_make_unique(&arena, titles, COUNT));
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_str_eq(titles[i], expected[i]);
    ck_assert(titles_make_unique(&arena, NULL, 0));
}
END_TEST

/* Many that are the same, and all the names that they would get. */
START_TEST(test_many)
{
    enum { COUNT = 20000 };
    static const char *titles[COUNT];
    static char numbered[COUNT][16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(numbered[i], sizeof numbered[i], "a (%d)", i);
        titles[i] = i % 2 == 0 ? "a" : numbered[i / 2];
    }
    ck_assert(titles_make_unique(&arena, titles, COUNT));
    ck_assert_str_eq(titles[0], "a");
    ck_assert_str_eq(titles[2], "a (10000)");
    ck_assert_str_eq(titles[1], "a (0)");
    ck_assert_str_eq(titles[COUNT - 1], numbered[COUNT / 2 - 1]);
}
END_TEST

START_TEST(test_no_memory)
{
    size_t refused = 0;
    for (size_t n = 1;; n++) {
        const char *titles[] = {"a", "a", "a"};
        arena_reset(&arena);
        arena.fail_in = n;
        if (titles_name(&arena, "a\n") == NULL || !titles_make_unique(&arena, titles, 3)) refused++;
        if (arena.fail_in > 0) break;
    }
    ck_assert_uint_eq(refused, 4); /* a clean name, the sorted list, two titles */
    arena.fail_in = 0;
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("titles");
    TCase *tests = tcase_create("titles");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_cleaned);
    tcase_add_test(tests, test_cut);
    tcase_add_test(tests, test_unique);
    tcase_add_test(tests, test_many);
    tcase_add_test(tests, test_no_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
