#include "core/base/tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct shape shape_of(size_t rank, const size_t *dim)
{
    struct shape shape = {.rank = rank};
    for (size_t i = 0; i < rank; i++)
        shape.dim[i] = dim[i];
    return shape;
}

bool shape_equal(const struct shape *a, const struct shape *b)
{
    if (a->rank != b->rank) return false;
    for (size_t i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

bool shape_size(const struct shape *shape, size_t *size)
{
    *size = 1;
    for (size_t i = 0; i < shape->rank; i++)
        if (__builtin_mul_overflow(*size, shape->dim[i], size)) return false;
    return true;
}

const char *shape_text(const struct shape *shape, char *text)
{
    size_t n = 0;
    text[n++] = '[';
    for (size_t i = 0; i < shape->rank; i++)
        n += (size_t)snprintf(text + n, SHAPE_TEXT_MAX - n, i > 0 ? ",%zu" : "%zu", shape->dim[i]);
    text[n++] = ']';
    text[n] = '\0';
    return text;
}

void shape_index(const struct shape *shape, size_t offset, size_t *index)
{
    for (size_t i = shape->rank; i-- > 0;) {
        index[i] = offset % shape->dim[i];
        offset /= shape->dim[i];
    }
}

bool tensor_new(struct arena *arena, const struct shape *shape, struct tensor *tensor)
{
    tensor->shape = *shape;
    if (!shape_size(shape, &tensor->size)) return false;
    tensor->data = arena_doubles(arena, tensor->size);
    return tensor->data != NULL;
}

void tensor_transpose(size_t rows, size_t columns, const double *from, double *to)
{
    enum { TILE = 16 }; /* 16 doubles are two cache lines: both sides of a tile stay in the first-level cache */
    for (size_t i0 = 0; i0 < rows; i0 += TILE)
        for (size_t j0 = 0; j0 < columns; j0 += TILE)
            for (size_t i = i0; i < rows && i < i0 + TILE; i++)
                for (size_t j = j0; j < columns && j < j0 + TILE; j++)
                    to[j * rows + i] = from[i * columns + j];
}

/* Whether the axes are only turned: the first k of them come last. Then a matrix is transposed, of so many rows. */
static bool is_turned(const struct shape *shape, const unsigned char *axes, size_t *rows)
{
    *rows = 1;
    for (size_t i = 0; i < shape->rank; i++)
        if (axes[i] != (axes[0] + i) % shape->rank) return false;
    for (size_t i = 0; i < shape->rank && i < axes[0]; i++)
        *rows *= shape->dim[i];
    return true;
}

void tensor_permute(const struct shape *shape, const unsigned char *axes, bool back, const double *from, double *to)
{
    size_t size = 1, rows, rank = shape->rank;
    for (size_t i = 0; i < rank; i++)
        size *= shape->dim[i];
    if (size == 0) return;
    if (rank > 0 && is_turned(shape, axes, &rows)) {
        if (back)
            tensor_transpose(size / rows, rows, from, to);
        else
            tensor_transpose(rows, size / rows, from, to);
        return;
    }
    /* An odometer over the permuted tensor's index, and where that is in the one of the given shape. */
    size_t stride[TENSOR_RANK_MAX] = {0}, index[TENSOR_RANK_MAX] = {0}, at = 0;
    for (size_t i = 0; i < rank; i++) {
        stride[i] = 1;
        for (size_t k = axes[i] + 1u; k < rank; k++)
            stride[i] *= shape->dim[k];
    }
    for (size_t n = 0; n < size; n++) {
        if (back)
            to[at] = from[n];
        else
            to[n] = from[at];
        for (size_t i = rank; i-- > 0;) {
            at += stride[i];
            if (++index[i] < shape->dim[axes[i]]) break;
            at -= stride[i] * index[i];
            index[i] = 0;
        }
    }
}

size_t tensor_first_not_finite(const struct tensor *tensor)
{
    for (size_t i = 0; i < tensor->size; i++)
        if (!isfinite(tensor->data[i])) return i;
    return tensor->size;
}
