#include "tests/main.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/text/number.h"

/* ck_assert_msg tells its parent of every single check: too slow for millions. */
#define expect(right, ...)                                                                                             \
    do {                                                                                                               \
        if (!(right)) ck_abort_msg(__VA_ARGS__);                                                                       \
    } while (0)

static uint64_t seed = 88172645463325252u;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Reads a text from memory of just its size, so that AddressSanitizer sees a step too far. */
static const char *read_exact(const char *text, size_t length, double *value, size_t *taken)
{
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, text, length);
    const char *behind = number_read(copy, copy + length, value);
    *taken = behind != NULL ? (size_t)(behind - copy) : 0;
    free(copy);
    return behind;
}

static void expect_value(const char *text, double expected)
{
    double value = 12345;
    size_t taken, length = strlen(text);
    expect(read_exact(text, length, &value, &taken) != NULL, "refused: %.80s", text);
    expect(taken == length, "%.80s: took %zu of %zu", text, taken, length);
    expect(bits_of(value) == bits_of(expected), "%.80s: %a, not %a", text, value, expected);
}

START_TEST(test_values)
{
    expect_value("0", 0);
    expect_value("-0", -0.0);
    expect_value("-0.0", -0.0);
    expect_value("-0e5", -0.0);
    expect_value("0.000000000", 0);
    expect_value("0e999999999999999999999", 0);
    expect_value("1", 1);
    expect_value("-7", -7);
    expect_value("0.1", 0.1);
    expect_value("0.3", 0.3);
    expect_value("1.5E+3", 1500);
    expect_value("1e0005", 1e5);
    expect_value("1E-7", 1e-7);
    expect_value("123456789012345", 123456789012345.0);
    expect_value("1234567890123456", 1234567890123456.0);
    expect_value("9007199254740993", 9007199254740992.0);
    expect_value("9007199254740993.0000000000000000000000000000001", 9007199254740994.0);
    expect_value("18446744073709551615", 18446744073709551616.0);
    expect_value("18446744073709551616", 18446744073709551616.0);
    expect_value("123456789012345678901234567890", 123456789012345678901234567890.0);
    expect_value("1.7976931348623157e308", 1.7976931348623157e308);
    expect_value("1.7976931348623159e308", INFINITY);
    expect_value("-1e400", -INFINITY);
    expect_value("1e99999999999999999999", INFINITY);
    expect_value("1e-400", 0);
    expect_value("-1e-400", -0.0);
    expect_value("1e-99999999999999999999", 0);
    expect_value("4.9406564584124654e-324", of_bits(1));
    expect_value("2.4703282292062328e-324", of_bits(1));
    expect_value("2.4703282292062327e-324", 0);
    expect_value("2.2250738585072011e-308", of_bits(0x000FFFFFFFFFFFFF));
    expect_value("2.2250738585072014e-308", of_bits(0x0010000000000000));
}
END_TEST

/* A run of `count` times one character in the midst of a number. */
static void expect_long(const char *before, char c, size_t count, const char *after, double expected)
{
    size_t head = strlen(before), tail = strlen(after);
    char *text = malloc(head + count + tail + 1);
    memcpy(text, before, head);
    memset(text + head, c, count);
    memcpy(text + head + count, after, tail + 1);
    expect_value(text, expected);
    free(text);
}

