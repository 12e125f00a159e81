/* What all parts of the suite share. */
#include "tests/core/conformance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct conformance conformance;

/* ---- a generator whose seed is in every message ---- */

static _Thread_local unsigned long long state;

void conformance_seed(void)
{
    state = 42;
}

double uniform(double low, double high)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return low + (high - low) * (double)(state >> 11) / 9007199254740992.0;
}

/* ---- tensors in a backend's memory, with guards on both sides ---- */

void *guarded_data(const struct guarded *t)
{
    return (char *)t->memory + GUARD * t->backend->element_size;
}

struct guarded guarded_new(struct arena *arena, const struct backend *backend, size_t n, const double *values)
{
    static _Thread_local unsigned serial;
    struct guarded t = {.backend = backend, .n = n, .guard = GUARD_VALUE * (1 + (double)(serial++ % 256) / 256)};
    ck_assert_int_eq(backend->allocate(arena, n + 2 * GUARD, &t.memory), CODE_OK);
    double *all = malloc((n + 2 * GUARD) * sizeof *all);
    ck_assert_ptr_nonnull(all);
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        all[i] = i >= GUARD && i < n + GUARD && values != NULL ? values[i - GUARD] : t.guard;
    ck_assert_int_eq(backend->upload(n + 2 * GUARD, all, t.memory), CODE_OK);
    free(all);
    return t;
}

void guarded_read(const struct guarded *t, double *values)
{
    double *all = malloc((t->n + 2 * GUARD) * sizeof *all);
    ck_assert_ptr_nonnull(all);
    ck_assert_int_eq(t->backend->download(t->n + 2 * GUARD, t->memory, all), CODE_OK);
    for (size_t i = 0; i < GUARD; i++) {
        bool kept = fabs(all[i] / t->guard - 1) < 1e-6 && fabs(all[t->n + GUARD + i] / t->guard - 1) < 1e-6;
        if (!kept) ck_abort_msg("a guard was overwritten");
    }
    memcpy(values, all + GUARD, t->n * sizeof *values);
    free(all);
}

void guarded_free(struct guarded *t)
{
    t->backend->release(t->memory);
    t->memory = NULL;
}

Suite *conformance_suite(const char *name)
{
    Suite *suite = suite_create(name);
    conformance_add_ops(suite);
    conformance_add_values(suite);
    conformance_add_graphs(suite);
    conformance_add_primitives(suite);
    conformance_add_sums(suite);
    conformance_add_passes(suite);
    conformance_add_many(suite);
    return suite;
}
