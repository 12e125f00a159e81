/* The CPU backend: one source of the primitives (cpu_template.h), compiled for float64 and for float32. */
#include "core/backend/backend.h"

#include <cblas.h>
#include <float.h>
#include <limits.h>
#include <string.h>
#include <tgmath.h>

#include "core/base/parallel.h"
#include "core/base/error.h"

/* Below so many multiplications plain loops are faster than a call of CBLAS (measured: break-even near
 * 16x16x16). */
#define SMALL_GEMM 4096

/* From so many multiplications on (some 50 microseconds) a product is made in two parts, on two cores where another one
 * is free; the first has a multiple of so many rows or columns, as vector kernels like them. */
#define LARGE_GEMM 2e6
#define PART_MULTIPLE 16

/* C of up to so many columns is summed in registers. */
#define NARROW 8

/* So many sums at once of a gradient that is summed over a broadcast: their parts stay in the first cache. */
#define LANES 256

#define FORMULA static inline

/* The next step through the larger tensor along the axes before the last, those that are repeated or the others: index
 * and the offset there are brought up to date. False, and back at the beginning, after the last one. */
static bool next_of_axes(const struct spread *s, bool repeated, size_t *index, size_t *offset)
{
    size_t step = 1;
    for (size_t axis = s->rank - 1; axis-- > 0;) {
        step *= s->dim[axis + 1];
        if ((s->stride[axis] == 0) != repeated) continue;
        *offset += step;
        if (++index[axis] < s->dim[axis]) return true;
        *offset -= step * s->dim[axis];
        index[axis] = 0;
    }
    return false;
}

/* Which axes to step through, of those before the last: all, those along which a tensor is repeated, or the others. */
enum axes { AXES_ALL, AXES_REPEATED, AXES_OWN };

/* The next step through a broadcast along these axes of that tensor: index and the offsets in the tensors, and behind
 * them that in the output, are brought up to date. False, and back at the beginning, after the last one. */
enum { OUTPUT = BROADCAST_TENSORS, OFFSETS };
static bool next_of_broadcast(const struct broadcast *s, enum axes axes, size_t tensor, size_t *index, size_t *offset)
{
    size_t step = s->dim[s->rank - 1];
    for (size_t axis = s->rank - 1; axis-- > 0; step *= s->dim[axis]) {
        bool repeated = s->stride[tensor][axis] == 0;
        if (axes != AXES_ALL && repeated != (axes == AXES_REPEATED)) continue;
        bool more = ++index[axis] < s->dim[axis];
        size_t back = more ? 0 : s->dim[axis];
        for (size_t k = 0; k < BROADCAST_TENSORS; k++)
            offset[k] += s->stride[k][axis] - back * s->stride[k][axis];
        offset[OUTPUT] += step - back * step;
        if (more) return true;
        index[axis] = 0;
    }
    return false;
}

/* ---- views ---- */

/* The same view with as few axes as it can have, but one at least: those that lie in each other as in a packed tensor
 * are one. */
static struct strided view_merged(const struct strided *view)
{
    struct strided merged = {.rank = 0, .offset = view->offset};
    for (size_t axis = 0; axis < view->rank; axis++) {
        ptrdiff_t stride = view->stride[axis], n = (ptrdiff_t)view->dim[axis];
        size_t last = merged.rank - 1;
        if (n == 1) continue;
        if (merged.rank > 0 && merged.stride[last] == stride * n) {
            merged.dim[last] *= view->dim[axis];
            merged.stride[last] = stride;
        } else {
            merged.dim[merged.rank] = view->dim[axis];
            merged.stride[merged.rank++] = stride;
        }
    }
    if (merged.rank == 0) {
        merged.dim[0] = 1;
        merged.stride[merged.rank++] = 1;
    }
    return merged;
}

/* A view as loops, the last of which is the innermost one: by how much each goes on in the packed tensor (near) and in
 * the other one (far). Two at least. */
struct loops {
    size_t rank;
    size_t dim[VIEW_RANK_MAX + 1];
    ptrdiff_t near[VIEW_RANK_MAX + 1], far[VIEW_RANK_MAX + 1];
};

/* Where the last axis jumps in the other tensor, one that runs through it stands before the last: the two are walked
 * through in squares, so that what comes with an element into the cache is used before it leaves. */
static struct loops loops_of(const struct strided *view)
{
    const struct strided merged = view_merged(view);
    struct loops loops = {.rank = 0};
    size_t last = merged.rank - 1, beside = last;
    bool jumps = merged.stride[last] != 0 && merged.stride[last] != 1;
    for (size_t axis = 0; axis < last; axis++)
        if (jumps && (merged.stride[axis] == 1 || merged.stride[axis] == -1)) beside = axis;
    ptrdiff_t near[VIEW_RANK_MAX], step = 1;
    for (size_t axis = merged.rank; axis-- > 0; step *= (ptrdiff_t)merged.dim[axis])
        near[axis] = step;
    if (merged.rank == 1) {
        loops.dim[0] = 1;
        loops.near[0] = loops.far[0] = 0;
        loops.rank = 1;
    }
    for (size_t turn = 0; turn < 2; turn++) /* the others, then that one and the last */
        for (size_t axis = 0; axis < merged.rank; axis++) {
            if ((axis == beside || axis == last) != (turn == 1)) continue;
            loops.dim[loops.rank] = merged.dim[axis];
            loops.near[loops.rank] = near[axis];
            loops.far[loops.rank++] = merged.stride[axis];
        }
    return loops;
}

/* The next step of all loops but the innermost two; false after the last one. */
static bool loops_next(const struct loops *loops, size_t *index, ptrdiff_t *near, ptrdiff_t *far)
{
    for (size_t axis = loops->rank - 2; axis-- > 0;) {
        *near += loops->near[axis];
        *far += loops->far[axis];
        if (++index[axis] < loops->dim[axis]) return true;
        *near -= loops->near[axis] * (ptrdiff_t)index[axis];
        *far -= loops->far[axis] * (ptrdiff_t)index[axis];
        index[axis] = 0;
    }
    return false;
}

#define REAL double
#define NAME(x) x##_f64
#define CBLAS_GEMM cblas_dgemm
#define DTYPE DTYPE_FLOAT64
#define SMALLEST DBL_MIN
#include "core/backend/formulas.h"
#include "core/backend/updates.h"
#include "core/backend/cpu_rows_template.h"
#include "core/backend/cpu_broadcast_template.h"
#include "core/backend/cpu_template.h"
#undef REAL
#undef NAME
#undef CBLAS_GEMM
#undef DTYPE
#undef SMALLEST

#define REAL float
#define NAME(x) x##_f32
#define CBLAS_GEMM cblas_sgemm
#define DTYPE DTYPE_FLOAT32
#define SMALLEST FLT_MIN
#include "core/backend/formulas.h"
#include "core/backend/updates.h"
#include "core/backend/cpu_rows_template.h"
#include "core/backend/cpu_broadcast_template.h"
#include "core/backend/cpu_template.h"

const struct backend *backend_cpu(enum dtype dtype)
{
    return dtype == DTYPE_FLOAT32 ? &backend_f32 : &backend_f64;
}
