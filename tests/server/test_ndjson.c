/* Lines of a body, and the members of the object that a line is. */
#include "tests/main.h"

#include <stdio.h>
#include <string.h>

#include "server/body/ndjson.h"

START_TEST(lines)
{
    static const char body[] = "one\n\n  \t\r\n {\"a\": 1} \r\nlast";
    static const struct {
        const char *text;
        size_t number;
    } expected[] = {{"one", 1}, {"{\"a\": 1}", 4}, {"last", 5}};
    const char *at = body, *end = body + sizeof body - 1;
    struct ndjson_line line;
    size_t number = 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        ck_assert(ndjson_next(&at, end, &number, &line));
        ck_assert_uint_eq(line.length, strlen(expected[i].text));
        ck_assert_int_eq(memcmp(line.text, expected[i].text, line.length), 0);
        ck_assert_uint_eq(line.number, expected[i].number);
    }
    ck_assert(!ndjson_next(&at, end, &number, &line));
    at = body;
    ck_assert(!ndjson_next(&at, body, &number, &line));
}
END_TEST

START_TEST(members)
{
    static const char text[] =
        "{\"id\" : \"a\\\"}\" ,\"gradients\":{\"W\":[[1,2],{\"}\":\"]\"}]} , \"n\":-1.5e3,\"t\":true}";
    static const char *const values[][2] = {
        {"id", "\"a\\\"}\""}, {"gradients", "{\"W\":[[1,2],{\"}\":\"]\"}]}"}, {"n", "-1.5e3"}, {"t", "true"}};
    struct ndjson_member found[NDJSON_MEMBERS_MAX];
    size_t count;
    ck_assert(ndjson_members(text, sizeof text - 1, found, &count));
    ck_assert_uint_eq(count, 4);
    for (size_t i = 0; i < count; i++) {
        const struct ndjson_member *member = ndjson_find(found, count, values[i][0]);
        ck_assert_ptr_eq(member, &found[i]);
        ck_assert_uint_eq(member->value_length, strlen(values[i][1]));
        ck_assert_int_eq(memcmp(member->value, values[i][1], member->value_length), 0);
    }
    ck_assert_ptr_eq(ndjson_find(found, count, "i"), NULL);
    ck_assert_ptr_eq(ndjson_find(found, count, "idd"), NULL);
}
END_TEST

/* Each of them cut off anywhere, which must not be read beyond. */
START_TEST(no_objects)
{
    static const char *const texts[] = {"",           "[1]",         "{",          "{\"a\"",      "{\"a\":",
                                        "{\"a\":}",   "{\"a\":1",    "{\"a\":1,}", "{a:1}",       "{\"\\u0061\":1}",
                                        "{\"a\":[1}", "{\"a\":\"x}", "{\"a\":1}}", "{\"a\":1} x", "{\"a\":\"\\"};
    struct ndjson_member found[NDJSON_MEMBERS_MAX];
    char copy[64];
    size_t count;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_msg(!ndjson_members(texts[i], strlen(texts[i]), found, &count), "%s", texts[i]);
        ck_assert_uint_le(count, 1);
    }
    ck_assert(ndjson_members("{}", 2, found, &count));
    ck_assert_uint_eq(count, 0);
    /* What stood before the fault is told. */
    ck_assert(!ndjson_members("{\"id\":7,\"b\":[", 13, found, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(found[0].value[0], '7');
    memset(copy, '[', sizeof copy);
    memcpy(copy, "{\"a\":", 5);
    ck_assert(!ndjson_members(copy, sizeof copy, found, &count));
}
END_TEST

START_TEST(too_many)
{
    char text[16 * (NDJSON_MEMBERS_MAX + 1)];
    struct ndjson_member found[NDJSON_MEMBERS_MAX];
    size_t count, length = 0;
    for (int n = 0; n <= NDJSON_MEMBERS_MAX; n++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%c\"m%d\":%d", n == 0 ? '{' : ',', n, n);
        text[length] = '}';
        ck_assert_int_eq(ndjson_members(text, length + 1, found, &count), n < NDJSON_MEMBERS_MAX);
    }
    ck_assert_uint_eq(count, NDJSON_MEMBERS_MAX);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ndjson");
    TCase *tests = tcase_create("ndjson");
    tcase_add_test(tests, lines);
    tcase_add_test(tests, members);
    tcase_add_test(tests, no_objects);
    tcase_add_test(tests, too_many);
    suite_add_tcase(suite, tests);
    return suite;
}