START_TEST(test_long_texts)
{
    expect_long("0.", '0', 400, "1e401", 1);
    expect_long("0.", '0', 400, "1e400", 0.1);
    expect_long("0.", '0', 70000, "25e70001", 2.5);
    expect_long("0.", '0', 999999, "1e1000000", 1);
    expect_long("0.", '0', 999999, "1e99999999999999999", INFINITY);
    expect_long("0.", '0', 65535, "1e655360", INFINITY); /* an exponent that saturates would cancel out */
    expect_long("1", '0', 65536, "e-655360", 0);
    expect_long("1", '0', 400, "", INFINITY);
    expect_long("1", '0', 400, "e-400", 1);
    expect_long("1", '0', 400, "e-800", 0);
    expect_long("1", '0', 999999, "e-999999", 1);
    expect_long("-1", '0', 999999, "e-1999999", -0.0);
    expect_long("0.", '3', 100000, "", 1.0 / 3);
    expect_long("", '7', 2000, "e-2000", 7.0 / 9);
    /* Halfway between 1 and the next float64, decided by the very last digit. */
    const char *half = "1.00000000000000011102230246251565404236316680908203125";
    expect_long(half, '0', 100000, "", 1);
    expect_long(half, '0', 100000, "1", 1.0000000000000002);
    expect_long("100000000000000011102230246251565404236316680908203125", '0', 100000, "1e-100054", 1.0000000000000002);
    expect_long("100000000000000011102230246251565404236316680908203125", '0', 100000, "0e-100054", 1);
}
END_TEST

