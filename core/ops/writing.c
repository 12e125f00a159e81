#include "core/ops/writing.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *writing_number(double number, char *text)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, WRITING_NUMBER, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    /* Up to a million as people write it: 100, not 1e+02. */
    if (fabs(number) < 1e6 && number == floor(number)) snprintf(text, WRITING_NUMBER, "%.0f", number);
    return text;
}

bool writing_put(struct op_writing *writing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(writing->text, sizeof writing->text, format, arguments);
    va_end(arguments);
    return length >= 0 && (size_t)length < sizeof writing->text;
}

/* Appends to a text of so many bytes; false where it does not fit. */
__attribute__((format(printf, 3, 4))) static bool add(char *text, size_t room, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text + used, room - used, format, arguments);
    va_end(arguments);
    return length >= 0 && (size_t)length < room - used;
}

bool writing_shape(const struct shape *shape, char *text)
{
    const size_t room = WRITING_MAX / 2;
    bool fits = true;
    text[0] = '(';
    text[1] = '\0';
    for (size_t i = 0; fits && i < shape->rank; i++)
        fits = add(text, room, i > 0 ? ", %zu" : "%zu", shape->dim[i]);
    return fits && add(text, room, shape->rank == 1 ? ",)" : ")");
}

bool writing_reshape(struct op_writing *writing, const char *what, const struct shape *from, const struct shape *to)
{
    char shape[WRITING_MAX / 2];
    if (shape_equal(from, to)) return writing_put(writing, "%s", what);
    if (from->rank == 1 && to->rank == 2 && to->dim[1] == 1) return writing_put(writing, "%s[:, None]", what);
    if (from->rank == 1 && to->rank == 2 && to->dim[0] == 1) return writing_put(writing, "%s[None]", what);
    if (from->rank == 2 && to->rank == 1 && from->dim[1] == 1) return writing_put(writing, "%s[:, 0]", what);
    if (from->rank == 2 && to->rank == 1 && from->dim[0] == 1) return writing_put(writing, "%s[0]", what);
    return writing_shape(to, shape) && writing_put(writing, "%s.reshape(%s)", what, shape);
}

bool writing_slices(size_t axis, char *text)
{
    bool fits = true;
    text[0] = '\0';
    for (size_t i = 0; fits && i < axis; i++)
        fits = add(text, WRITING_MAX / 4, ":, ");
    return fits;
}

bool writing_index(size_t first, char *text)
{
    return writing_slices(first, text) && add(text, WRITING_MAX / 4, "{i}");
}

/* ---- views ---- */

/* By axis how many elements lie between two of its indices, in row-major order. */
static void find_strides(const struct shape *of, ptrdiff_t *strides)
{
    ptrdiff_t stride = 1;
    for (size_t i = of->rank; i-- > 0;) {
        strides[i] = stride;
        stride *= (ptrdiff_t)of->dim[i];
    }
}

bool writing_order(const struct strided *view, const struct shape *of, size_t *axes)
{
    ptrdiff_t strides[TENSOR_RANK_MAX];
    bool taken[TENSOR_RANK_MAX] = {false};
    if (view->rank != of->rank || view->offset != 0) return false;
    find_strides(of, strides);
    for (size_t i = 0; i < view->rank; i++) {
        size_t axis = 0;
        while (axis < of->rank &&
               (taken[axis] || of->dim[axis] != view->dim[i] || (view->dim[i] > 1 && strides[axis] != view->stride[i])))
            axis++;
        if (axis == of->rank) return false;
        taken[axis] = true;
        axes[i] = axis;
    }
    return true;
}

bool writing_transposed(struct op_writing *writing, const char *what, size_t rank, const size_t *axes, bool back)
{
    char list[WRITING_MAX / 2] = "";
    bool fits = true;
    if (rank == 2 && axes[0] == 1) return writing_put(writing, "%s.T", what);
    for (size_t i = 0; fits && i < rank; i++) {
        size_t axis = axes[i];
        for (size_t k = 0; back && k < rank; k++)
            if (axes[k] == i) axis = k;
        fits = add(list, sizeof list, i > 0 ? ", %zu" : "%zu", axis);
    }
    return fits && writing_put(writing, "np.transpose(%s, (%s))", what, list);
}

