#include "core/backend/svd.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* Debian's packages have no header for it. LAPACK 3: A is destroyed; columns come one after the other; the last
 * argument is the length of the first, as gfortran passes it. */
extern void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
                    const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info,
                    size_t jobz_length);

/* Most of it are products of a matrix and a vector, which take several times as long as large products do. */
#define SLOWNESS 4.0

double svd_work(double rows, double columns, bool vectors)
{
    double least = rows < columns ? rows : columns, most = rows < columns ? columns : rows;
    double work = vectors ? 14 * most * least * least + 30 * least * least * least : 8 * most * least * least;
    return SLOWNESS * work;
}

double svd_elements(double rows, double columns, bool vectors)
{
    double least = rows < columns ? rows : columns;
    return 2 * rows * columns + 200 * (rows + columns) +
           (vectors ? 2 * least * (rows + columns) + 5 * least * least : 0);
}

/* In LAPACK's order of elements the matrix is A^T = V diag(values) U^T: its U is Vh here, row by row, and its V^T is U.
 */
int svd_of(struct arena *arena, size_t rows, size_t columns, const double *matrix, bool vectors, struct svd *svd,
           struct error *error)
{
    size_t count = rows < columns ? rows : columns;
    *svd = (struct svd){.rows = rows, .columns = columns, .count = count};
    if (rows > INT_MAX || columns > INT_MAX)
        return error_set(error, CODE_OUT_OF_RANGE, "a matrix has at most %d rows and columns", INT_MAX);
    const char *job = vectors ? "S" : "N";
    int m = (int)columns, n = (int)rows, k = (int)count, query = -1, info = 0;
    double *copy = arena_array(arena, rows, columns * sizeof *copy), size = 0;
    int *whole = arena_array(arena, count, 8 * sizeof *whole);
    svd->values = arena_doubles(arena, count);
    if (vectors) svd->u = arena_array(arena, rows, count * sizeof *svd->u);
    if (vectors) svd->vh = arena_array(arena, count, columns * sizeof *svd->vh);
    if (copy == NULL || whole == NULL || svd->values == NULL) return error_out_of_memory(error);
    if (vectors && (svd->u == NULL || svd->vh == NULL)) return error_out_of_memory(error);
    memcpy(copy, matrix, rows * columns * sizeof *copy);
    double nothing = 0, *first = vectors ? svd->vh : &nothing, *second = vectors ? svd->u : &nothing;
    dgesdd_(job, &m, &n, copy, &m, svd->values, first, &m, second, &k, &size, &query, whole, &info, 1);
    if (info != 0 || !(size < INT_MAX)) return error_set(error, CODE_OUT_OF_RANGE, "the matrix is too large");
    int length = (int)size;
    double *work = arena_doubles(arena, (size_t)length);
    if (work == NULL) return error_out_of_memory(error);
    dgesdd_(job, &m, &n, copy, &m, svd->values, first, &m, second, &k, work, &length, whole, &info, 1);
    if (info != 0) return error_set(error, CODE_OUT_OF_RANGE, "the decomposition did not converge");
    if (isfinite(svd->values[0])) return CODE_OK;
    return error_set(error, CODE_NOT_FINITE, "the largest singular value overflows float64");
}

size_t svd_rank(const struct svd *svd)
{
    size_t longer = svd->rows > svd->columns ? svd->rows : svd->columns, rank = 0;
    double least = svd->values[0] * ((double)longer * DBL_EPSILON);
    while (rank < svd->count && svd->values[rank] > least)
        rank++;
    return rank;
}

double svd_condition(const struct svd *svd)
{
    return svd->values[0] / svd->values[svd->count - 1];
}