/* Texts, and how many characters of each are a number; 0 where none is. */
START_TEST(test_grammar)
{
    static const struct {
        const char *text;
        size_t taken;
    } cases[] = {
        {"", 0},
        {"-", 0},
        {"+1", 0},
        {".5", 0},
        {"-.5", 0},
        {"1.", 0},
        {"1.e5", 0},
        {"1.,2", 0},
        {"01", 0},
        {"-01", 0},
        {"00", 0},
        {"1e", 0},
        {"1e+", 0},
        {"1E-", 0},
        {"1.5e", 0},
        {"1.5e,", 0},
        {"--1", 0},
        {"- 1", 0},
        {"inf", 0},
        {"-inf", 0},
        {"nan", 0},
        {"NaN", 0},
        {"-NaN", 0},
        {"Infinity", 0},
        {"infinity", 0},
        {"-infinity", 0},
        {" 1", 0},
        {"e5", 0},
        {"a", 0},
        {"1,2", 1},
        {"1]", 1},
        {"1 ", 1},
        {"0,", 1},
        {"0x10", 1},
        {"1a", 1},
        {"1.5,", 3},
        {"-1.5e3]", 6},
        {"0.5.5", 3},
        {"1e5.5", 3},
        {"1e5e5", 3},
        {"1_000", 1},
        {"1-", 1},
        {"12345678901234567890,", 20},
        {"0.12345678,", 10},
        {"0.1234567a", 9},
        {"0.12345678901234567e-5 ", 22},
        {"1.234567891e", 0},
        {"123456789012345e", 0},
        {"0.1234567", 9},
        {"0.12345678", 10},
        {"-0", 2},
        {"-0]", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        size_t taken;
        read_exact(cases[i].text, strlen(cases[i].text), &value, &taken);
        expect(taken == cases[i].taken, "\"%s\": %zu, not %zu", cases[i].text, taken, cases[i].taken);
    }
}
END_TEST

static void round_trip(double value)
{
    char text[NUMBER_TEXT_MAX];
    size_t length = number_write(value, text);
    expect(length > 0 && length <= NUMBER_TEXT_MAX, "%a: %zu", value, length);
    double again = 0;
    expect(number_read(text, text + length, &again) == text + length, "%.*s", (int)length, text);
    expect(bits_of(again) == bits_of(value), "%.*s: %a, not %a", (int)length, text, again, value);
}

START_TEST(test_round_trip)
{
    for (int i = 0; i < 2000000; i++) {
        double value = of_bits(draw());
        if (isfinite(value)) round_trip(value);
        round_trip(((double)(draw() >> 11) * 0x1p-53 - 0.5) * ldexp(1, (int)(draw() % 64) - 48)); /* as gradients are */
        round_trip((double)(int64_t)draw() / 1024);
        round_trip((double)(draw() % 100000) / 1000);
    }
}
END_TEST

/* A random text of JSON's grammar. */
static size_t random_text(char *text)
{
    size_t n = 0;
    if (draw() % 2 == 0) text[n++] = '-';
    size_t whole = draw() % 3 == 0 ? 1 + draw() % 24 : 1;
    for (size_t i = 0; i < whole; i++)
        text[n++] = (char)('0' + draw() % 10);
    if (whole > 1 && text[n - whole] == '0') text[n - whole] = '5';
    if (draw() % 4 != 0) {
        text[n++] = '.';
        size_t zeros = draw() % 3 == 0 ? draw() % 12 : 0;
        for (size_t i = 0; i < zeros; i++)
            text[n++] = '0';
        for (size_t i = 1 + draw() % (draw() % 2 == 0 ? 8 : 22); i > 0; i--)
            text[n++] = (char)('0' + draw() % 10);
    }
    if (draw() % 3 == 0) {
        int range = draw() % 2 == 0 ? 30 : 340;
        n += (size_t)sprintf(text + n, draw() % 2 == 0 ? "e%d" : "E%+d", (int)(draw() % (2 * (unsigned)range)) - range);
    }
    text[n] = '\0';
    return n;
}

START_TEST(test_agrees_with_strtod)
{
    for (int i = 0; i < 3000000; i++) {
        char text[128];
        size_t length = random_text(text);
        double value = 0;
        expect(number_read(text, text + length, &value) == text + length, "%s", text);
        double expected = strtod(text, NULL);
        expect(bits_of(value) == bits_of(expected), "%s: %a, not %a", text, value, expected);
    }
}
END_TEST

/* Decimals that lie exactly between two float64 and their neighbours in the last digit. */
START_TEST(test_halfway)
{
    for (int i = 0; i < 200000; i++) {
        uint64_t odd = (draw() >> 10) | 1 | ((uint64_t)1 << 53); /* 54 bits, the last one set */
        int shift = (int)(draw() % 11);
        uint64_t whole = odd << shift;
        char text[64];
        for (int step = -1; step <= 1; step++) {
            int length = sprintf(text, "%llu", (unsigned long long)(whole + (uint64_t)(int64_t)step));
            double value;
            number_read(text, text + length, &value);
            expect(value == strtod(text, NULL), "%s", text);
            int places = 1 + (int)(draw() % (unsigned)(length - 1));
            memmove(text + length - places + 1, text + length - places, (size_t)places + 1);
            text[length - places] = '.';
            number_read(text, text + length + 1, &value);
            expect(value == strtod(text, NULL), "%s", text);
        }
        double ulp = ldexp((double)(odd | 1), -53 - (int)(draw() % 20)); /* rounded, but few digits behind the point */
        int length = snprintf(text, sizeof text, "%.*f", (int)(draw() % 28), ulp);
        double value;
        number_read(text, text + length, &value);
        expect(value == strtod(text, NULL), "%s", text);
    }
}
END_TEST

START_TEST(test_written)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {3, "3"},
        {-3, "-3"},
        {100000, "100000"},
        {0.1, "0.1"},
        {1e-4, "0.0001"},
        {9.999e-5, "9.999e-05"},
        {1e-7, "1e-07"},
        {123456.789, "123456.789"},
        {9007199254740991, "9007199254740991"},
        {9007199254740992, "9007199254740992"},
        {9999999999999998, "9999999999999998"},
        {1e16, "1e+16"},
        {-1e22, "-1e+22"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5e-324, "5e-324"},
        {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NUMBER_TEXT_MAX + 1];
        text[number_write(cases[i].value, text)] = '\0';
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(test_deaf_to_the_locale)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_ALL, names[i]) != NULL) break;
    expect_value("1.5", 1.5);
    expect_value("0.12345678901234567", 0.12345678901234567);
    char text[NUMBER_TEXT_MAX + 1];
    text[number_write(0.5, text)] = '\0';
    ck_assert_str_eq(text, "0.5");
    setlocale(LC_ALL, "C");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("number");
    TCase *tests = tcase_create("number");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, test_values);
    tcase_add_test(tests, test_long_texts);
    tcase_add_test(tests, test_grammar);
    tcase_add_test(tests, test_round_trip);
    tcase_add_test(tests, test_agrees_with_strtod);
    tcase_add_test(tests, test_halfway);
    tcase_add_test(tests, test_written);
    tcase_add_test(tests, test_deaf_to_the_locale);
    suite_add_tcase(suite, tests);
    return suite;
}
