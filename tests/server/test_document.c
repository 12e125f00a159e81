#include "tests/main.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/body/document.h"
#include "server/limits.h"
#include "server/text/number.h"
#include "server/text/pointer.h"
#include "server/text/text.h"

static struct arena arena;
static struct document document;
static struct error error;

static void setup(void)
{
    document_setup();
    arena_init(&arena, 1024 * LIMIT_MIB);
}

static void teardown(void)
{
    arena_free(&arena);
}

/* Reads from memory of just its size, so that AddressSanitizer sees a step too far. */
static int read_bytes(const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, length);
    arena_reset(&arena);
    error = (struct error){0};
    int code = document_read(&arena, copy, length, NULL, &document, &error);
    free(copy);
    if (code != error.code) ck_abort_msg("code %d, error.code %d", code, error.code);
    return code;
}

static int read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

/* In the arena, until the next text is read. */
static const char *pointer(void)
{
    struct text text;
    text_init(&text, &arena);
    pointer_write(&text, &error);
    text_bytes(&text, "", 1);
    return text.data;
}

static void expect_read(const char *text)
{
    int code = read_text(text);
    ck_assert_msg(code == CODE_OK, "%.100s: %s (line %zu, column %zu)", text, error.detail, document.line,
                  document.column);
}

static const struct numbers *member(const char *name)
{
    return document_numbers(&document, json_object_get(document.root, name));
}

/* ---- what is read ---- */

START_TEST(test_tensors)
{
    expect_read("{\"W1\": [[1, 2.5,3],[ -4,5e1 , 0.1]], \"b\":[0,1], \"name\": \"linear\", \"k\": 3, \"t\": true}");
    const struct numbers *w1 = member("W1"), *b = member("b");
    ck_assert_ptr_nonnull(w1);
    ck_assert(!w1->ragged);
    ck_assert_uint_eq(w1->tensor.shape.rank, 2);
    ck_assert_uint_eq(w1->tensor.shape.dim[0], 2);
    ck_assert_uint_eq(w1->tensor.shape.dim[1], 3);
    ck_assert_uint_eq(w1->tensor.size, 6);
    const double expected[] = {1, 2.5, 3, -4, 50, 0.1};
    ck_assert_mem_eq(w1->tensor.data, expected, sizeof expected);
    ck_assert_uint_eq((uintptr_t)w1->tensor.data % 64, 0);
    ck_assert_ptr_nonnull(b);
    ck_assert_uint_eq((uintptr_t)b->tensor.data % 64, 0);
    ck_assert_double_eq(b->tensor.data[1], 1);
    ck_assert_str_eq(json_string_value(json_object_get(document.root, "name")), "linear");
    ck_assert_int_eq(json_integer_value(json_object_get(document.root, "k")), 3);
    ck_assert(json_is_true(json_object_get(document.root, "t")));
    ck_assert_ptr_null(member("name"));
    ck_assert_ptr_null(member("k"));
    ck_assert_ptr_null(member("none"));
}
END_TEST

