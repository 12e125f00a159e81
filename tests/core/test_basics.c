/* Memory, shapes, errors. */
#include "tests/main.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/numbers.h"
#include "core/base/tensor.h"
#include "tests/place.h"

START_TEST(arena_gives_aligned_pieces_that_do_not_overlap)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 24);
    char *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        size_t size = i * 37;
        pieces[i] = i % 3 == 0 ? (char *)arena_doubles(&arena, size / 8 + 1) : arena_alloc(&arena, size);
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq((uintptr_t)pieces[i] % (i % 3 == 0 ? 64 : 16), 0);
        memset(pieces[i], (int)i, size);
    }
    size_t wrong = 0; /* an assertion for every byte takes the better part of a second */
    for (size_t i = 0; i < 200; i++)
        for (size_t b = 0; b < i * 37; b++)
            wrong += pieces[i][b] != (char)i;
    ck_assert_uint_eq(wrong, 0);
    arena_free(&arena);
}
END_TEST

START_TEST(all_arenas_together_have_a_limit)
{
    const size_t mib = (size_t)1 << 20;
    struct arena a, b;
    size_t before = memory_taken();
    arena_init(&a, 1024 * mib);
    arena_init(&b, 1024 * mib);
    memory_start(before + 3 * mib);
    ck_assert_ptr_nonnull(arena_alloc(&a, 2 * mib));
    ck_assert_ptr_null(arena_alloc(&b, 2 * mib));
    ck_assert_uint_ge(memory_taken(), before + 2 * mib);
    arena_free(&a);
    ck_assert_ptr_nonnull(arena_alloc(&b, 2 * mib));
    arena_free(&b);
    ck_assert_uint_eq(memory_taken(), before);
    ck_assert(!memory_take(SIZE_MAX) && !memory_take(4 * mib) && memory_taken() == before);
    memory_start(SIZE_MAX);
}
END_TEST

START_TEST(arena_refuses_what_overflows_or_is_over_its_limit)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX / 2));
    ck_assert_ptr_null(arena_array(&arena, SIZE_MAX / 8, 16));
    ck_assert_ptr_null(arena_doubles(&arena, SIZE_MAX / 4));
    ck_assert_ptr_null(arena_text(&arena, "", SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(&arena, (size_t)2 << 20));
    size_t pieces = 0;
    while (arena_alloc(&arena, 1000) != NULL)
        pieces++;
    ck_assert_uint_ge(pieces, 900);
    ck_assert_uint_le(arena.held, (size_t)1 << 20);
    arena_reset(&arena);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 1000));
    arena_free(&arena);
    ck_assert_uint_eq(arena.held, 0);
}
END_TEST

START_TEST(shapes)
{
    struct shape shape = {3, {2, 3, 4}};
    size_t size, index[TENSOR_RANK_MAX];
    char text[SHAPE_TEXT_MAX];
    ck_assert(shape_size(&shape, &size) && size == 24);
    ck_assert_str_eq(shape_text(&shape, text), "[2,3,4]");
    shape_index(&shape, 23, index);
    ck_assert(index[0] == 1 && index[1] == 2 && index[2] == 3);
    shape_index(&shape, 5, index);
    ck_assert(index[0] == 0 && index[1] == 1 && index[2] == 1);
    struct shape other = shape;
    ck_assert(shape_equal(&shape, &other));
    other.dim[2] = 5;
    ck_assert(!shape_equal(&shape, &other));
    struct shape huge = {3, {(size_t)1 << 62, 2, 3}};
    ck_assert(!shape_size(&huge, &size));
    struct shape scalar = {0, {0}};
    ck_assert(shape_size(&scalar, &size) && size == 1);
    ck_assert_str_eq(shape_text(&scalar, text), "[]");
    struct shape longest = {.rank = TENSOR_RANK_MAX};
    for (size_t i = 0; i < TENSOR_RANK_MAX; i++)
        longest.dim[i] = SIZE_MAX;
    ck_assert_uint_lt(strlen(shape_text(&longest, text)), SHAPE_TEXT_MAX);
}
END_TEST

START_TEST(transposes)
{
    enum { ROWS = 37, COLUMNS = 50 };
    static double a[ROWS * COLUMNS], b[ROWS * COLUMNS], back[ROWS * COLUMNS];
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        a[i] = (double)i;
    tensor_transpose(ROWS, COLUMNS, a, b);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLUMNS; j++)
            ck_assert_double_eq(b[j * ROWS + i], a[i * COLUMNS + j]);
    tensor_transpose(COLUMNS, ROWS, b, back);
    ck_assert_mem_eq(a, back, sizeof a);
}
END_TEST