bool writing_is_broadcast(const struct strided *view, const struct shape *of)
{
    if (view->rank < of->rank) return false;
    for (size_t i = 0; i < of->rank; i++) {
        size_t axis = view->rank - of->rank + i;
        bool repeated = of->dim[i] == 1 && (view->dim[axis] == 1 || view->stride[axis] == 0);
        if (!repeated && (view->dim[axis] != of->dim[i] || (of->dim[i] > 1 && view->stride[axis] == 0))) return false;
    }
    for (size_t axis = 0; axis < view->rank - of->rank; axis++)
        if (view->dim[axis] > 1 && view->stride[axis] != 0) return false;
    return true;
}

/* One axis of the tensor, seen from the view: which of the view's axes runs along it, from where and how; or an
 * index, where none does. */
struct cut {
    bool runs;
    size_t start, n, dim;
    ptrdiff_t step;
};

static bool add_cut(const struct cut *cut, char *text)
{
    const size_t room = WRITING_MAX / 2;
    const ptrdiff_t end = (ptrdiff_t)cut->start + (ptrdiff_t)cut->n * cut->step;
    bool fits = true;
    if (!cut->runs) return add(text, room, "%zu", cut->start);
    bool whole = cut->step > 0 ? cut->start == 0 : cut->start + 1 == cut->dim;
    if (!whole) fits = add(text, room, "%zu", cut->start);
    fits = fits && add(text, room, ":");
    if (cut->step == 1 && end < (ptrdiff_t)cut->dim) return fits && add(text, room, "%td", end);
    if (cut->step == 1) return fits;
    /* The last that is taken lies before the end; of a step back there may be no end to write. */
    const ptrdiff_t last = end - cut->step + (cut->step > 0 ? 1 : -1);
    bool open = cut->step > 0 ? end >= (ptrdiff_t)cut->dim : end < 0;
    if (!open) fits = fits && add(text, room, "%td", last);
    return fits && add(text, room, ":%td", cut->step);
}

bool writing_place(const struct strided *view, const struct shape *of, char *text)
{
    ptrdiff_t strides[TENSOR_RANK_MAX];
    struct cut cuts[TENSOR_RANK_MAX];
    size_t left = view->offset, axis = 0, last = 0;
    bool fits = true;
    find_strides(of, strides);
    text[0] = '[';
    text[1] = '\0';
    for (size_t i = 0; fits && i < of->rank; i++) {
        struct cut *cut = &cuts[i];
        size_t stride = (size_t)strides[i];
        *cut = (struct cut){.start = left / stride, .dim = of->dim[i]};
        left %= stride;
        if (i > 0) fits = add(text, WRITING_MAX / 2, ", ");
        for (; axis < view->rank && view->dim[axis] == 1 && view->stride[axis] == 0; axis++)
            fits = fits && add(text, WRITING_MAX / 2, "None, ");
        ptrdiff_t along = axis < view->rank ? view->stride[axis] : 0;
        if (along != 0 && along % strides[i] == 0) {
            ptrdiff_t step = along / strides[i], end = (ptrdiff_t)cut->start + step * ((ptrdiff_t)view->dim[axis] - 1);
            cut->runs = end >= 0 && end < (ptrdiff_t)cut->dim;
            cut->step = step;
            cut->n = view->dim[axis];
        }
        axis += cut->runs;
        fits = fits && add_cut(cut, text);
        if (!cut->runs || cut->n != cut->dim || cut->step != 1) last = strlen(text);
    }
    if (axis < view->rank || left > 0) return false;
    text[last] = '\0'; /* whole axes behind need not be written */
    if (last == 0) return fits;
    return fits && add(text, WRITING_MAX / 2, "]");
}