/* An array, and the shape it is read with; NULL is ragged. */
START_TEST(test_shapes)
{
    static const struct {
        const char *text, *shape;
    } cases[] = {
        {"[]", "[0]"},
        {"[ ]", "[0]"},
        {"[[],[]]", "[2,0]"},
        {"[[[]]]", "[1,1,0]"},
        {"[[[],[]],[[],[]],[[],[]]]", "[3,2,0]"},
        {"[1]", "[1]"},
        {"[null,null]", "[2]"},
        {"[[1],[2],[3]]", "[3,1]"},
        {"[[[1,2]],[[3,4]]]", "[2,1,2]"},
        {"\n[\t[\r1 ,\n2 ] , [ NaN,-Infinity ]\n]", "[2,2]"},
        {"[[1,2],[3]]", NULL},
        {"[[1],[2,3]]", NULL},
        {"[1,[2]]", NULL},
        {"[[1],2]", NULL},
        {"[[],1]", NULL},
        {"[1,[]]", NULL},
        {"[[],[[]]]", NULL},
        {"[[[]],[]]", NULL},
        {"[[[1]],[2]]", NULL},
        {"[[1],[[2]]]", NULL},
        {"[[1],[]]", NULL},
        {"[[],[1]]", NULL},
        {"[[[1,2],[3,4]],[[5,6]]]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400], shape[SHAPE_TEXT_MAX];
        snprintf(text, sizeof text, "{\"before\":[7],\"x\":%s,\"after\":[[8,9]]}", cases[i].text);
        expect_read(text);
        ck_assert_uint_eq(document.count, 3);
        const struct numbers *x = member("x");
        ck_assert_ptr_nonnull(x);
        ck_assert_msg(x->ragged == (cases[i].shape == NULL), "%s", cases[i].text);
        if (!x->ragged) ck_assert_str_eq(shape_text(&x->tensor.shape, shape), cases[i].shape);
        ck_assert_double_eq(member("before")->tensor.data[0], 7);
        ck_assert_double_eq(member("after")->tensor.data[1], 9);
    }
}
END_TEST

START_TEST(test_not_finite)
{
    expect_read("{\"x\": [NaN, Infinity, -Infinity, null, 1e999, -1e999, 1e-999, -0]}");
    const struct numbers *x = member("x");
    ck_assert_uint_eq(x->tensor.size, 8);
    const double *v = x->tensor.data;
    ck_assert(isnan(v[0]) && v[1] == INFINITY && v[2] == -INFINITY && isnan(v[3]));
    ck_assert(v[4] == INFINITY && v[5] == -INFINITY && v[6] == 0 && v[7] == 0 && signbit(v[7]));
    expect_read("{\"x\": [NaN]}");
}
END_TEST

/* Numbers outside of arrays: those that jansson cannot hold become rows of rank 0. */
START_TEST(test_bare_numbers)
{
    static const struct {
        const char *text;
        double row; /* -1: none */
    } cases[] = {
        {"1", -1},
        {"-0", -1},
        {"0.5", -1},
        {"1e308", -1},
        {"1e-999", -1},
        {"9223372036854775807", -1},
        {"-9223372036854775808", -1},
        {"1000000000000000000", -1},
        {"9223372036854775808", 9223372036854775808.0},
        {"-9223372036854775809", -9223372036854775808.0},
        {"123456789012345678901", 123456789012345678901.0},
        {"99999999999999999999", 1e20},
        {"1e999", INFINITY},
        {"-1e999", -INFINITY},
        {"Infinity", INFINITY},
        {"-Infinity", -INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"x\": %s , \"y\": 5}", cases[i].text);
        expect_read(text);
        const json_t *x = json_object_get(document.root, "x");
        if (cases[i].row == -1) {
            ck_assert_ptr_null(member("x"));
            ck_assert_msg(json_number_value(x) == strtod(cases[i].text, NULL), "%s", cases[i].text);
        } else {
            ck_assert_msg(member("x") != NULL, "%s", cases[i].text);
            ck_assert_uint_eq(member("x")->tensor.shape.rank, 0);
            ck_assert_uint_eq(member("x")->tensor.size, 1);
            ck_assert_msg(*member("x")->tensor.data == cases[i].row, "%s", cases[i].text);
        }
        ck_assert_int_eq(json_integer_value(json_object_get(document.root, "y")), 5);
    }
    expect_read("{\"x\": NaN, \"y\": null}");
    ck_assert(isnan(*member("x")->tensor.data));
    ck_assert(json_is_null(json_object_get(document.root, "y")));
}
END_TEST

START_TEST(test_mixed_arrays)
{
    expect_read("{\"x\": [1, \"a\"], \"y\": [[1,2],[3,{\"z\": [4,5]}],[[6]], NaN], \"t\": [true], \"n\": "
                "[[null, false]]}");
    const json_t *x = json_object_get(document.root, "x"), *y = json_object_get(document.root, "y");
    ck_assert_ptr_null(document_numbers(&document, x));
    ck_assert_int_eq(json_integer_value(json_array_get(x, 0)), 1);
    ck_assert_ptr_null(document_numbers(&document, y));
    ck_assert_uint_eq(json_array_size(y), 4);
    ck_assert_double_eq(document_numbers(&document, json_array_get(y, 0))->tensor.data[1], 2);
    const json_t *inner = json_array_get(y, 1);
    ck_assert_ptr_null(document_numbers(&document, inner));
    const json_t *z = json_object_get(json_array_get(inner, 1), "z");
    ck_assert_double_eq(document_numbers(&document, z)->tensor.data[1], 5);
    ck_assert_uint_eq(document_numbers(&document, json_array_get(y, 2))->tensor.shape.rank, 2);
    ck_assert(isnan(*document_numbers(&document, json_array_get(y, 3))->tensor.data));
    ck_assert_ptr_null(member("t"));
    ck_assert_ptr_null(member("n"));
    ck_assert_uint_eq(document.count, 4);
}
END_TEST

START_TEST(test_strings_are_left_alone)
{
    expect_read("{\"a\": \"[1,2] NaN 1e999 \\\" [3] \\\\\", \"[4]\": \"\\u00e9\\ud83d\\ude00 {\", \"\": [5]}");
    ck_assert_uint_eq(document.count, 1);
    ck_assert_str_eq(json_string_value(json_object_get(document.root, "a")), "[1,2] NaN 1e999 \" [3] \\");
    ck_assert_str_eq(json_string_value(json_object_get(document.root, "[4]")), "é😀 {");
    ck_assert_double_eq(*member("")->tensor.data, 5);
}
END_TEST

START_TEST(test_top_level)
{
    expect_read(" {} ");
    ck_assert(json_is_object(document.root));
    expect_read("[1,2]");
    ck_assert_ptr_nonnull(document_numbers(&document, document.root));
    expect_read("[{}, 1]");
    ck_assert(json_is_array(document.root));
    expect_read("NaN");
    ck_assert_uint_eq(document_numbers(&document, document.root)->tensor.shape.rank, 0);
}
END_TEST

/* ---- what is refused ---- */

/* A broken text, where it is broken, and some words of what is said about it. */
static const struct broken {
    const char *text;
    size_t line, column;
    const char *pointer, *words;
} broken[] = {
    {"", 1, 1, "", "empty"},
    {" \n ", 2, 2, "", "empty"},
    {"5", 1, 1, "", "object"},
    {"  \"a\"", 1, 3, "", "object"},
    {"true", 1, 1, "", "object"},
    {"\xEF\xBB\xBF{}", 1, 1, "", "byte order mark"},
    {"{", 1, 2, "", "before the object is closed"},
    {"{\"a\"", 1, 5, "/a", "before the object is closed"},
    {"{\"a\":", 1, 6, "/a", "before the object is closed"},
    {"{\"a\":1", 1, 7, "", "before the object is closed"},
    {"{\"a\":[1,2", 1, 10, "/a", "before the array is closed"},
    {"{\"a\":[[1,2],", 1, 13, "/a/1", "before the array is closed"},
    {"{} x", 1, 4, "", "behind the end"},
    {"{}{}", 1, 3, "", "behind the end"},
    {"[1][2]", 1, 4, "", "behind the end"},
    {"{\"a\":1,}", 1, 8, "", "comma"},
    {"{\"a\":[1,2,]}", 1, 11, "/a", "comma"},
    {"{\"a\":[[1],]}", 1, 11, "/a", "comma"},
    {"{\"a\":[,1]}", 1, 7, "/a/0", "a value was expected, not ','"},
    {"{\"a\":[1,,2]}", 1, 9, "/a/1", "a value was expected, not ','"},
    {"{\"a\":[1 2]}", 1, 9, "/a", "',' or ']' was expected, not '2'"},
    {"{\"a\":[1;2]}", 1, 8, "/a", "',' or ']' was expected, not ';'"},
    {"{\"a\":[1}", 1, 8, "/a", "not '}'"},
    {"{\"a\":1]", 1, 7, "", "not ']'"},
    {"]", 1, 1, "", "a value was expected"},
    {"}", 1, 1, "", "a value was expected"},
    {"{\"a\" 1}", 1, 6, "/a", "':' was expected"},
    {"{\"a\":1 \"b\":2}", 1, 8, "", "',' or '}'"},
    {"{a:1}", 1, 2, "", "a name in double quotes"},
    {"{'a':1}", 1, 2, "", "double quotes"},
    {"{\"a\":'b'}", 1, 6, "/a", "double quotes"},
    {"{1:2}", 1, 2, "", "a name in double quotes"},
    {"{NaN:2}", 1, 2, "", "a name in double quotes"},
    {"{[1]:2}", 1, 2, "", "a name in double quotes"},
    {"{[1,2,3]:2}", 1, 2, "", "a name in double quotes"},
    {"{,}", 1, 2, "", "a name in double quotes"},
    {"{\"a\":}", 1, 6, "/a", "a value was expected"},
    {"{\"a\": /* one */ 1}", 1, 7, "/a", "comments"},
    {"{\"a\":[1, // one\n2]}", 1, 10, "/a/1", "comments"},
    {"{\"a\":[1 # one\n]}", 1, 9, "/a", "comments"},
    {"{\"a\": nan}", 1, 7, "/a", "nan is no value"},
    {"{\"a\": [1,nan]}", 1, 10, "/a/1", "nan is no value"},
    {"{\"a\": [inf]}", 1, 8, "/a/0", "inf is no value"},
    {"{\"a\": [-inf]}", 1, 8, "/a/0", "-inf is no value"},
    {"{\"a\": [-NaN]}", 1, 8, "/a/0", "-NaN is no value"},
    {"{\"a\": [+Infinity]}", 1, 8, "/a/0", "+Infinity is no value"},
    {"{\"a\": [NaNs]}", 1, 8, "/a/0", "NaNs is no value"},
    {"{\"a\": NaNs}", 1, 7, "/a", "NaNs is no value"},
    {"{\"a\": True}", 1, 7, "/a", "True is no value"},
    {"{\"a\": [None]}", 1, 8, "/a/0", "None is no value"},
    {"{\"a\": [nul]}", 1, 8, "/a/0", "nul is no value"},
    {"{\"a\": truer}", 1, 7, "/a", "truer is no value"},
    {"{\"a\": -}", 1, 7, "/a", "- is not how JSON writes a number"},
    {"{\"a\": +1}", 1, 7, "/a", "+1 is not how"},
    {"{\"a\": [+1]}", 1, 8, "/a/0", "+1 is not how"},
    {"{\"a\": [01]}", 1, 8, "/a/0", "01 is not how"},
    {"{\"a\": 01}", 1, 7, "/a", "01 is not how"},
    {"{\"a\": [-01]}", 1, 8, "/a/0", "-01 is not how"},
    {"{\"a\": [1.]}", 1, 8, "/a/0", "1. is not how"},
    {"{\"a\": 1.}", 1, 7, "/a", "1. is not how"},
    {"{\"a\": [.5]}", 1, 8, "/a/0", ".5 is not how"},
    {"{\"a\": .5}", 1, 7, "/a", ".5 is not how"},
    {"{\"a\": [1.e5]}", 1, 8, "/a/0", "1.e5 is not how"},
    {"{\"a\": [1e]}", 1, 8, "/a/0", "1e is not how"},
    {"{\"a\": 1e+}", 1, 7, "/a", "1e+ is not how"},
    {"{\"a\": 1e5e999}", 1, 7, "/a", "1e5e999 is not how"},
    {"{\"a\": 1e999.5}", 1, 7, "/a", "1e999.5 is not how"},
    {"{\"a\": 1NaN}", 1, 7, "/a", "1NaN is not how"},
    {"{\"a\": [0x10]}", 1, 8, "/a/0", "0x10 is not how"},
    {"{\"a\": 0x10}", 1, 7, "/a", "0x10 is not how"},
    {"{\"a\": [1_000]}", 1, 8, "/a/0", "1_000 is not how"},
    {"{\"a\": [--1]}", 1, 8, "/a/0", "--1 is not how"},
    {"{\"a\": --1}", 1, 7, "/a", "--1 is not how"},
    {"{\"a\": [- 1]}", 1, 8, "/a/0", "- is not how"},
    {"{\"a\": - 1}", 1, 7, "/a", "- is not how"},
    {"{\"a\": [1-2]}", 1, 8, "/a/0", "1-2 is not how"},
    {"{\"a\": 1[2]}", 1, 8, "", "',' or '}'"},
    {"{\"a\": [1]2}", 1, 10, "", "',' or '}'"},
    {"{\"a\": [1[2]]}", 1, 9, "/a", "',' or ']'"},
    {"{\"a\": 1234567890123456789012345678901234567890x}", 1, 7, "/a", "123456789012345678901234..."},
    {"{\"a\": \"b}", 1, 7, "/a", "no closing quote"},
    {"{\"a\": \"b\\", 1, 9, "/a", "escape"},
    {"{\"a\": \"b\\\"", 1, 7, "/a", "no closing quote"},
    {"{\"a", 1, 2, "", "no closing quote"},
    {"{\"a\": \"b\nc\"}", 1, 9, "/a", "line break"},
    {"{\"a\": \"b\tc\"}", 1, 9, "/a", "control character (0x09)"},
    {"{\"a\": \"b\\xc\"}", 1, 9, "/a", "escape"},
    {"{\"a\": \"b\\u12g4\"}", 1, 9, "/a", "escape"},
    {"{\"a\": \"\\ud800\"}", 1, 8, "/a", "\\ud800, half of a surrogate pair"},
    {"{\"a\": \"\\uD83D\\u0041\"}", 1, 8, "/a", "\\ud83d, half of a surrogate pair"},
    {"{\"a\": \"\\udc00\"}", 1, 8, "/a", "\\udc00, half of a surrogate pair"},
    {"{\"a\": \"\\u0000\"}", 1, 8, "/a", "U+0000"},
    {"{\"\\u0000\": 1}", 1, 3, "", "U+0000"},
    {"{\"a\": \"é\xFF\"}", 1, 9, "/a", "UTF-8 (0xFF)"},
    {"{\"a\": \"\xC0\x80\"}", 1, 8, "/a", "UTF-8 (0xC0)"},
    {"{\"a\": \"\xED\xA0\x80\"}", 1, 8, "/a", "UTF-8"},
    {"{\"a\": \"\xE2\x82\"}", 1, 8, "/a", "UTF-8"},
    {"{\"a\": é}", 1, 7, "/a", "not 'é'"},
    {"{\"a\": [\xA0 1]}", 1, 8, "/a/0", "byte 0xA0"},
    {"{\"é\": \"日本\", \"b\": [1,x]}", 1, 21, "/b/1", "x is no value"},
    {"{\n \"a\": 1,\r\n \"b\": {\"c~/\": [[1,2],\n[3,4!]]}}", 4, 5, "/b/c~0~1/1", "not '!'"},
    {"{\"W\": [1,2,3], \"V\": [[4]], \"n\": NaN, \"z\": tru}", 1, 43, "/z", "tru is no value"},
    {"{\"x\": [[1,2],[3,\"a\"],[4,5]], \"y\": [1 1]}", 1, 38, "/y", "',' or ']'"},
    {"{\"x\": [[1,2],[3,\"a\"],[4 5]]}", 1, 25, "/x/2", "',' or ']'"},
    {"{\"x\": [[1,2],[3,{\"k\": [01]}]]}", 1, 24, "/x/1/1/k/0", "01"},
    {"{\"a\":1,\"a\":2}", 1, 8, "/a", "\"a\" stands twice"},
    {"{\"gradients\": {\"W1\": [1,2,3],\n \"b1\": [1], \"W1\": [1,2,3]}}", 2, 13, "/gradients/W1",
     "\"W1\" stands twice"},
    {"{\"a\": [{\"b\": 1e999, \"b\" : 1}]}", 1, 21, "/a/0/b", "\"b\" stands twice"},
    {"{\"a\": 1, \"\\u0061\": 2}", 1, 10, "/a", "\"a\" stands twice"},
    {"{\"\": 1, \"\": 2}", 1, 9, "/", "\"\" stands twice"},
};

START_TEST(test_broken)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const struct broken *b = &broken[i];
        int code = read_text(b->text);
        ck_assert_msg(code == CODE_MALFORMED_JSON, "%s: code %d", b->text, code);
        ck_assert_msg(document.line == b->line && document.column == b->column, "%s: line %zu, column %zu: %s", b->text,
                      document.line, document.column, error.detail);
        ck_assert_msg(strcmp(pointer(), b->pointer) == 0, "%s: %s", b->text, pointer());
        ck_assert_msg(strstr(error.detail, b->words) != NULL, "%s: %s", b->text, error.detail);
    }
}
END_TEST

