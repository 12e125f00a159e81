#include "tests/main.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/text/pointer.h"
#include "server/text/text.h"

static struct arena arena;
static struct text text;
static struct json json;

static void setup(void)
{
    arena_init(&arena, (size_t)256 << 20);
    text_init(&text, &arena);
    json_init(&json, &text);
}

static void teardown(void)
{
    arena_free(&arena);
}

static void expect_text(const char *expected)
{
    ck_assert(!text.failed);
    ck_assert_msg(text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0, "%.*s\nnot %s",
                  (int)text.length, text.data, expected);
}

START_TEST(test_growing)
{
    size_t expected = 0;
    for (int i = 0; i < 3000; i++) {
        char letter = (char)('a' + i % 26);
        text_bytes(&text, &letter, 1);
        text_format(&text, "%0*d", i % 300 + 1, 7); /* shorter and longer than any first guess */
        expected += 1 + (size_t)(i % 300) + 1;
    }
    ck_assert(!text.failed);
    ck_assert_uint_eq(text.length, expected);
    size_t at = 0;
    for (int i = 0; i < 3000; i++) {
        if (text.data[at] != 'a' + i % 26 || text.data[at + 1 + (size_t)(i % 300)] != '7') ck_abort_msg("%d", i);
        at += 2 + (size_t)(i % 300);
    }
}
END_TEST

START_TEST(test_no_memory)
{
    struct arena small;
    arena_init(&small, (size_t)70 << 10);
    text_init(&text, &small);
    static char block[40000];
    text_bytes(&text, block, sizeof block);
    ck_assert(!text.failed);
    text_bytes(&text, block, sizeof block);
    ck_assert(text.failed);
    text_add(&text, "x");
    text_format(&text, "%d", 5);
    static double data[5000];
    json_tensor(&json, 2, (size_t[]){50, 100}, data);
    json_tensor(&json, 2, (size_t[]){(size_t)1 << 60, 0}, data); /* comes to an end */
    ck_assert(text.failed);
    ck_assert_uint_eq(text.length, sizeof block);
    arena_free(&small);
}
END_TEST

START_TEST(test_structure)
{
    json_open(&json, '{');
    json_key(&json, "a");
    json_number(&json, 1.5);
    json_key(&json, "b");
    json_open(&json, '[');
    json_close(&json, ']');
    json_key(&json, "c");
    json_open(&json, '[');
    json_text(&json, "x");
    json_nothing(&json);
    json_bool(&json, true);
    json_bool(&json, false);
    json_size(&json, 18446744073709551615u);
    json_open(&json, '{');
    json_close(&json, '}');
    json_open(&json, '{');
    json_key(&json, "\"k\"");
    json_number(&json, -0.0);
    json_close(&json, '}');
    json_close(&json, ']');
    json_close(&json, '}');
    expect_text("{\"a\":1.5,\"b\":[],\"c\":[\"x\",null,true,false,18446744073709551615,{},{\"\\\"k\\\"\":-0.0}]}");
}
END_TEST

START_TEST(test_numbers)
{
    static const double values[] = {0, 3, 0.1, 1e-7, 1e300, -2.5, NAN, INFINITY, -INFINITY};
    json_tensor(&json, 1, (size_t[]){9}, values);
    expect_text("[0,3,0.1,1e-07,1e+300,-2.5,null,null,null]");
}
END_TEST

