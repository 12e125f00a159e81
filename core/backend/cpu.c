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

#define REAL double
#define NAME(x) x##_f64
#define CBLAS_GEMM cblas_dgemm
#define DTYPE DTYPE_FLOAT64
#define SMALLEST DBL_MIN
#include "core/backend/formulas.h"
#include "core/backend/updates.h"
#include "core/backend/cpu_rows_template.h"
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
#include "core/backend/cpu_template.h"

const struct backend *backend_cpu(enum dtype dtype)
{
    return dtype == DTYPE_FLOAT32 ? &backend_f32 : &backend_f64;
}