/* A body of no bytes may have no memory either. */
START_TEST(test_nothing)
{
    arena_reset(&arena);
    error = (struct error){0};
    ck_assert_int_eq(document_read(&arena, NULL, 0, NULL, &document, &error), CODE_MALFORMED_JSON);
    ck_assert_uint_eq(document.line, 1);
    ck_assert_uint_eq(document.column, 1);
}
END_TEST

START_TEST(test_nul_bytes)
{
    static const char bare[] = "{\"a\": \0 1}", in_string[] = "{\"a\": \"b\0\"}", behind[] = "{}\0",
                      in_array[] = "{\"a\":[1,\0]}";
    static const char quoted_cut[] = "{\"a\": \"";
    const struct {
        const char *text;
        size_t length, column;
    } cases[] = {{bare, sizeof bare - 1, 7},
                 {in_string, sizeof in_string - 1, 9},
                 {behind, sizeof behind - 1, 3},
                 {in_array, sizeof in_array - 1, 9},
                 {quoted_cut, sizeof quoted_cut - 1, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(read_bytes(cases[i].text, cases[i].length), CODE_MALFORMED_JSON);
        ck_assert_msg(document.column == cases[i].column, "%zu: %zu %s", i, document.column, error.detail);
    }
}
END_TEST

/* `count` times `unit`, then `middle`, then `count` times `close`. */
static int read_repeated(const char *unit, size_t count, const char *middle, const char *close)
{
    size_t a = strlen(unit), b = strlen(middle), c = strlen(close);
    char *text = malloc(count * (a + c) + b), *to = text;
    for (size_t i = 0; i < count; i++, to += a)
        memcpy(to, unit, a);
    memcpy(to, middle, b);
    to += b;
    for (size_t i = 0; i < count; i++, to += c)
        memcpy(to, close, c);
    int code = read_bytes(text, count * (a + c) + b);
    free(text);
    return code;
}

START_TEST(test_depth)
{
    ck_assert_int_eq(read_repeated("[", TENSOR_RANK_MAX, "1", "]"), CODE_OK);
    ck_assert(!document_numbers(&document, document.root)->ragged);
    ck_assert_uint_eq(document_numbers(&document, document.root)->tensor.shape.rank, TENSOR_RANK_MAX);
    ck_assert_int_eq(read_repeated("[", TENSOR_RANK_MAX + 1, "1", "]"), CODE_OK);
    ck_assert(document_numbers(&document, document.root)->ragged);
    ck_assert_int_eq(read_repeated("[", 64, "", "]"), CODE_OK);
    ck_assert(document_numbers(&document, document.root)->ragged);
    ck_assert_int_eq(read_repeated("[", 64, "\"a\"", "]"), CODE_OK);
    ck_assert_int_eq(read_repeated("{\"a\":", 64, "1", "}"), CODE_OK);
    ck_assert_int_eq(read_repeated("{\"a\":", 63, "[1]", "}"), CODE_OK);
    const struct {
        const char *unit, *close;
        size_t column;
    } cases[] = {{"[", "]", 65},        {"{\"a\":", "}", 321},   {"[[],", "]", 254},
                 {"[\"a\",", "]", 321}, {"[{\"a\":", "}]", 193}, {"[", "", 65}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t count = 65; count < 10000000; count *= 400) {
            if (read_repeated(cases[i].unit, count, "1", cases[i].close) != CODE_MALFORMED_JSON)
                ck_abort_msg("%s x %zu", cases[i].unit, count);
            ck_assert_msg(strstr(error.detail, "deeper than 64 levels") != NULL, "%s", error.detail);
            ck_assert_msg(document.column == cases[i].column, "%s: %zu", cases[i].unit, document.column);
        }
    }
    ck_assert_int_eq(read_repeated("{\"a\":", 64, "[1]", "}"), CODE_MALFORMED_JSON);
    ck_assert_msg(strstr(error.detail, "deeper") != NULL, "%s", error.detail);
}
END_TEST

