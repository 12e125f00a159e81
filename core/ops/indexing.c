#include "core/ops/indexing.h"

#include <math.h>

int indexing_plan(const struct op_shape *shape, size_t lists, struct shape *named, struct error *error)
{
    const struct shape *in = shape->in[0], *list = shape->in[lists];
    const double axes = shape->attributes[INDEXING_AXES];
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    size_t first, size;
    if (number_axis(shape, shape->attributes[INDEXING_FIRST], in, &first, error) != CODE_OK) return error->code;
    if (axes != (double)(shape->count - lists) || axes > INDEXED_AXES_MAX || (double)first + axes > (double)in->rank)
        return error_set(error, CODE_SHAPE_MISMATCH,
                         "%s: too many indices, %zu from axis %zu on, for an array of shape %s", shape->op->name,
                         shape->count - lists, first, shape_text(in, a));
    for (size_t k = lists + 1; k < shape->count; k++)
        if (!shape_equal(list, shape->in[k]))
            return error_set(error, CODE_SHAPE_MISMATCH, "%s: the lists of indices differ in shape: %s and %s",
                             shape->op->name, shape_text(list, a), shape_text(shape->in[k], b));
    size_t behind = first + (size_t)axes;
    if (list->rank + in->rank - (size_t)axes > TENSOR_RANK_MAX)
        return error_set(error, CODE_OUT_OF_RANGE,
                         "%s: indices of shape %s into an array of shape %s make too many axes", shape->op->name,
                         shape_text(list, a), shape_text(in, b));
    named->rank = 0;
    for (size_t i = 0; i < first; i++)
        named->dim[named->rank++] = in->dim[i];
    for (size_t i = 0; i < list->rank; i++)
        named->dim[named->rank++] = list->dim[i];
    for (size_t i = behind; i < in->rank; i++)
        named->dim[named->rank++] = in->dim[i];
    if (!shape_size(named, &size))
        return error_set(error, CODE_OUT_OF_RANGE, "%s: the output is too large", shape->op->name);
    return CODE_OK;
}

struct indexed indexing_of(const struct op_call *call, size_t lists)
{
    const struct shape *in = call->in[0];
    const size_t first = number_axis_of(call->attributes[INDEXING_FIRST], in);
    struct indexed indexed = {
        .outer = 1, .axes = (size_t)call->attributes[INDEXING_AXES], .inner = 1, .count = op_elements(call->in[lists])};
    for (size_t i = 0; i < in->rank; i++)
        if (i < first)
            indexed.outer *= in->dim[i];
        else if (i < first + indexed.axes)
            indexed.dim[i - first] = in->dim[i];
        else
            indexed.inner *= in->dim[i];
    return indexed;
}

/* The first index that is none: of which list, and where in it; *axis is their number where there is no such one. */
static int find(const struct op_call *call, size_t lists, const struct indexed *indexed, size_t *axis, size_t *at)
{
    int code = CODE_OK;
    for (*axis = 0; *axis < indexed->axes; (*axis)++) {
        size_t n = op_elements(call->in[lists + *axis]);
        code = backend_first_no_index(call->backend, n, call->x[lists + *axis], indexed->dim[*axis], at);
        if (code != CODE_OK || *at < n) return code;
    }
    return code;
}

int indexing_check(const struct op_call *call, size_t lists, const struct indexed *indexed)
{
    size_t axis, at;
    int code = find(call, lists, indexed, &axis, &at);
    return code == CODE_OK && axis < indexed->axes ? CODE_OUT_OF_RANGE : code;
}

int indexing_explain(const struct op_call *call, size_t lists, const struct indexed *indexed, size_t first_axis,
                     struct error *error)
{
    const struct backend *b = call->backend;
    size_t axis, at;
    double index = 0;
    int code = find(call, lists, indexed, &axis, &at);
    if (code == CODE_OK && axis < indexed->axes)
        code = b->download(1, (const char *)call->x[lists + axis] + at * b->element_size, &index);
    if (code != CODE_OK || axis == indexed->axes) return backend_error(b, code, error);
    if (floor(index) != index)
        return error_set(error, CODE_OUT_OF_RANGE, "%s: an index is %g, which is no whole number", call->op->name,
                         index);
    return error_set(error, CODE_OUT_OF_RANGE, "%s: index %g is out of bounds for axis %zu, which has size %zu",
                     call->op->name, index, first_axis + axis, indexed->dim[axis]);
}
