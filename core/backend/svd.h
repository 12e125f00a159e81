/* The singular value decomposition of a matrix: LAPACK's dgesdd (divide and conquer), which OpenBLAS brings along. */
#ifndef CORE_BACKEND_SVD_H
#define CORE_BACKEND_SVD_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/error.h"

/* A = U diag(values) Vh, row-major, k = min(rows, columns). */
struct svd {
    size_t rows, columns, count;
    double *values; /* [count], the largest first */
    double *u, *vh; /* [rows, count], [count, columns]; NULL unless they were asked for */
};

/* What it takes, in floating-point operations of large products, and numbers in memory, about. */
double svd_work(double rows, double columns, bool vectors);
double svd_elements(double rows, double columns, bool vectors);

/* Decomposes a row-major matrix of finite numbers, which it leaves alone. Once begun it cannot be cancelled. Memory
 * from the arena. CODE_OUT_OF_MEMORY; CODE_OUT_OF_RANGE for an axis of more than INT_MAX, or where it does not
 * converge; CODE_NOT_FINITE where the largest value overflows. */
int svd_of(struct arena *arena, size_t rows, size_t columns, const double *matrix, bool vectors, struct svd *svd,
           struct error *error);

/* How many values count as not 0, as NumPy's matrix_rank has it: those above values[0] * max(rows, columns) * eps. */
size_t svd_rank(const struct svd *svd);

/* The largest value over the least, NumPy's cond; infinite where the least is 0, and for a matrix of zeros NaN. */
double svd_condition(const struct svd *svd);

#endif