START_TEST(test_many_values)
{
    ck_assert_int_eq(read_repeated("[\"a\"", 1, "", ""), CODE_MALFORMED_JSON);
    static const char *const units[] = {"1,", "[],", "[1],[\"a\"],", "{},", "\"\",", "NaN,"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i]), count = 2 * (size_t)DOCUMENT_VALUES_MAX;
        char *text = malloc(count * length + 10), *to = text;
        *to++ = '[';
        for (size_t k = 0; k < count; k++, to += length)
            memcpy(to, units[i], length);
        memcpy(to, "\"a\"]", 4);
        int code = read_bytes(text, (size_t)(to + 4 - text));
        free(text);
        ck_assert_msg(code == CODE_OUT_OF_RANGE, "%s: %d %s", units[i], code, error.detail);
    }
}
END_TEST

/* Texts whose arrays look like numbers until the very end. */
START_TEST(test_late_surprises)
{
    size_t count = 400000;
    char *text = malloc(64 + 2 * count + 5 + 64), *to = text;
    memset(to, '[', 64);
    to += 64;
    for (size_t i = 0; i < count; i++, to += 2)
        memcpy(to, "1,", 2);
    memcpy(to, "\"a\"", 3);
    to += 3;
    memset(to, ']', 64);
    to += 64;
    ck_assert_int_eq(read_bytes(text, (size_t)(to - text)), CODE_OK);
    ck_assert_uint_eq(document.count, 0);
    free(text);
    /* Surprises within surprises: each bracket opens an array that turns out to be mixed. */
    ck_assert_int_eq(read_repeated("[[1,2],[3],", 60, "\"a\"", ",[4]]"), CODE_OK);
    ck_assert_uint_eq(document.count, 180);
    for (size_t i = 0; i < document.count; i++)
        ck_assert(!document.table[i].ragged);
}
END_TEST

