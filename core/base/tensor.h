/* Shapes, and tensors in host memory. */
#ifndef CORE_BASE_TENSOR_H
#define CORE_BASE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"

enum { TENSOR_RANK_MAX = 16, SHAPE_TEXT_MAX = 360 };

struct shape {
    size_t rank; /* 0 is a scalar */
    size_t dim[TENSOR_RANK_MAX];
};

/* Row-major float64, whatever the arithmetic of a pass is. The data belongs to an arena or to somebody else.
 */
struct tensor {
    struct shape shape;
    size_t size; /* the number of elements: the product of the dimensions, 1 for a scalar */
    double *data;
};

struct shape shape_of(size_t rank, const size_t *dim);
bool shape_equal(const struct shape *a, const struct shape *b);

/* The same as an assignment, without the room for axes that it does not have. */
static inline void shape_copy(struct shape *to, const struct shape *from)
{
    to->rank = from->rank;
    for (size_t i = 0; i < from->rank; i++)
        to->dim[i] = from->dim[i];
}

/* The number of elements into *size; false where it overflows. */
bool shape_size(const struct shape *shape, size_t *size);

/* "[2,3]", as reports write it. Returns `text`, of SHAPE_TEXT_MAX bytes, enough for any shape. */
const char *shape_text(const struct shape *shape, char *text);

/* The index, axis by axis, of the element at `offset` in row-major order, into index[shape->rank]. */
void shape_index(const struct shape *shape, size_t offset, size_t *index);

/* An uninitialised tensor of that shape from the arena; false when memory is short or the size overflows. */
bool tensor_new(struct arena *arena, const struct shape *shape, struct tensor *tensor);

/* to [columns, rows] = the transpose of from [rows, columns]; the two do not overlap. */
void tensor_transpose(size_t rows, size_t columns, const double *from, double *to);

/* Axes in another order: axis i of `to` is axes[i] of `from`, which has the given shape; or, with back, the other way
 * round: `to` has the given shape, and axis i of `from` is its axes[i]. The two do not overlap. */
void tensor_permute(const struct shape *shape, const unsigned char *axes, bool back, const double *from, double *to);

/* The offset of the first element that is NaN or infinite; tensor->size where all are finite. */
size_t tensor_first_not_finite(const struct tensor *tensor);

#endif
