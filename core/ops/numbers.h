/* The numbers of elementary ops, read and checked. */
#ifndef CORE_OPS_NUMBERS_H
#define CORE_OPS_NUMBERS_H

#include "core/backend/generic.h"
#include "core/ops/op.h"

/* The numbers of a case for the tests. */
#define CASE_NUMBERS(...)                                                                                              \
    .numbers = (const double[]){__VA_ARGS__}, .number_count = sizeof((const double[]){__VA_ARGS__}) / sizeof(double)

/* Whether it is a whole number within [low, high]. */
bool number_is_whole(double number, double low, double high);

/* An axis, counted from the end where it is negative, into *axis; an error that names the shape where there is none. */
int number_axis(const struct op_shape *shape, double number, const struct shape *of, size_t *axis, struct error *error);

/* The same of one that number_axis has let pass. */
static inline size_t number_axis_of(double number, const struct shape *of)
{
    return (size_t)(number < 0 ? number + (double)of->rank : number);
}

/* A rank and so many lengths of axes, from numbers on, into *to; an error where they are none, or together too many. */
int number_shape(const struct op_shape *shape, const double *numbers, struct shape *to, struct error *error);

/* A shape as its elements before an axis, along it, and behind it. */
static inline struct rows_of_fold rows_along(const struct shape *shape, size_t axis)
{
    struct rows_of_fold rows = {.outer = 1, .n = shape->dim[axis], .inner = 1};
    for (size_t i = 0; i < axis; i++)
        rows.outer *= shape->dim[i];
    for (size_t i = axis + 1; i < shape->rank; i++)
        rows.inner *= shape->dim[i];
    return rows;
}

/* ---- views ---- */

/* A view stands in numbers as its rank, its lengths, its strides, its offset: 2 * rank + 2 of them. Strides and the
 * offset count elements of the tensor that it is a view of, packed in row-major order. */
struct strided number_view(const double *numbers);
struct shape view_shape(const struct strided *view);

/* The same into *view with an error where it is none of a tensor of that shape, or reaches beyond it. */
int number_view_of(const struct op_shape *shape, const double *numbers, const struct shape *of, struct strided *view,
                   struct error *error);

/* Whether no two of its indices are the same element. Some of which that is true are not found out, but all that are
 * made by slices, steps, flips and axes in another order are. */
bool view_is_apart(const struct strided *view);

#endif