/* Numbers that are read, found to stand in a mixed array, and read again. */
START_TEST(test_second_reading)
{
    enum { COUNT = 50000 };
    char *text = malloc(2 * COUNT + 100), *to = text;
    to += sprintf(to, "[[[1");
    for (int i = 1; i < COUNT; i++)
        to += sprintf(to, ",%d", i % 10);
    to += sprintf(to, "]],\"a\",[2,3]]");
    ck_assert_int_eq(read_bytes(text, (size_t)(to - text)), CODE_OK);
    free(text);
    ck_assert_uint_eq(document.count, 2);
    ck_assert_uint_eq(document.table[0].tensor.size, COUNT);
    ck_assert_double_eq(document.table[0].tensor.data[0], 1);
    ck_assert_double_eq(document.table[0].tensor.data[COUNT - 1], (COUNT - 1) % 10);
    ck_assert_double_eq(document.table[1].tensor.data[1], 3);
}
END_TEST

static double seconds_for(const char *unit, size_t repeats, size_t depth)
{
    size_t length = strlen(unit);
    char *text = malloc(2 * depth + repeats * length + 3), *to = text;
    memset(to, '[', depth);
    to += depth;
    for (size_t i = 0; i < repeats; i++, to += length)
        memcpy(to, unit, length);
    memcpy(to, "\"a\"", 3);
    memset(to + 3, ']', depth);
    to += 3 + depth;
    clock_t start = clock();
    read_bytes(text, (size_t)(to - text));
    free(text);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* However deep the brackets, the bytes inside them are read twice, not once for every bracket. */
START_TEST(test_linear_time)
{
    size_t repeats = 3 * (size_t)DOCUMENT_VALUES_MAX; /* refused in the end, before jansson's time can count */
    seconds_for("1.5,", repeats, 1);                  /* the first one also pays for the memory */
    double flat = seconds_for("1.5,", repeats, 1), deep = seconds_for("1.5,", repeats, 60);
    ck_assert_msg(deep < 10 * flat, "%g s, and %g s for 60 levels", flat, deep);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWER = 20 }; /* checks at every step */
#elif defined(__OPTIMIZE__)
enum { SLOWER = 1 };
#else
enum { SLOWER = 10 };
#endif

/* Where each takes longer, a shorter one shows as much. */
#define MANY (SLOWER > 1 ? LIMIT_MIB / 4 : 4 * LIMIT_MIB)

/* Processor time to read `head`, then `unit` up to MANY bytes, then `tail`. */
static double seconds_for_many(const char *head, const char *unit, const char *tail)
{
    const size_t length = MANY, unit_length = strlen(unit);
    char *text = malloc(length), *to = text + strlen(head), *end = text + length - strlen(tail);
    memcpy(text, head, strlen(head));
    for (size_t i = 0; to < end; i = (i + 1) % unit_length)
        *to++ = unit[i];
    memcpy(end, tail, strlen(tail));
    arena_reset(&arena);
    error = (struct error){0};
    clock_t start = clock();
    document_read(&arena, text, length, NULL, &document, &error);
    double taken = (double)(clock() - start) / CLOCKS_PER_SEC;
    free(text);
    return taken;
}

/* No byte is read once for each of many others, whatever the text: MANY of them would then take minutes. */
START_TEST(test_linear_for_any_bytes)
{
    static const char *const units[] = {"0",    "1",   "-",    "a",   "N",    "I",    "[",   "]",      "][",  "[]",
                                        "[]{}", "{}",  "[{",   "}{",  "\"",   "\"\"", "\\",  "\\\"",   "1.",  "1e",
                                        "-1",   "00 ", "1e+",  "0.0", ",",    ":",    "[1,", "[[],",   "1,0", "NaN",
                                        "Inf",  "nul", "\xC3", "\\u", "\x01", " ",    "\n",  "\"a\":", "[1 ", "1 "};
    static const char *const heads[] = {
        "", "{\"a\":", "{\"a\":[", "{\"a\":[\"b\",", "{\"a\":\"", "{\"a\":[[1],[{\"b\":["};
    static const char *const tails[] = {"", ".}", "e}", "\"]}"};
    seconds_for_many("{\"a\":[", "1,", "1]}"); /* the first one also pays for the memory */
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++)
        for (size_t u = 0; u < sizeof units / sizeof *units; u++)
            for (size_t t = 0; t < sizeof tails / sizeof *tails; t++) {
                double seconds = seconds_for_many(heads[h], units[u], tails[t]);
                if (getenv("LINEAR_SHOW")) printf("%.3f %s %s %s\n", seconds, heads[h], units[u], tails[t]);
                ck_assert_msg(seconds < 0.2 * SLOWER, "%s%s...%s: %g s", heads[h], units[u], tails[t], seconds);
            }
}
END_TEST

