/* Files in memory: their numbers to the last bit, where these lie, and what happens where memory is short or nobody
 * waits. What is wrong with files is tested over HTTP. */
#include "tests/main.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/body/body.h"
#include "server/body/elements.h"
#include "server/body/files.h"
#include "server/body/multipart.h"
#include "server/limits.h"
#include "tests/server/packed.h"

static struct arena arena;
static struct document document;
static struct error error;
static struct packed file;
static struct reading r;

static void begin(void)
{
    document = (struct document){0};
    error = (struct error){0};
    r = (struct reading){
        .arena = &arena, .document = &document, .error = &error, .most = 64 * LIMIT_MIB, .room = 64 * LIMIT_MIB};
}

static void setup(void)
{
    document_setup();
    arena_init(&arena, 256 * LIMIT_MIB);
    file = (struct packed){0};
    begin();
}

static void teardown(void)
{
    arena_free(&arena);
    free(file.data);
}

/* The one tensor of a file. */
static const struct tensor *read_tensor(const char *bytes, size_t length)
{
    json_t *value;
    begin();
    ck_assert_msg(files_read(&r, bytes, length, &value) == CODE_OK, "%s", error.detail);
    const struct numbers *numbers = document_numbers(&document, value);
    ck_assert_ptr_nonnull(numbers);
    return &numbers->tensor;
}

static const struct tensor *read_npy(const char *descr, const char *shape, const void *bytes, size_t length)
{
    file.length = 0;
    packed_npy(&file, descr, shape, bytes, length);
    return read_tensor(file.data, file.length);
}

/* ---- numbers ---- */

