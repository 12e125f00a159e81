/* Reading from what something was written into, write by write: h[:, t] = f(h[:, t - 1]) finds what the line wrote the
 * last time. Putting the whole array together for each such read would take a copy of it for every step of a loop. */
#include <stdint.h>
#include <stdlib.h>

#include "core/language/arrays.h"

/* So many writes are looked at, the last ones; a read of an earlier one puts the array together, once for all. */
enum { LOOKED_AT = 64 };

/* The axes of a view that are longer than 1. */
struct bare {
    size_t rank;
    long long dim[TENSOR_RANK_MAX], stride[TENSOR_RANK_MAX], offset;
};

/* From an op's numbers. */
static struct bare bare_of(const double *numbers)
{
    struct bare bare = {.rank = 0};
    size_t rank = (size_t)numbers[0];
    for (size_t i = 0; i < rank; i++) {
        if (numbers[1 + i] == 1) continue;
        bare.dim[bare.rank] = (long long)numbers[1 + i];
        bare.stride[bare.rank++] = (long long)numbers[1 + rank + i];
    }
    bare.offset = (long long)numbers[1 + 2 * rank];
    return bare;
}

static bool same_axes(const struct bare *a, const struct bare *b)
{
    bool same = a->rank == b->rank;
    for (size_t i = 0; same && i < a->rank; i++)
        same = a->dim[i] == b->dim[i] && a->stride[i] == b->stride[i];
    return same;
}

/* The first and the last element. */
static void span(const struct bare *view, long long *first, long long *last)
{
    *first = *last = view->offset;
    for (size_t i = 0; i < view->rank; i++) {
        long long reach = (view->dim[i] - 1) * view->stride[i];
        *first += reach < 0 ? reach : 0;
        *last += reach > 0 ? reach : 0;
    }
}

/* How far the axes from `axis` on reach, to either side. */
static long long reach_from(const struct bare *view, size_t axis)
{
    long long reach = 0;
    for (size_t i = axis; i < view->rank; i++)
        reach += (view->dim[i] - 1) * llabs(view->stride[i]);
    return reach;
}

/* Whether steps along the axes from `axis` on, fewer than each is long, may come to a distance. Of an axis there are at
 * most three numbers of steps that leave what the others reach; where there are more, they may. */
static bool may_reach(const struct bare *view, size_t axis, long long distance)
{
    if (axis == view->rank) return distance == 0;
    long long rest = reach_from(view, axis + 1), step = llabs(view->stride[axis]), steps = view->dim[axis] - 1;
    if (step == 0 || rest / step > 1) return true;
    for (long long k = distance / step - 2; k <= distance / step + 2; k++)
        if (llabs(k) <= steps && llabs(distance - k * step) <= rest && may_reach(view, axis + 1, distance - k * step))
            return true;
    return false;
}

/* Whether no element is in both; false where that is not found out. */
static bool are_apart(const struct bare *a, const struct bare *b)
{
    long long first_a, last_a, first_b, last_b;
    span(a, &first_a, &last_a);
    span(b, &first_b, &last_b);
    if (last_a < first_b || last_b < first_a) return true;
    return same_axes(a, b) && !may_reach(a, 0, b->offset - a->offset);
}

bool array_views_are_apart(const struct array_view *a, const struct array_view *b)
{
    double one[ARRAY_VIEW_NUMBERS], other[ARRAY_VIEW_NUMBERS];
    array_view_numbers(a, one);
    array_view_numbers(b, other);
    const struct bare left = bare_of(one), right = bare_of(other);
    return are_apart(&left, &right);
}

int array_find_written(struct evaluation *e, const struct array *array, const struct array_view *view,
                       struct array **result)
{
    double numbers[ARRAY_VIEW_NUMBERS];
    *result = NULL;
    if (array->writes == NULL || array->value != NULL || array->numbers != NULL) return CODE_OK;
    array_view_numbers(view, numbers);
    const struct bare wanted = bare_of(numbers);
    size_t looked = 0;
    for (const struct write *w = array->writes; w != NULL; w = w->before) {
        const struct bare written = bare_of(w->view);
        if (looked++ == LOOKED_AT) return CODE_OK;
        if (are_apart(&wanted, &written)) continue;
        if (w->adds || w->what->type != array->type || wanted.offset != written.offset || !same_axes(&wanted, &written))
            return CODE_OK;
        return array_reshape(e, w->what, &view->shape, result);
    }
    return array_read_view(e, (struct array *)(uintptr_t)array->under, view, result);
}