/* ---- cancelling ---- */

static atomic_bool cancelled;

START_TEST(test_cancelled_before)
{
    static const char *const texts[] = {"{}", "{\"a\": [1, 2]}", "[[1,2],[3,{}]]", "nonsense"};
    atomic_store(&cancelled, true);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error = (struct error){0};
        int code = document_read(&arena, texts[i], strlen(texts[i]), &cancelled, &document, &error);
        ck_assert_int_eq(code, CODE_CANCELLED);
        ck_assert_int_eq(error.code, CODE_CANCELLED);
    }
    atomic_store(&cancelled, false);
    error = (struct error){0};
    ck_assert_int_eq(document_read(&arena, "{}", 2, &cancelled, &document, &error), CODE_OK);
}
END_TEST

static void *cancel_soon(void *unused)
{
    (void)unused;
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    atomic_store(&cancelled, true);
    return NULL;
}

/* The flag set by another thread in the midst of it: arrays of numbers, nested ones, and what is jansson's. */
START_TEST(test_cancelled_between)
{
    enum { ATTEMPTS = 50 };
    static const struct {
        const char *head, *unit, *tail;
    } texts[] = {
        {"{\"a\":[", "0.123456789,", "1]}"},
        {"{\"a\":[[1,2]", ",[3,4]", "]}"},
        {"{\"a\":[1,\"x\"", ",{\"k\":0.125}", "]}"},
        {"{\"a\":[\"x\"", ",\"0123456789012345678901234567890123456789012345678901234567890123456789\"", "]}"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t unit = strlen(texts[i].unit), count = 32 * LIMIT_MIB / unit < 900000 ? 32 * LIMIT_MIB / unit : 900000;
        char *text = malloc(count * unit + 100), *to = text;
        to += sprintf(to, "%s", texts[i].head);
        for (size_t k = 0; k < count; k++, to += unit)
            memcpy(to, texts[i].unit, unit);
        to += sprintf(to, "%s", texts[i].tail);
        /* On a busy machine the other thread may come too late: then once more. */
        int code = CODE_OK;
        for (int attempt = 0; code != CODE_CANCELLED && attempt < ATTEMPTS; attempt++) {
            arena_reset(&arena);
            error = (struct error){0};
            atomic_store(&cancelled, false);
            pthread_t thread;
            ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
            code = document_read(&arena, text, (size_t)(to - text), &cancelled, &document, &error);
            pthread_join(thread, NULL);
        }
        ck_assert_msg(code == CODE_CANCELLED, "%s: code %d", texts[i].unit, code);
        free(text);
    }
}
END_TEST

/* The position of a duplicate behind many rows, whose references have one to four digits. */
START_TEST(test_position_behind_rows)
{
    for (int rows = 0; rows < 1300; rows += rows < 120 ? 1 : 97) {
        char text[20000], *to = text;
        to += sprintf(to, "{\"d\":1");
        for (int i = 0; i < rows; i++)
            to += sprintf(to, ",\"k%d\":[%d]", i, i % 3 == 0 ? 5 : 12345);
        size_t column = (size_t)(to - text) + 2;
        sprintf(to, ",\"d\":2,\"e\":3}");
        ck_assert_int_eq(read_text(text), CODE_MALFORMED_JSON);
        ck_assert_msg(document.column == column, "%d rows: %zu, not %zu", rows, document.column, column);
        ck_assert_str_eq(pointer(), "/d");
    }
}
END_TEST

/* ---- memory ---- */

START_TEST(test_out_of_memory)
{
    struct text body;
    struct arena own;
    arena_init(&own, 64 * LIMIT_MIB);
    text_init(&body, &own);
    text_add(&body, "{\"x\": [1");
    for (int i = 0; i < 20000; i++)
        text_format(&body, ",%d.5", i);
    text_add(&body, "], \"long\": \"");
    for (int i = 0; i < 20000; i++)
        text_add(&body, "0123456789");
    text_add(&body, "\", \"many\": [\"\"");
    for (int i = 0; i < 3000; i++)
        text_format(&body, ",{\"a%d\":[%d]}", i, i);
    text_add(&body, "]}");
    ck_assert(!body.failed);
    int read = 0, short_of = 0;
    for (size_t kib = 0; kib < 16384; kib += kib < 2048 ? 16 : 256) {
        struct arena small;
        arena_init(&small, kib * 1024);
        struct error e = {0};
        int code = document_read(&small, body.data, body.length, NULL, &document, &e);
        if (code == CODE_OK) {
            read++;
            ck_assert_uint_eq(document.count, 3001);
        } else {
            short_of++;
            ck_assert_int_eq(code, CODE_OUT_OF_MEMORY);
            ck_assert_int_eq(read, 0);
        }
        arena_free(&small);
    }
    ck_assert_msg(read > 5 && short_of > 10, "%d %d", read, short_of);
    arena_free(&own);
}
END_TEST

/* jansson outside of document_read lives on the heap as ever, and may be freed. */
START_TEST(test_jansson_elsewhere)
{
    expect_read("{\"a\": {\"b\": \"c\"}}");
    json_t *copy = json_deep_copy(document.root);
    json_t *own = json_pack("{s:[i,s]}", "x", 1, "y");
    ck_assert_ptr_nonnull(copy);
    ck_assert_ptr_nonnull(own);
    json_object_set_new(copy, "own", own);
    json_decref(document.root);
    arena_reset(&arena);
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(copy, "a"), "b")), "c");
    json_decref(copy);
}
END_TEST

