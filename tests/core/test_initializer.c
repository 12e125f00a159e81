/* NumPy's legacy generator and the schemes on it, bit for bit against what NumPy gave
 * (tests/vectors/numpy_random.txt). */
#include "tests/main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/graph/initializer.h"
#include "tests/core/chain.h"

START_TEST(biases_are_zero_and_so_is_all_with_zeros)
{
    struct initializer uniform = {.scheme = SCHEME_UNIFORM, .seed = 42, .low = 0, .high = 1};
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    static struct test_chain chain;
    struct error error = {0};
    const struct link links[] = {{"linear", 1}, {NULL, 0}};
    ck_assert_int_eq(chain_build(&arena, 1, 1, links, "mse", &chain, &error), CODE_OK);
    double w = 0, b = 7, *parameters[] = {&w, &b};
    initializer_fill(&uniform, &chain.network, parameters);
    ck_assert_double_eq(w, 0.3745401188473625); /* np.random.seed(42); np.random.random_sample() */
    ck_assert_double_eq(b, 0);
    struct initializer zeros = {.scheme = SCHEME_ZEROS};
    initializer_fill(&zeros, &chain.network, parameters);
    ck_assert_double_eq(w, 0);
    arena_free(&arena);
}
END_TEST

enum { LAYERS_MAX = 8, VALUES_MAX = 20000 };

/* One record of the file: a network of linear layers, whose weights one seed draws one after the other. */
struct record {
    struct initializer initializer;
    size_t layers, in[LAYERS_MAX], out[LAYERS_MAX], count;
    double values[VALUES_MAX];
};

static void check_record(const struct record *r)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 24);
    static struct test_chain chain;
    struct link links[LAYERS_MAX + 1] = {0};
    for (size_t i = 0; i < r->layers; i++) {
        links[i] = (struct link){"linear", (double)r->out[i]};
        ck_assert(i == 0 || r->in[i] == r->out[i - 1]);
    }
    struct error error = {0};
    ck_assert_int_eq(chain_build(&arena, r->in[0], 1, links, "mse", &chain, &error), CODE_OK);
    double *parameters[2 * LAYERS_MAX];
    for (size_t p = 0; p < chain.network.parameter_count; p++)
        parameters[p] = arena_doubles(&arena, chain.network.graded[p].value->size);
    initializer_fill(&r->initializer, &chain.network, parameters);
    size_t seen = 0;
    for (size_t p = 0; p < chain.network.parameter_count; p += 2) {
        size_t n = chain.network.graded[p].value->size;
        ck_assert_msg(memcmp(parameters[p], r->values + seen, n * sizeof(double)) == 0,
                      "seed %u, scheme %s, weight %zu", r->initializer.seed, scheme_names[r->initializer.scheme],
                      p / 2 + 1);
        seen += n;
    }
    ck_assert_uint_eq(seen, r->count);
    arena_free(&arena);
}

static enum scheme scheme_of(const char *name)
{
    for (int i = 0; scheme_names[i] != NULL; i++)
        if (strcmp(name, scheme_names[i]) == 0) return (enum scheme)i;
    ck_abort_msg("no scheme %s", name);
    return SCHEME_ZEROS;
}

/* A line: seed (or +, for the next layer of the same network) scheme a b in out value... */
static void read_line(char *line, struct record *r)
{
    char *at, *word = strtok_r(line, " \n", &at);
    bool next_layer = strcmp(word, "+") == 0;
    if (!next_layer) {
        if (r->layers > 0) check_record(r);
        r->layers = r->count = 0;
        r->initializer.seed = (uint32_t)strtoul(word, NULL, 10);
    }
    r->initializer.scheme = scheme_of(strtok_r(NULL, " \n", &at));
    double a = strtod(strtok_r(NULL, " \n", &at), NULL), b = strtod(strtok_r(NULL, " \n", &at), NULL);
    r->initializer.std = r->initializer.low = a;
    r->initializer.high = b;
    ck_assert_uint_lt(r->layers, LAYERS_MAX);
    r->in[r->layers] = strtoul(strtok_r(NULL, " \n", &at), NULL, 10);
    r->out[r->layers++] = strtoul(strtok_r(NULL, " \n", &at), NULL, 10);
    while ((word = strtok_r(NULL, " \n", &at)) != NULL) {
        ck_assert_uint_lt(r->count, VALUES_MAX);
        r->values[r->count++] = strtod(word, NULL);
    }
}

START_TEST(as_numpy_draws_them)
{
    static struct record record;
    FILE *file = fopen("tests/vectors/numpy_random.txt", "r");
    ck_assert_ptr_nonnull(file);
    char *line = NULL;
    size_t room = 0, lines = 0;
    while (getline(&line, &room, file) > 0) {
        if (line[0] == '#') continue;
        read_line(line, &record);
        lines++;
    }
    check_record(&record);
    ck_assert_uint_ge(lines, 20);
    free(line);
    fclose(file);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("initializer");
    TCase *tcase = tcase_create("initializer");
    tcase_add_test(tcase, biases_are_zero_and_so_is_all_with_zeros);
    tcase_add_test(tcase, as_numpy_draws_them);
    suite_add_tcase(suite, tcase);
    return suite;
}
