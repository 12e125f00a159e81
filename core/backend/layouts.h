/* How primitives see tensors that are more than vectors and matrices: as places in strides, as what indices name, as
 * rows along one axis. */
#ifndef CORE_BACKEND_LAYOUTS_H
#define CORE_BACKEND_LAYOUTS_H

#include <stdbool.h>
#include <stddef.h>

/* Elements of a tensor in another order, or some of them, or some more than once: that of index i stands at
 * offset + sum of i[axis] * stride[axis]. All of these are within the tensor. */
enum { VIEW_RANK_MAX = 16 };
struct strided {
    size_t rank;
    size_t dim[VIEW_RANK_MAX];
    ptrdiff_t stride[VIEW_RANK_MAX];
    size_t offset;
};

/* What a view needs of the tensor: the elements from *first on, so many. */
static inline void view_span(const struct strided *view, size_t *first, size_t *count)
{
    *first = view->offset;
    *count = 1;
    for (size_t axis = 0; axis < view->rank; axis++) {
        size_t steps = view->dim[axis] - 1;
        if (view->stride[axis] < 0) *first -= steps * (size_t)-view->stride[axis];
        *count += steps * (size_t)(view->stride[axis] < 0 ? -view->stride[axis] : view->stride[axis]);
    }
}

static inline size_t view_elements(const struct strided *view)
{
    size_t n = 1;
    for (size_t axis = 0; axis < view->rank; axis++)
        n *= view->dim[axis];
    return n;
}

/* A tensor [outer, dim[0], ..., dim[axes - 1], inner], and `count` places in the middle of it, each named by one number
 * of each of `axes` lists of indices: whole numbers, those below 0 counted from the end. With `along` there is one
 * axis, and one list [outer, count, inner]: each element has an index of its own. */
enum { INDEXED_AXES_MAX = 16 };
struct indexed {
    bool along;
    size_t outer, axes, dim[INDEXED_AXES_MAX], inner, count;
};

/* The length of all indexed axes together. */
static inline size_t indexed_length(const struct indexed *indexed)
{
    size_t n = 1;
    for (size_t axis = 0; axis < indexed->axes; axis++)
        n *= indexed->dim[axis];
    return n;
}

/* Many numbers made one: [outer, n, inner] -> [outer, inner]. Of several that are largest the first one counts; so does
 * the first NaN. */
enum fold {
    FOLD_sum,
    FOLD_mean,
    FOLD_max,
    FOLD_min,
    FOLD_prod,
    FOLD_logsumexp,
    FOLD_variance, /* sum of squares of what is off the mean, over n - a */
    FOLD_norm,     /* root of the sum of squares; its gradient at 0 is 0 */
    FOLD_argmax,   /* which one it is; no gradient */
    FOLD_argmin,
    FOLD_COUNT
};
struct rows_of_fold {
    size_t outer, n, inner;
};

#endif