/* ---- the same as jansson ---- */

static uint64_t seed = 0x9E3779B97F4A7C15;

static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed >> 20) % below;
}

static void add_random(struct text *text, size_t depth)
{
    static const char *const scalars[] = {
        "0",    "1",       "-3",   "0.5",   "1e3",  "-2.25e-3",      "12345678901234",  "-0.0",
        "\"\"", "\"[1]\"", "true", "false", "null", "\"\\\"]\\\\\"", "0.1234567890123", "9007199254740993"};
    size_t kind = depth == 0 ? 0 : draw(5);
    if (kind <= 1) {
        text_add(text, scalars[draw(draw(3) == 0 ? 16 : 8)]);
        return;
    }
    size_t count = draw(4);
    text_add(text, kind == 2 ? "{" : "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) text_add(text, draw(3) == 0 ? " ,\n" : ",");
        if (kind == 2) text_format(text, "\"k%zu\":%s", i, draw(2) == 0 ? " " : "");
        add_random(text, depth - 1);
    }
    text_add(text, kind == 2 ? "}" : "]");
}

static bool same(const json_t *plain, const json_t *read);

/* Compares the numbers at `offset` of a tensor, from axis `axis` on, with a plain array; false where the
 * shape differs. */
static bool same_tensor(const json_t *plain, const struct tensor *tensor, size_t axis, size_t *offset)
{
    if (axis == tensor->shape.rank) {
        double value = tensor->data[(*offset)++];
        if (json_is_null(plain)) return isnan(value);
        return json_is_number(plain) && json_number_value(plain) == value;
    }
    if (!json_is_array(plain) || json_array_size(plain) != tensor->shape.dim[axis]) return false;
    for (size_t i = 0; i < json_array_size(plain); i++)
        if (!same_tensor(json_array_get(plain, i), tensor, axis + 1, offset)) return false;
    return true;
}

/* The rank that a plain array has as numbers, by a slow and simple rule; -1: ragged, -2: not numbers alone.
 */
static int plain_rank(const json_t *plain)
{
    if (json_is_number(plain) || json_is_null(plain)) return 0;
    if (!json_is_array(plain)) return -2;
    int rank = 0;
    bool ragged = false;
    for (size_t i = 0; i < json_array_size(plain); i++) {
        const json_t *element = json_array_get(plain, i), *first = json_array_get(plain, 0);
        int r = plain_rank(element);
        if (r == -2) return -2;
        if (r == -1 || (i > 0 && r != rank)) ragged = true;
        if (json_is_array(element) && json_array_size(element) != json_array_size(first)) ragged = true;
        rank = r;
    }
    return ragged ? -1 : rank + 1;
}

