#include "tests/main.h"

#include <string.h>

#include "server/report/formats.h"
#include "server/task/check_task.h"
#include "server/limits.h"
#include "server/options.h"

/* Whatever piece of memory is refused, a check says so or comes out as it would have: a report that lost something on
 * the way would grade a student wrong. */

static const struct options options = {.max_body = LIMIT_BODY, .max_work = LIMIT_WORK};

#define NETWORK                                                                                                        \
    "\"network\":{\"input\":2,\"layers\":[{\"type\":\"linear\",\"out_features\":3,\"name\":\"first\"},"                \
    "{\"type\":\"tanh\"},{\"type\":\"linear\",\"out_features\":2}],\"loss\":\"mse\"}"
#define DATA "\"data\":{\"x\":[[1,2],[3,4],[5,6]],\"y\":[[1,0],[0,1],[1,1]]}"
#define INIT "\"parameters\":{\"init\":{\"scheme\":\"he_normal\",\"seed\":1}}"

static const char *const bodies[] = {
    "{" NETWORK "," DATA "," INIT ",\"gradients\":{\"W1\":[[1,2,3],[4,5,6]],\"b1\":null,\"dW2\":[[1,2],[3,4],[5]],"
    "\"db2\":5,\"W9\":[1],\"text\":\"a\",\"deep\":[[\"b\",{\"c\":1e999}]]},"
    "\"intermediates\":{\"z1\":[[1,2,3],[4,5,6],[7,8,9]],\"dh1\":3,\"none\":[1],\"y_hat\":[[1,2],[3,4],[5,6]]},"
    "\"points\":{\"W1\":2,\"b2\":0.5},\"tolerance\":{\"atol\":1},\"reveal\":true,\"verify_reference\":true}",
    "{\"convention\":\"columns\"," NETWORK ",\"data\":{\"x\":[[1,3,5],[2,4,6]],\"y\":[[1,0,1],[0,1,1]]},"
    "\"parameters\":{\"W1\":[[1,2],[3,4],[5,6]],\"b1\":[1,2,3],\"W2\":[[1,2,3],[4,5,6]],\"b2\":[[1],[2]]},"
    "\"gradients\":{\"dL_dW1\":[[0,0],[0,0],[0,0]],\"db1\":[[NaN],[1],[2]],\"W2\":[[1,2,3],[4,5,6]]},\"reveal\":true,"
    "\"intermediates\":{\"h1\":[[1,2,3],[4,5,6],[7,8,9]]}}",
    "{\"convention\":\"pytorch\"," NETWORK "," DATA "," INIT ",\"gradients\":[1,2],\"dtype\":\"float32\"}",
    /* A graph, and gradients of data. */
    "{\"network\":{\"input\":2,\"layers\":[{\"type\":\"linear\",\"out_features\":2,\"name\":\"a\"},"
    "{\"type\":\"linear\",\"shares\":\"a\",\"inputs\":[\"h0\"],\"transposed\":true,\"name\":\"b\"},"
    "{\"type\":\"add\",\"inputs\":[\"a\",\"b\",\"x\"],\"name\":\"c\"},{\"type\":\"layer_norm\"},"
    "{\"type\":\"concat\",\"inputs\":[\"c\",\"a\"]}],\"loss\":\"upstream\"},"
    "\"data\":{\"x\":[[1,2],[3,4]],\"h0\":[[5,6],[7,8]],\"upstream\":[[1,2,3,4],[5,6,7,8]]}," INIT
    ",\"gradients\":{\"W1\":[[1,2],[3,4]],\"dx\":[[1,2],[3,4]]},\"points\":{\"h0\":3},\"reveal\":true}",
    /* Strings that end, and have escapes, where jansson's memory for them does. */
    "{" NETWORK "," DATA "," INIT ",\"gradients\":{\"aaaaaaaaaaaaa\":1,\"aaaaaaaaaaaaaa\":1,\"aaaaaaaaaaaaaaa\":1,"
    "\"aaaaaaaaaaa\\\"\":1,\"aaaaaaaaaaaa\\\"\":1,\"aaaaaaaaaaaaa\\\"\":1,\"aaaaaaaaaaaaaa\\u00e9bbbbbbbbb\\u00e9\":1}"
    "}",
};
enum { BODIES = sizeof bodies / sizeof *bodies, NO_HURRY = 60 /* seconds: the search never stops for time */ };

/* Of what a format takes. */
static const char *const asked[FORMAT_OPTIONS] = {
    [FORMAT_HINTS] = "hidden", [FORMAT_SUITE] = "of\ntests", [FORMAT_FILE] = "\xFF.py"};

