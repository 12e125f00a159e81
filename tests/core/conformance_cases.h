/* The cases of the ops (op->cases) with numbers, and one call of an op on them: every tensor in memory of its own, with
 * guards on both sides. */
#ifndef TESTS_CORE_CONFORMANCE_CASES_H
#define TESTS_CORE_CONFORMANCE_CASES_H

#include "core/ops/ops.h"
#include "tests/core/conformance.h"

enum { TRIAL_TENSOR_MAX = 128, TRIAL_SAVED_MAX = 1024, TRIAL_NUMBERS_MAX = 64, TRIAL_CLEARANCE = 100 };

/* A step for which truncation and rounding of a central difference are both near 1e-10; and how far a gradient may be
 * off, relative to 1 + its magnitude. */
#define TRIAL_STEP 1e-5
#define TRIAL_TOLERANCE 2e-8

struct trial {
    const struct op *op;
    double attributes[TRIAL_NUMBERS_MAX];
    struct op_plan plan;
    size_t count;              /* of inputs */
    bool has[CASE_INPUTS_MAX]; /* by input: whether the op goes with it */
    bool differentiable[CASE_INPUTS_MAX];
    struct shape in[CASE_INPUTS_MAX];
    size_t n[CASE_INPUTS_MAX], y_n; /* elements; 0 of inputs that the op goes without */
    double x[CASE_INPUTS_MAX][TRIAL_TENSOR_MAX], dy[TRIAL_TENSOR_MAX];
    char text[256]; /* which it is, for messages */
};

struct outcome {
    double value; /* sum of dy * y */
    double y[TRIAL_TENSOR_MAX], dx[CASE_INPUTS_MAX][TRIAL_TENSOR_MAX];
};

/* Which parts of a call are not as usual. */
struct trial_how {
    bool forward_only;
    unsigned unwanted; /* a bit for every input whose gradient nobody needs */
    bool on_top;       /* of an op that adds: gradients are added to x */
    bool bare;         /* of a loss: no output but the scalar, and nothing arrives there */
};

/* Runs the op, checks all guards and that inputs are left alone. */
void trial_run(const struct trial *t, const struct backend *backend, struct trial_how how, struct outcome *out);

/* The gradients by central differences of forward; out->dx alone is filled in. An element of an input is that of all
 * inputs that are `alike`, a bit for each. */
void trial_differences(struct trial *t, const struct backend *backend, struct outcome *out);

/* |got - want| / (1 + |want|), the largest over n; infinite where something is not a number. */
double trial_error(size_t n, const double *got, const double *want);

/* Whether an element lies so near to a kink of the op that a central difference may meet it. */
bool trial_near_kink(const struct trial *t, size_t element);

/* Rounds all numbers to float32's, so that all backends see the same. */
void trial_round(struct trial *t);

/* Calls `body` for every case of the op, of a loss under every reduction and every kind of target. The number of calls.
 */
size_t trial_each(const struct op *op, void (*body)(struct trial *));

/* The backend whose turn it is. Loop tests of so many go through the ops on the first backend, then on the second. */
extern const struct backend *trial_backend;
int trial_loop(void);
const struct op *trial_op(int i); /* NULL behind the last */
const struct op *trial_op_of_loop(int i);

#endif
