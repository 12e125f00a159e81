/* What ops share that make many numbers one along a set of axes: their file then only says which way
 * (core/backend/layouts.h) they do.
 *
 * Numbers: how many axes, or -1 for all of them; these axes, from the end where they are negative; 1 where they stay
 * with length 1, else 0; and what the op has besides. */
#ifndef CORE_OPS_REDUCTION_H
#define CORE_OPS_REDUCTION_H

#include "core/ops/numbers.h"
#include "core/ops/writing.h"

/* How an input is seen: as [outer, n, inner] of it, or, where the axes do not lie beside each other, of its elements in
 * another order, those axes last. */
struct reduced {
    struct rows_of_fold rows;
    bool reordered;
    struct strided order;
    bool axes[TENSOR_RANK_MAX]; /* which are gone */
    double more;                /* the number behind, of the variance: ddof */
};

/* Room for the input in that order, and for its gradient. */
enum { REDUCTION_ROOM, REDUCTION_GRADIENT };

struct reduced reduction_of(const struct op *op, const double *numbers, const struct shape *in);

int reduction_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error);
int reduction_forward(const struct op_call *call);
int reduction_backward(const struct op_call *call);

/* For op->write of them: how the axes are written, "0" or "(0, 2), keepdims=True", nothing where all go; how those of
 * the same reduction whose result can be taken from the input are, "0, keepdims=True"; and how many numbers become one.
 * Puts how dy and y are given the axes that are gone into the writing. False where it is too long. */
struct reduction_words {
    char axes[WRITING_MAX / 4], kept[WRITING_MAX / 4];
    size_t n;
    double more; /* as above */
};
bool reduction_words(struct op_writing *w, struct reduction_words *words);

/* op->ties of the largest and the least. */
void reduction_ties(const struct op_call *call, signed char *to);

/* Cases that every one of them is tested with, `more` being the number behind: along the last axis, the first,
 * one in the middle, several that lie beside each other and that do not, all, none. */
#define REDUCTION_CASES(more)                                                                                          \
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(1, 1, 0, more)},                                                    \
        {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(1, 0, 1, more)},                                                \
        {.count = 1, .in = {{3, {2, 3, 4}}}, CASE_NUMBERS(1, -2, 0, more)},                                            \
        {.count = 1, .in = {{3, {2, 3, 4}}}, CASE_NUMBERS(2, -1, 0, 0, more)},                                         \
        {.count = 1, .in = {{4, {2, 3, 2, 3}}}, CASE_NUMBERS(2, 1, 3, 1, more)},                                       \
        {.count = 1, .in = {{4, {2, 3, 2, 3}}}, CASE_NUMBERS(3, 0, 2, 3, 0, more)},                                    \
        {.count = 1, .in = {{4, {2, 1, 2, 3}}}, CASE_NUMBERS(2, 0, 2, 0, more)},                                       \
        {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(-1, 0, more)},                                                  \
        {.count = 1, .in = {{1, {5}}}, CASE_NUMBERS(-1, 1, more)},                                                     \
        {.count = 1, .in = {{2, {40, 3}}}, CASE_NUMBERS(1, 0, 0, more)},                                               \
        {.count = 1, .in = {{2, {3, 40}}}, CASE_NUMBERS(1, -1, 0, more)},                                              \
    {                                                                                                                  \
        .count = 1, .in = {{8, {2, 1, 2, 2, 1, 2, 2, 2}}}, CASE_NUMBERS(3, 0, 3, -1, 1, more)                          \
    }

/* Those in which nothing is made one: one number is its own sum, but has no variance. */
#define REDUCTION_CASES_OF_ONE                                                                                         \
    {.count = 1, .in = {{2, {3, 1}}}, CASE_NUMBERS(1, 1, 0)}, {.count = 1, .in = {{0}}, CASE_NUMBERS(-1, 0)},          \
    {                                                                                                                  \
        .count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(0, 0)                                                            \
    }

#endif