/* From the body to the report with its diagnosis, in `text`; the code that it ended with. */
static int report_on(struct arena *arena, const char *body, const struct format *format, struct text *text)
{
    struct check_task request = {0};
    struct report report;
    struct error error = {0};
    int code = document_read(arena, body, strlen(body), NULL, &request.document, &error);
    if (code == CODE_OK) code = check_task_measure(arena, &options, &request, &error);
    if (code == CODE_OK) code = check_task_read(arena, &request, &error);
    request.check.mark = format->marks;
    if (code == CODE_OK) code = check_run(arena, &request.check, &report, &error);
    struct diagnosis diagnosis;
    bool diagnosed = code == CODE_OK && request.diagnose && !report.passed;
    if (diagnosed) code = diagnose_run(arena, &request.check, &report, NO_HURRY, &diagnosis, &error);
    ck_assert_int_eq(code, error.code);
    text_init(text, arena);
    if (code != CODE_OK) {
        ck_assert_msg(code == CODE_OUT_OF_MEMORY, "code %d: %s", code, error.detail);
        return code;
    }
    formats_write(format, asked, text, &request.check, &report, diagnosed ? &diagnosis : NULL);
    return text->failed ? CODE_OUT_OF_MEMORY : CODE_OK;
}

/* The first body with W9 under a name of `length` bytes, an odd number: 'n' and characters of two bytes. */
static char *with_long_name(struct arena *arena, const char *body, size_t length)
{
    const char *at = strstr(body, "\"W9\"");
    char *longer = arena_alloc(arena, strlen(body) + length + 1), *to = longer;
    memcpy(to, body, (size_t)(at - body) + 1);
    to += at - body + 1;
    *to++ = 'n';
    for (size_t i = 1; i + 1 < length; i += 2, to += 2)
        memcpy(to, "\xC3\xA9", 2);
    strcpy(to, at + 3);
    return longer;
}

static void refuse_each(const char *body, const struct format *format)
{
    struct arena whole, arena;
    arena_init(&whole, 64 * LIMIT_MIB);
    arena_init(&arena, 64 * LIMIT_MIB);
    struct text expected, got;
    ck_assert_int_eq(report_on(&whole, body, format, &expected), CODE_OK);
    size_t refused = 0;
    for (size_t n = 1;; n++) {
        arena_reset(&arena);
        arena.fail_in = n;
        int code = report_on(&arena, body, format, &got);
        if (code == CODE_OUT_OF_MEMORY) {
            refused++;
        } else {
            ck_assert_msg(got.length == expected.length && memcmp(got.data, expected.data, got.length) == 0,
                          "piece %zu: another report as %s", n, format->name);
        }
        if (arena.fail_in > 0) break; /* there are fewer pieces than that */
        ck_assert_msg(n < 100000, "no end");
    }
    ck_assert_uint_gt(refused, 30);
    arena_free(&arena);
    arena_free(&whole);
}

START_TEST(test_each_piece_refused)
{
    document_setup();
    struct arena own;
    arena_init(&own, LIMIT_MIB);
    for (const struct format *f = formats; f->name != NULL; f++)
        refuse_each(with_long_name(&own, bodies[0], 301), f);
    for (size_t i = 0; i < BODIES; i++) {
        refuse_each(bodies[i], formats_find("json"));
        refuse_each(bodies[i], formats_find("text"));
    }
    arena_free(&own);
}
END_TEST

static bool holds(const struct text *text, const char *words)
{
    return memmem(text->data, text->length, words, strlen(words)) != NULL;
}

/* A name that nobody asked for is shown in part, cut between two characters. */
START_TEST(test_long_name)
{
    document_setup();
    struct arena arena;
    arena_init(&arena, 64 * LIMIT_MIB);
    struct text shortened;
    for (const struct format *f = formats; f->name != NULL; f++) {
        arena_reset(&arena);
        char *body = with_long_name(&arena, bodies[0], 1000001);
        ck_assert_int_eq(report_on(&arena, body, f, &shortened), CODE_OK);
        ck_assert_uint_lt(shortened.length, 10000);
        /* 'n' and 99 characters of two bytes are 199, and a half of one does not go along. */
        if (f->write != NULL) ck_assert(holds(&shortened, "\xC3\xA9..."));
        body = with_long_name(&arena, bodies[0], LIMIT_NAME - 1);
        ck_assert_int_eq(report_on(&arena, body, f, &shortened), CODE_OK);
        if (f->write != NULL) ck_assert(!holds(&shortened, "..."));
    }
    arena_free(&arena);
}
END_TEST

START_TEST(test_gradients_that_are_none)
{
    document_setup();
    struct arena arena;
    arena_init(&arena, 64 * LIMIT_MIB);
    struct text text;
    ck_assert_int_eq(report_on(&arena, bodies[2], formats, &text), CODE_OK);
    ck_assert(holds(&text, "not submitted: gradients is not an object"));
    ck_assert_int_eq(report_on(&arena, bodies[1], formats, &text), CODE_OK);
    ck_assert(holds(&text, "\"not submitted\""));
    arena_free(&arena);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("check_memory");
    TCase *tests = tcase_create("check_memory");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, test_each_piece_refused);
    tcase_add_test(tests, test_long_name);
    tcase_add_test(tests, test_gradients_that_are_none);
    suite_add_tcase(suite, tests);
    return suite;
}
