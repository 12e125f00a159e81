#include "tests/main.h"

#include <string.h>

#include "server/http/media_type.h"
#include "server/http/exchange.h"
#include "server/http/problem.h"

START_TEST(test_accept)
{
    static const struct {
        const char *accept;
        bool text;
    } cases[] = {
        {"", false},
        {"*/*", false},
        {"text/plain", true},
        {"Text/Plain", true},
        {"text/plain; charset=utf-8", true},
        {"text/*", true},
        {"application/json", false},
        {"text/html", false},
        {"text/plainer", false},
        {"text/plain, application/json", false},
        {"application/json, text/plain", false},
        {"text/plain, */*", false},
        {"text/plain, */*;q=0.8", true},
        {"text/plain, application/json;q=0.9", true},
        {"text/plain;q=0.9, application/json", false},
        {"text/plain;q=0.5, application/json;q=0.499", true},
        {"text/plain ; q=0.5 , application/json ; q=0.51", false},
        {"text/plain;q=0.5,application/*;q=0.4", true},
        {"text/plain;q=0", false},
        {"text/plain;q=0.000", false},
        {"text/plain;q=0, application/json;q=0", false},
        {"*/*, application/json;q=0", true},
        {"text/*;q=1, text/plain;q=0", false},
        {"text/plain;format=flowed;Q=0.2, application/json;q=0.1", true},
        {"text/plain;q=1.000, application/json;q=0.", true},
        {"text/plain;q=, application/json;q=1", false},
        {";q=1,,text/plain;", true},
        {"text/plain;q", true},
        {",", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(media_type_prefers(cases[i].accept, "text/plain", "application/json") == cases[i].text, "%s",
                      cases[i].accept);
}
END_TEST

/* A fault of the query is told by the same name as one of the body, but without a pointer into the body. */
START_TEST(test_no_pointer_into_a_query)
{
    struct exchange exchange = {0};
    arena_init(&exchange.arena, (size_t)1 << 20);
    for (int in_query = 0; in_query < 2; in_query++) {
        struct error error = {0};
        error_set(&error, in_query != 0 ? CODE_QUERY_OUT_OF_RANGE : CODE_OUT_OF_RANGE, "no");
        problem_answer(&exchange, &error);
        ck_assert_int_eq(exchange.status, 400);
        const struct text *answer = &exchange.answer;
        ck_assert_ptr_nonnull(memmem(answer->data, answer->length, "\"out_of_range\"", 14));
        ck_assert((memmem(answer->data, answer->length, "\"pointer\"", 9) == NULL) == (in_query != 0));
    }
    arena_free(&exchange.arena);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("check_asked");
    TCase *tests = tcase_create("check_asked");
    tcase_add_test(tests, test_accept);
    tcase_add_test(tests, test_no_pointer_into_a_query);
    suite_add_tcase(suite, tests);
    return suite;
}