START_TEST(test_strings)
{
    static const struct {
        const char *bytes, *expected;
    } cases[] = {
        {"", "\"\""},
        {"a/b", "\"a/b\""},
        {"\"\\\b\f\n\r\t\v\x01\x1F\x7F", "\"\\\"\\\\\\b\\f\\n\\r\\t\\u000b\\u0001\\u001f\x7F\""},
        {"é日😀", "\"é日😀\""},
        {"\xFFx\xC3", "\"\xEF\xBF\xBDx\xEF\xBF\xBD\""},
        {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text_init(&text, &arena);
        json_init(&json, &text);
        json_text(&json, cases[i].bytes);
        expect_text(cases[i].expected);
    }
    text_init(&text, &arena);
    json_init(&json, &text);
    json_text_bytes(&json, "a\0b", 3);
    expect_text("\"a\\u0000b\"");
}
END_TEST

/* Whatever bytes go in, jansson reads what comes out. */
START_TEST(test_any_bytes)
{
    srand(7);
    for (int i = 0; i < 50000; i++) {
        char bytes[40];
        size_t length = (size_t)rand() % sizeof bytes;
        for (size_t k = 0; k < length; k++)
            bytes[k] = (char)(rand() % 3 == 0 ? 0x80 + rand() % 128 : 1 + rand() % 127);
        arena_reset(&arena);
        text_init(&text, &arena);
        json_init(&json, &text);
        json_open(&json, '[');
        json_text_bytes(&json, bytes, length);
        json_close(&json, ']');
        json_t *read = json_loadb(text.data, text.length, 0, NULL);
        if (read == NULL) ck_abort_msg("%.*s", (int)text.length, text.data);
        json_decref(read);
    }
}
END_TEST

/* Strings are copied eight bytes at once: each byte at each place of each length comes back as it was. */
START_TEST(test_each_place)
{
    char bytes[33];
    for (size_t length = 1; length <= sizeof bytes; length++)
        for (size_t place = 0; place < length; place++)
            for (int c = 0; c < 0x80; c++) {
                memset(bytes, 'a', length);
                bytes[place] = (char)c;
                arena_reset(&arena);
                text_init(&text, &arena);
                json_init(&json, &text);
                json_text_bytes(&json, bytes, length);
                json_t *read = json_loadb(text.data, text.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                ck_assert_msg(read != NULL, "%.*s", (int)text.length, text.data);
                ck_assert_uint_eq(json_string_length(read), length);
                ck_assert_mem_eq(json_string_value(read), bytes, length);
                json_decref(read);
            }
}
END_TEST

START_TEST(test_tensors)
{
    static double data[6000];
    for (size_t i = 0; i < 6000; i++)
        data[i] = (double)i;
    json_open(&json, '[');
    json_tensor(&json, 0, NULL, data + 5);
    json_tensor(&json, 1, (size_t[]){0}, data);
    json_tensor(&json, 2, (size_t[]){2, 0}, data);
    json_tensor(&json, 2, (size_t[]){0, 2}, data);
    json_tensor(&json, 2, (size_t[]){2, 3}, data);
    json_tensor(&json, 3, (size_t[]){2, 1, 2}, data);
    json_close(&json, ']');
    expect_text("[5,[],[[],[]],[],[[0,1,2],[3,4,5]],[[[0,1]],[[2,3]]]]");

    text_init(&text, &arena);
    json_init(&json, &text);
    json_tensor(&json, 2, (size_t[]){2, 3000}, data);
    json_t *read = json_loadb(text.data, text.length, 0, NULL);
    ck_assert_uint_eq(json_array_size(read), 2);
    for (size_t i = 0; i < 6000; i++)
        if (json_integer_value(json_array_get(json_array_get(read, i / 3000), i % 3000)) != (json_int_t)i)
            ck_abort_msg("%zu", i);
    json_decref(read);
}
END_TEST

START_TEST(test_markup)
{
    text_markup(&text, "<a href=\"x\" & 'y'>]]>\n\t");
    expect_text("&lt;a href=&quot;x&quot; &amp; &#39;y&#39;&gt;]]&gt;\n\t");
    text_init(&text, &arena);
    /* U+FFFD and U+FFFE, U+1FFFE, a control character, DEL, a lone surrogate, a byte that is no UTF-8. */
    text_markup(&text, "\xEF\xBF\xBD\xEF\xBF\xBE\xF0\x9F\xBF\xBE\x01\x7F\xED\xA0\x80\xFF");
    expect_text("\xEF\xBF\xBD?\xF0\x9F\xBF\xBE?\x7F????");
    text_init(&text, &arena);
    text_number(&text, 0.1);
    text_add(&text, " ");
    text_number(&text, NAN);
    expect_text("0.1 null");
}
END_TEST

START_TEST(test_too_deep)
{
    for (int i = 0; i < JSON_DEPTH_MAX + 10; i++)
        json_open(&json, '[');
    ck_assert(text.failed);
}
END_TEST

START_TEST(test_pointer)
{
    struct error error = {0};
    pointer_write(&text, &error);
    ck_assert_uint_eq(text.length, 0);
    error_at_index(&error, 3);
    error_at(&error, "a/b~c");
    error_at(&error, "");
    error_at(&error, "x");
    pointer_write(&text, &error);
    expect_text("/x//a~1b~0c/3");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_growing);
    tcase_add_test(tests, test_no_memory);
    tcase_add_test(tests, test_structure);
    tcase_add_test(tests, test_numbers);
    tcase_add_test(tests, test_strings);
    tcase_add_test(tests, test_any_bytes);
    tcase_add_test(tests, test_each_place);
    tcase_add_test(tests, test_tensors);
    tcase_add_test(tests, test_markup);
    tcase_add_test(tests, test_too_deep);
    tcase_add_test(tests, test_pointer);
    suite_add_tcase(suite, tests);
    return suite;
}