/* IEEE 754's binary16, by its definition. */
static double half_of(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double value = exponent == 31  ? (fraction > 0 ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(1024 + fraction, exponent - 25);
    return bits & 0x8000 ? -value : value;
}

START_TEST(test_halves)
{
    enum { ALL = 1 << 16 };
    static uint16_t bits[ALL], swapped[ALL];
    for (unsigned i = 0; i < ALL; i++) {
        bits[i] = (uint16_t)i;
        swapped[i] = (uint16_t)(i >> 8 | i << 8);
    }
    const struct tensor *tensor = read_npy("<f2", "(65536,)", bits, sizeof bits);
    for (unsigned i = 0; i < ALL; i++) {
        double expected = half_of(i);
        bool same = isnan(expected) ? isnan(tensor->data[i]) != 0 : memcmp(&expected, &tensor->data[i], 8) == 0;
        ck_assert_msg(same, "%04x is %g, not %g", i, tensor->data[i], expected);
    }
    const double *first = tensor->data;
    tensor = read_npy(">f2", "(65536,)", swapped, sizeof swapped);
    for (unsigned i = 0; i < ALL; i++)
        ck_assert(isnan(first[i]) ? isnan(tensor->data[i]) : first[i] == tensor->data[i]);
}
END_TEST

START_TEST(test_integers)
{
    const int64_t large[] = {INT64_MIN, INT64_MAX, ((int64_t)1 << 53) + 1, -1};
    const double expected[] = {-0x1p63, 0x1p63, 0x1p53, -1};
    ck_assert_mem_eq(read_npy("<i8", "(4,)", large, sizeof large)->data, expected, sizeof expected);
    const uint64_t whole[] = {UINT64_MAX, 0};
    ck_assert_double_eq(read_npy("<u8", "(2,)", whole, sizeof whole)->data[0], 0x1p64);
    const uint8_t bytes[] = {255, 128, 0, 1};
    const struct tensor *tensor = read_npy("|i1", "(2, 2)", bytes, sizeof bytes);
    ck_assert_double_eq(tensor->data[0], -1);
    ck_assert_double_eq(tensor->data[1], -128);
    ck_assert_double_eq(read_npy("|b1", "(4,)", bytes, sizeof bytes)->data[1], 1);
}
END_TEST

START_TEST(test_fortran_order)
{
    enum { A = 2, B = 3, C = 4 };
    double stored[A * B * C];
    struct layout layout = {.element = ELEMENT_F64, .fortran = true, .shape = {.rank = 3, .dim = {A, B, C}}};
    for (size_t a = 0; a < A; a++)
        for (size_t b = 0; b < B; b++)
            for (size_t c = 0; c < C; c++)
                stored[a + A * (b + B * c)] = (double)(100 * a + 10 * b + c);
    struct tensor tensor;
    ck_assert_int_eq(elements_read(&r, &layout, (const char *)stored, &tensor), CODE_OK);
    for (size_t a = 0; a < A; a++)
        for (size_t b = 0; b < B; b++)
            for (size_t c = 0; c < C; c++)
                ck_assert_double_eq(tensor.data[(a * B + b) * C + c], (double)(100 * a + 10 * b + c));
}
END_TEST

/* ---- where they lie ---- */

START_TEST(test_no_copies)
{
    const double numbers[] = {1, 2, 3, 4, 5, 6};
    file.length = 0;
    packed_npy(&file, "<f8", "(6,)", numbers, sizeof numbers);
    ck_assert_uint_eq((uintptr_t)file.data % sizeof(double), 0);
    const struct tensor *tensor = read_tensor(file.data, file.length);
    ck_assert_ptr_eq(tensor->data, file.data + file.length - sizeof numbers);
    /* One byte further on they are copied. */
    packed_add(&file, " ", 1);
    memmove(file.data + 1, file.data, file.length - 1);
    tensor = read_tensor(file.data + 1, file.length - 1);
    ck_assert_uint_eq((uintptr_t)tensor->data % 64, 0);
    ck_assert_mem_eq(tensor->data, numbers, sizeof numbers);
}
END_TEST

/* ---- parts ---- */

START_TEST(test_parts)
{
    const char *type = "multipart/form-data; boundary=xx";
    struct part *parts;
    size_t count;
    packed_part(&file, "xx", "request", "{}", 2);
    packed_part(&file, "xx", "a.b", "\r\n--x\r\n--", 9);
    packed_part(&file, "xx", "empty", "", 0);
    packed_part_end(&file, "xx");
    ck_assert_int_eq(multipart_split(&r, type, file.data, file.length, &parts, &count), CODE_OK);
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(parts[0].length, 2);
    ck_assert_mem_eq(parts[0].name, "request", parts[0].name_length);
    ck_assert_uint_eq(parts[1].length, 9);
    ck_assert_mem_eq(parts[1].bytes, "\r\n--x\r\n--", 9);
    ck_assert_uint_eq(parts[2].length, 0);
    /* Whatever is cut off is no body. */
    for (size_t length = 0; length + 4 < file.length; length++) {
        char *cut = malloc(length > 0 ? length : 1);
        memcpy(cut, file.data, length);
        begin();
        ck_assert_int_eq(multipart_split(&r, type, cut, length, &parts, &count), CODE_BAD_REQUEST);
        free(cut);
    }
}
END_TEST

/* ---- a body of all that there is ---- */

static void make_body(struct packed *body)
{
    const double numbers[] = {1, 2, 3};
    struct packed array = {0}, archive = {0}, parts = {0};
    packed_npy(&array, "<f8", "(3,)", numbers, sizeof numbers);
    const struct packed_entry entries[] = {{"W1.npy", &array, false}, {"b1.npy", &array, true}};
    packed_zip(&archive, entries, 2);
    packed_part(&parts, "xx", "request", "{\"points\": {\"W1\": 2}, \"c\": [1]}", 31);
    packed_part(&parts, "xx", "gradients", archive.data, archive.length);
    packed_part(&parts, "xx", "data.x", array.data, array.length);
    packed_part(&parts, "xx", "data.y", "[[1, 2], [3, NaN]]", 18);
    packed_part_end(&parts, "xx");
    packed_gzip(body, parts.data, parts.length);
    free(array.data);
    free(archive.data);
    free(parts.data);
}

static int read_body(const struct packed *bytes, const atomic_bool *cancelled)
{
    const struct body body = {.media_type = "multipart/form-data",
                              .content_type = "multipart/form-data; boundary=xx",
                              .coding = "gzip",
                              .bytes = bytes->data,
                              .length = bytes->length,
                              .most = LIMIT_MIB};
    error = (struct error){0};
    return body_read(&body, &arena, cancelled, &document, &error);
}

static const struct tensor *find(const char *member, const char *name)
{
    const struct numbers *numbers =
        document_numbers(&document, json_object_get(json_object_get(document.root, member), name));
    ck_assert_msg(numbers != NULL, "%s.%s", member, name);
    return &numbers->tensor;
}

START_TEST(test_body)
{
    make_body(&file);
    ck_assert_msg(read_body(&file, NULL) == CODE_OK, "%s", error.detail);
    ck_assert_uint_eq(document.count, 5);
    ck_assert_double_eq(find("gradients", "W1")->data[2], 3);
    ck_assert_double_eq(find("gradients", "b1")->data[1], 2);
    ck_assert_double_eq(find("data", "x")->data[0], 1);
    ck_assert_double_eq(find("data", "y")->data[2], 3);
    ck_assert_double_eq(document_numbers(&document, json_object_get(document.root, "c"))->tensor.data[0], 1);
}
END_TEST

/* Whichever piece of memory is refused, that is what is told. */
START_TEST(test_no_memory)
{
    size_t refused = 0;
    make_body(&file);
    for (size_t n = 1;; n++) {
        arena_reset(&arena);
        arena.fail_in = n;
        int code = read_body(&file, NULL);
        arena.fail_in = 0;
        if (code == CODE_OK) break;
        ck_assert_int_eq(code, CODE_OUT_OF_MEMORY);
        refused++;
    }
    ck_assert_uint_gt(refused, 50);
}
END_TEST

START_TEST(test_cancelled)
{
    atomic_bool cancelled = true;
    make_body(&file);
    ck_assert_int_eq(read_body(&file, &cancelled), CODE_CANCELLED);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("files");
    TCase *tests = tcase_create("files");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_halves);
    tcase_add_test(tests, test_integers);
    tcase_add_test(tests, test_fortran_order);
    tcase_add_test(tests, test_no_copies);
    tcase_add_test(tests, test_parts);
    tcase_add_test(tests, test_body);
    tcase_add_test(tests, test_no_memory);
    tcase_add_test(tests, test_cancelled);
    suite_add_tcase(suite, tests);
    return suite;
}
