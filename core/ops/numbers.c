#include "core/ops/numbers.h"

#include <math.h>
#include <stdint.h>

#define WHOLE_MAX 9007199254740992.0 /* up to there every whole number is a double */

bool number_is_whole(double number, double low, double high)
{
    return number >= low && number <= high && floor(number) == number;
}

int number_axis(const struct op_shape *shape, double number, const struct shape *of, size_t *axis, struct error *error)
{
    char text[SHAPE_TEXT_MAX];
    double rank = (double)of->rank;
    if (!number_is_whole(number, -rank, rank - 1))
        return error_set(error, CODE_OUT_OF_RANGE, "%s: axis %g is out of bounds for an array of shape %s",
                         shape->op->name, number, shape_text(of, text));
    *axis = number_axis_of(number, of);
    return CODE_OK;
}

int number_shape(const struct op_shape *shape, const double *numbers, struct shape *to, struct error *error)
{
    size_t size;
    to->rank = 0;
    if (!number_is_whole(numbers[0], 0, TENSOR_RANK_MAX))
        return error_set(error, CODE_OUT_OF_RANGE, "%s: an array has at most %d axes, not %g", shape->op->name,
                         TENSOR_RANK_MAX, numbers[0]);
    for (size_t i = 0; i < (size_t)numbers[0]; i++) {
        if (!number_is_whole(numbers[1 + i], 1, WHOLE_MAX))
            return error_set(error, CODE_OUT_OF_RANGE,
                             "%s: an axis has at least one element, and a whole number of "
                             "them, not %g",
                             shape->op->name, numbers[1 + i]);
        to->dim[to->rank++] = (size_t)numbers[1 + i];
    }
    if (!shape_size(to, &size))
        return error_set(error, CODE_OUT_OF_RANGE, "%s: the output is too large", shape->op->name);
    return CODE_OK;
}

/* ---- views ---- */

struct strided number_view(const double *numbers)
{
    struct strided view = {.rank = (size_t)numbers[0]};
    for (size_t i = 0; i < view.rank; i++) {
        view.dim[i] = (size_t)numbers[1 + i];
        view.stride[i] = (ptrdiff_t)numbers[1 + view.rank + i];
    }
    view.offset = (size_t)numbers[1 + 2 * view.rank];
    return view;
}

struct shape view_shape(const struct strided *view)
{
    return shape_of(view->rank, view->dim);
}

int number_view_of(const struct op_shape *shape, const double *numbers, const struct shape *of, struct strided *view,
                   struct error *error)
{
    struct shape out;
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    if (number_shape(shape, numbers, &out, error) != CODE_OK) return error->code;
    const double *strides = numbers + 1 + out.rank;
    /* Products of what is at most 2^53: where a sum of them is rounded, it is out of bounds by far. */
    double lowest = strides[out.rank], highest = lowest;
    bool whole = number_is_whole(lowest, 0, WHOLE_MAX);
    for (size_t i = 0; i < out.rank; i++) {
        whole = whole && number_is_whole(strides[i], -WHOLE_MAX, WHOLE_MAX);
        *(strides[i] < 0 ? &lowest : &highest) += strides[i] * (double)(out.dim[i] - 1);
    }
    if (!whole)
        return error_set(error, CODE_OUT_OF_RANGE, "%s: strides and the offset are whole numbers", shape->op->name);
    if (lowest < 0 || highest >= (double)op_elements(of))
        return error_set(error, CODE_SHAPE_MISMATCH, "%s: a view of shape %s reaches beyond an array of shape %s",
                         shape->op->name, shape_text(&out, a), shape_text(of, b));
    *view = number_view(numbers);
    return CODE_OK;
}

static size_t step_of(const struct strided *view, size_t axis)
{
    return (size_t)(view->stride[axis] < 0 ? -view->stride[axis] : view->stride[axis]);
}

bool view_is_apart(const struct strided *view)
{
    /* From the smallest step to the largest: each goes beyond all that those before it reach together. */
    bool seen[VIEW_RANK_MAX] = {false};
    size_t reach = 0;
    for (size_t turn = 0; turn < view->rank; turn++) {
        size_t least = view->rank;
        for (size_t axis = 0; axis < view->rank; axis++)
            if (!seen[axis] && (least == view->rank || step_of(view, axis) < step_of(view, least))) least = axis;
        seen[least] = true;
        if (view->dim[least] == 1) continue;
        if (step_of(view, least) <= reach) return false;
        reach += step_of(view, least) * (view->dim[least] - 1);
    }
    return true;
}
