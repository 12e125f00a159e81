/* One conformance suite for every backend: the ops on it, its primitives, and whole passes of networks. */
#ifndef TESTS_CORE_CONFORMANCE_H
#define TESTS_CORE_CONFORMANCE_H

#include "tests/main.h"

#include <stdbool.h>

#include "core/backend/backend.h"
#include "core/base/error.h"

enum { GUARD = 8 };
#define GUARD_VALUE (-7.25e30)

/* What the suite is run on; tests of one number each, since they are loop tests. */
struct conformance {
    const struct backend *backends[4];
    int count;
    void (*reorder)(bool); /* has the device work in another order, which must not change a bit; may be NULL */
};
extern struct conformance conformance;

/* ---- tensors in a backend's memory, with guards on both sides ---- */

struct guarded {
    const struct backend *backend;
    size_t n;
    void *memory;
    double guard; /* each has another one, so that one copied over another one is seen, too */
};

/* values may be NULL: then they are the guard, too. */
struct guarded guarded_new(struct arena *arena, const struct backend *backend, size_t n, const double *values);
void *guarded_data(const struct guarded *t);
/* Downloads it, and fails where a guard was overwritten. */
void guarded_read(const struct guarded *t, double *values);
void guarded_free(struct guarded *t);

/* A generator, of each thread its own; conformance_seed begins again. */
void conformance_seed(void);
double uniform(double low, double high);

Suite *conformance_suite(const char *name);
void conformance_add_ops(Suite *suite);
void conformance_add_values(Suite *suite);
void conformance_add_graphs(Suite *suite);
void conformance_add_primitives(Suite *suite);
void conformance_add_small_primitives(Suite *suite); /* not in conformance_suite: a part of the above */
void conformance_add_passes(Suite *suite);
void conformance_add_sums(Suite *suite);
void conformance_add_many(Suite *suite);

#endif