static bool same(const json_t *plain, const json_t *read)
{
    const struct numbers *numbers = document_numbers(&document, read);
    if (numbers != NULL) {
        int rank = plain_rank(plain);
        size_t offset = 0;
        if (rank == -2) return false;
        if (numbers->ragged) {
            /* Equal lengths may still hide unequal ones further in: those are ragged too. */
            return rank == -1 || rank > 1;
        }
        return rank == (int)numbers->tensor.shape.rank && same_tensor(plain, &numbers->tensor, 0, &offset) &&
               offset == numbers->tensor.size;
    }
    if (json_is_array(plain)) {
        if (!json_is_array(read) || json_array_size(plain) != json_array_size(read) || plain_rank(plain) != -2)
            return false;
        for (size_t i = 0; i < json_array_size(plain); i++)
            if (!same(json_array_get(plain, i), json_array_get(read, i))) return false;
        return true;
    }
    if (json_is_object(plain)) {
        if (!json_is_object(read) || json_object_size(plain) != json_object_size(read)) return false;
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)plain, key,
                            value) if (!same(value, json_object_get(read, key))) return false;
        return true;
    }
    return json_equal(plain, read);
}

START_TEST(test_agrees_with_jansson)
{
    struct arena own;
    arena_init(&own, 16 * LIMIT_MIB);
    int tensors = 0;
    for (int i = 0; i < 100000; i++) {
        struct text text;
        arena_reset(&own);
        text_init(&text, &own);
        text_add(&text, "{\"x\":");
        add_random(&text, 1 + draw(6));
        text_add(&text, "}");
        json_t *plain = json_loadb(text.data, text.length, 0, NULL);
        if (plain == NULL) ck_abort_msg("%.*s", (int)text.length, text.data);
        if (read_bytes(text.data, text.length) != CODE_OK)
            ck_abort_msg("%.*s: %s", (int)text.length, text.data, error.detail);
        if (!same(plain, document.root)) ck_abort_msg("%.*s", (int)text.length, text.data);
        for (size_t k = 0; k < document.count; k++)
            tensors += !document.table[k].ragged && document.table[k].tensor.shape.rank > 1;
        json_decref(plain);
    }
    ck_assert_int_gt(tensors, 1000);
    arena_free(&own);
}
END_TEST

/* Texts with one byte changed, added or lost: read or refused as jansson does. */
START_TEST(test_refuses_what_jansson_refuses)
{
    static const char bytes[] = "[]{},:\"0123456789-+.eE \n\\nulltruefalse/'x\x01\xC3\xA9\xFF";
    struct arena own;
    arena_init(&own, 16 * LIMIT_MIB);
    int refused = 0;
    for (int i = 0; i < 200000; i++) {
        struct text text;
        arena_reset(&own);
        text_init(&text, &own);
        text_add(&text, "{\"x\":");
        add_random(&text, 1 + draw(5));
        text_add(&text, "} ");
        size_t at = draw(text.length - 1), length = text.length - 1;
        char byte = bytes[draw(sizeof bytes - 1)];
        switch (draw(3)) {
        case 0:
            text.data[at] = byte;
            break;
        case 1:
            memmove(text.data + at, text.data + at + 1, length - at);
            length--;
            break;
        default:
            memmove(text.data + at + 1, text.data + at, length - at);
            text.data[at] = byte;
            length++;
        }
        json_t *plain = json_loadb(text.data, length, JSON_REJECT_DUPLICATES, NULL);
        int code = read_bytes(text.data, length);
        if (plain != NULL ? code != CODE_OK || !same(plain, document.root) : code != CODE_MALFORMED_JSON) {
            /* The two differ on purpose about numbers that jansson cannot hold. */
            bool beyond = false;
            for (size_t k = 0; code == CODE_OK && k < document.count; k++)
                for (size_t j = 0; j < document.table[k].tensor.size; j++)
                    beyond = beyond || !(fabs(document.table[k].tensor.data[j]) < 9e18);
            for (size_t k = 0; code == CODE_OK && k < document.count; k++)
                beyond = beyond || document.table[k].ragged;
            if (!beyond) ck_abort_msg("%.*s: %d %s", (int)length, text.data, code, error.detail);
        }
        if (code != CODE_OK) {
            refused++;
            if (document.line == 0 || document.column == 0) ck_abort_msg("%.*s", (int)length, text.data);
            if (strstr(error.detail, "could not be understood") != NULL)
                ck_abort_msg("%.*s: not explained", (int)length, text.data);
        }
        json_decref(plain);
    }
    ck_assert_int_gt(refused, 10000);
    arena_free(&own);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("document");
    TCase *tests = tcase_create("document");
    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_tensors);
    tcase_add_test(tests, test_shapes);
    tcase_add_test(tests, test_not_finite);
    tcase_add_test(tests, test_bare_numbers);
    tcase_add_test(tests, test_mixed_arrays);
    tcase_add_test(tests, test_strings_are_left_alone);
    tcase_add_test(tests, test_top_level);
    tcase_add_test(tests, test_broken);
    tcase_add_test(tests, test_nothing);
    tcase_add_test(tests, test_nul_bytes);
    tcase_add_test(tests, test_depth);
    tcase_add_test(tests, test_many_values);
    tcase_add_test(tests, test_late_surprises);
    tcase_add_test(tests, test_second_reading);
    tcase_add_test(tests, test_linear_time);
    tcase_add_test(tests, test_linear_for_any_bytes);
    tcase_add_test(tests, test_cancelled_before);
    tcase_add_test(tests, test_cancelled_between);
    tcase_add_test(tests, test_position_behind_rows);
    tcase_add_test(tests, test_out_of_memory);
    tcase_add_test(tests, test_jansson_elsewhere);
    tcase_add_test(tests, test_agrees_with_jansson);
    tcase_add_test(tests, test_refuses_what_jansson_refuses);
    suite_add_tcase(suite, tests);
    return suite;
}