START_TEST(finds_what_is_not_finite)
{
    double values[] = {1, -1e308, 0, INFINITY, NAN};
    struct tensor tensor = {.size = 5, .data = values};
    ck_assert_uint_eq(tensor_first_not_finite(&tensor), 3);
    tensor.size = 3;
    ck_assert_uint_eq(tensor_first_not_finite(&tensor), 3);
}
END_TEST

START_TEST(sums_and_maxima_of_any_length)
{
    enum { MOST = 11 };
    double a[MOST], b[MOST], sum = 0;
    ck_assert_double_eq(numbers_largest(0, NULL), 0);
    ck_assert_double_eq(numbers_dot(0, NULL, NULL), 0);
    for (size_t n = 1; n <= MOST; n++) {
        a[n - 1] = (double)n;
        b[n - 1] = n % 2 > 0 ? 2 : -3;
        sum += a[n - 1] * b[n - 1];
        ck_assert_double_eq(numbers_dot(n, a, b), sum);
        for (size_t at = 0; at < n; at++) {
            double kept = a[at];
            a[at] = -100;
            ck_assert_double_eq(numbers_largest(n, a), 100);
            a[at] = NAN;
            ck_assert_double_eq(numbers_largest(n, a), at + 1 < n ? (double)n : (double)(n - 1));
            a[at] = kept;
        }
    }
}
END_TEST

START_TEST(the_first_error_wins_and_its_place_grows_outwards)
{
    struct error error = {0};
    ck_assert_int_eq(error_set(&error, CODE_SHAPE_MISMATCH, "first %d", 1), CODE_SHAPE_MISMATCH);
    ck_assert_int_eq(error_set(&error, CODE_OUT_OF_RANGE, "second"), CODE_SHAPE_MISMATCH);
    ck_assert_str_eq(error.detail, "first 1");
    error_at_index(&error, 3);
    error_at(&error, "a/b~c");
    error_at(&error, "x");
    ck_assert_str_eq(place_of(&error), "/x/a/b~c/3");
}
END_TEST

START_TEST(long_errors_are_cut_between_characters)
{
    struct error error = {0};
    char text[2000];
    for (size_t i = 0; i < 1998; i += 2)
        memcpy(text + i, "\xC3\xA9", 2); /* e acute */
    text[1998] = '\0';
    error_set(&error, CODE_SHAPE_MISMATCH, "x%s", text);
    size_t length = strlen(error.detail);
    ck_assert_uint_lt(length, ERROR_DETAIL_MAX);
    ck_assert_uint_gt(length, ERROR_DETAIL_MAX - 8);
    ck_assert_uint_eq((unsigned char)error.detail[length - 1], 0xA9);
    error_at(&error, "inner");
    error_at(&error, text); /* does not fit: the place is never something else instead */
    ck_assert_str_eq(place_of(&error), "");
    error_at(&error, "outer");
    ck_assert_str_eq(place_of(&error), "/outer");
    text[300] = '\0';
    error_at(&error, text);
    ck_assert_uint_eq(error.step_count, 2);
    error_at(&error, text); /* would fit alone: what is inside of it goes */
    ck_assert_uint_eq(error.step_count, 1);
    ck_assert_str_eq(error_step_at(&error, 0).name, text);
    for (size_t i = 0; i < 2 * ERROR_STEPS_MAX; i++)
        error_at_index(&error, i);
    ck_assert_uint_le(error.step_count, ERROR_STEPS_MAX);
    ck_assert_uint_eq(error_step_at(&error, 0).index, 2 * ERROR_STEPS_MAX - 1);
}
END_TEST

START_TEST(names_in_errors_are_cut_between_characters)
{
    struct error error = {0};
    error_set(&error, CODE_SHAPE_MISMATCH, "\"%.4s\", \"%.5s\", \"%.3s\"", "a\xC3\xA9\xC3\xA9",
              "\xE2\x82\xAC\xE2\x82\xAC", "\xF0\x9F\x98\x80");
    ck_assert_str_eq(error.detail, "\"a\xC3\xA9\", \"\xE2\x82\xAC\", \"\"");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("basics");
    TCase *tcase = tcase_create("arena, tensor, status");
    tcase_add_test(tcase, arena_gives_aligned_pieces_that_do_not_overlap);
    tcase_add_test(tcase, arena_refuses_what_overflows_or_is_over_its_limit);
    tcase_add_test(tcase, all_arenas_together_have_a_limit);
    tcase_add_test(tcase, shapes);
    tcase_add_test(tcase, transposes);
    tcase_add_test(tcase, finds_what_is_not_finite);
    tcase_add_test(tcase, sums_and_maxima_of_any_length);
    tcase_add_test(tcase, the_first_error_wins_and_its_place_grows_outwards);
    tcase_add_test(tcase, long_errors_are_cut_between_characters);
    tcase_add_test(tcase, names_in_errors_are_cut_between_characters);
    suite_add_tcase(suite, tcase);
    return suite;
}
