#include "core/language/sharing.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/spelling.h"

/* What it has become, so far as that is known without reading anything. */
static struct array *last_of(struct array *array)
{
    struct array *last = array;
    while (last->became != NULL)
        last = last->became;
    while (array->became != NULL) { /* the next one to ask is there at once */
        struct array *next = array->became;
        array->became = last;
        array = next;
    }
    return last;
}

/* An array has become another one without anybody having written into it. */
static int become(struct evaluation *e, struct array *before, struct array *after)
{
    before->became = after;
    return e->observer != NULL ? e->observer->becomes(e->observer->context, e, before, after) : CODE_OK;
}

/* The same elements in an array of its own. */
static int own(struct evaluation *e, struct array **array)
{
    struct array *copy = arena_alloc(e->arena, sizeof *copy);
    if (copy == NULL) return evaluation_no_memory(e);
    if (array_settle(e, *array) != CODE_OK) return evaluation_failed(e);
    *copy = **array;
    copy->became = copy->base = copy->part = NULL;
    copy->view = NULL;
    *array = copy;
    return CODE_OK;
}

static void attach(struct array *array, struct array *base, const struct array_view *view)
{
    array->base = base;
    array->view = view;
}

/* Writes back what was written into a part of it. */
static int write_back(struct evaluation *e, struct array **array)
{
    struct array *whole = *array, *part = last_of(whole->part), *made = NULL;
    if (array_write_view(e, whole, part->view, false, part, &made) != CODE_OK) return evaluation_failed(e);
    made->whole = whole->whole;
    part->base = made;
    *array = made;
    return become(e, whole, made);
}

/* What a view shows by now, if what it is of has been written into otherwise. */
static int read_again(struct evaluation *e, struct array **view)
{
    struct array *now = *view, *base = last_of(now->base), *part = NULL;
    if (base->part != NULL && last_of(base->part) != now && write_back(e, &base) != CODE_OK)
        return evaluation_failed(e);
    if (base == now->base) return CODE_OK;
    int code = array_read_view(e, base, now->view, &part);
    if (code == CODE_OK) code = own(e, &part);
    if (code != CODE_OK) return code;
    attach(part, base, now->view);
    part->whole = now->whole;
    *view = part;
    return become(e, now, part);
}

static int bring(struct evaluation *e, struct array **array)
{
    *array = last_of(*array);
    if ((*array)->base != NULL) return read_again(e, array);
    return (*array)->part != NULL ? write_back(e, array) : CODE_OK;
}

int sharing_now(struct evaluation *e, struct array **array)
{
    const struct array *a = *array;
    if (a->became == NULL && a->base == NULL && a->part == NULL && a->lost == NULL) return CODE_OK;
    int code = bring(e, array);
    if (code != CODE_OK) return code;
    const char *name = (*array)->base != NULL ? (*array)->base->lost : (*array)->lost;
    if (name == NULL) return CODE_OK;
    const struct thing lost = {.kind = THING_LOST, .text = name};
    return evaluation_lost(e, &lost);
}

int sharing_thing_now(struct evaluation *e, struct thing *thing)
{
    return thing->kind == THING_ARRAY ? sharing_now(e, &thing->array) : CODE_OK;
}

void sharing_change(struct evaluation *e, struct array *before, struct array *after)
{
    struct array *now = last_of(before);
    if (!evaluation_is_observed(e) || now->shape.rank == 0 || last_of(after) == now) return;
    now->became = after;
    if (now->base == NULL) return;
    attach(after, now->base, now->view);
    after->base->part = after;
}

void sharing_lose(struct array *array, const char *name)
{
    array = last_of(array);
    array->lost = name;
    if (array->base != NULL) last_of(array->base)->lost = name;
}

bool sharing_is_lost(const struct array *array)
{
    while (array->became != NULL)
        array = array->became;
    for (const struct array *base = array->base; base != NULL; base = base->became)
        if (base->lost != NULL) return true;
    return array->lost != NULL;
}

/* ---- views ---- */

/* Where an array lies in what it is a view of; else in itself. */
static struct array_view layout_of(const struct array *array)
{
    return array->view != NULL ? *array->view : array_whole(&array->shape);
}

/* A view of a view as one of what that is a view of: each of its axes goes along one of that one's. False where one
 * goes along several, as a diagonal does. */
static bool compose(const struct array *array, struct array_view *view)
{
    const struct array_view whole = array_whole(&array->shape), layout = layout_of(array);
    const size_t rank = array->shape.rank;
    size_t offset = layout.offset;
    for (size_t k = 0; k < rank; k++)
        offset += view->offset / (size_t)whole.stride[k] % array->shape.dim[k] * (size_t)layout.stride[k];
    for (size_t i = 0; i < view->shape.rank; i++) {
        size_t step = (size_t)llabs(view->stride[i]), k = 0;
        if (view->shape.dim[i] == 1 || step == 0) {
            view->stride[i] = 0;
            continue;
        }
        while (k < rank && (step < (size_t)whole.stride[k] || step >= (size_t)whole.stride[k] * array->shape.dim[k] ||
                            step % (size_t)whole.stride[k] != 0))
            k++;
        if (k == rank) return false;
        view->stride[i] = view->stride[i] / whole.stride[k] * layout.stride[k];
    }
    view->offset = offset;
    return true;
}

/* Makes *part a view of what the array is one of, or of the array; `view` is as compose has it. */
static int attach_view(struct evaluation *e, struct array *array, const struct array_view *view, struct array **part)
{
    struct array_view *kept = arena_alloc(e->arena, sizeof *kept);
    if (kept == NULL) return evaluation_no_memory(e);
    int code = own(e, part);
    *kept = *view;
    if (code == CODE_OK) (*part)->whole = array->whole;
    if (code == CODE_OK && (*part)->shape.rank > 0 && (*part)->size > 0)
        attach(*part, array->base != NULL ? array->base : array, kept);
    return code;
}

int array_share_view(struct evaluation *e, struct array *array, const struct array_view *view, struct array **part)
{
    struct array_view composed = *view;
    if (e->observer == NULL || (*part)->size == 0) return CODE_OK;
    return compose(array, &composed) ? attach_view(e, array, &composed, part) : own(e, part);
}

/* Whether the elements of an array need no copy to lie in another shape, row by row; the strides then. Axes are taken
 * together as long as they have fewer elements than those that they become (as NumPy's own reshape does it). */
static bool reshape_layout(const struct array_view *from, struct array_view *to)
{
    struct array_view old = {.offset = from->offset};
    for (size_t i = 0; i < from->shape.rank; i++) {
        if (from->shape.dim[i] == 1) continue;
        old.shape.dim[old.shape.rank] = from->shape.dim[i];
        old.stride[old.shape.rank++] = from->stride[i];
    }
    to->offset = from->offset;
    for (size_t i = 0, n = 0; n < to->shape.rank || i < old.shape.rank;) {
        size_t before = i < old.shape.rank ? old.shape.dim[i] : 1, made = n < to->shape.rank ? to->shape.dim[n] : 1;
        size_t last = i < old.shape.rank ? i + 1 : i, end = n < to->shape.rank ? n + 1 : n;
        while (before != made) {
            if (made < before)
                made *= to->shape.dim[end++];
            else
                before *= old.shape.dim[last++];
        }
        for (size_t k = i; k + 1 < last; k++)
            if (old.stride[k] != (ptrdiff_t)old.shape.dim[k + 1] * old.stride[k + 1]) return false;
        ptrdiff_t stride = last > i ? old.stride[last - 1] : 0;
        for (size_t k = end; k-- > n;) {
            to->stride[k] = stride;
            stride *= (ptrdiff_t)to->shape.dim[k];
        }
        i = last;
        n = end;
    }
    return true;
}

/* ---- what functions give ---- */

/* Whether an array is one of the things, or in a list among them. */
static bool is_among(const struct array *array, const struct thing *things, size_t count, bool lists)
{
    for (size_t i = 0; i < count; i++) {
        if (things[i].kind == THING_ARRAY && last_of(things[i].array) == array) return true;
        if (lists && (things[i].kind == THING_LIST || things[i].kind == THING_TUPLE) &&
            is_among(array, things[i].sequence->items, things[i].sequence->count, false))
            return true;
    }
    return false;
}

static void turn_round(struct array_view *view)
{
    const struct array_view before = *view;
    for (size_t i = 0; i < before.shape.rank; i++) {
        view->shape.dim[i] = before.shape.dim[before.shape.rank - 1 - i];
        view->stride[i] = before.stride[before.shape.rank - 1 - i];
    }
}

/* Whether it is asked for column by column: ravel(order="F"). */
static bool is_by_columns(const struct thing *things, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (things[i].kind == THING_TEXT && strcmp(things[i].text, "F") == 0) return true;
    return false;
}

int sharing_result(struct evaluation *e, const char *function, const struct thing *things, size_t count,
                   struct thing *result)
{
    static const char *const reshapes[] = {"reshape",     "view",       "ravel",      "squeeze",    "unsqueeze",
                                           "expand_dims", "atleast_1d", "atleast_2d", "atleast_3d", NULL},
                             *const same[] = {"asarray",    "asanyarray", "contiguous", "ascontiguousarray",
                                              "detach",     "data",       "get",        "pop",
                                              "setdefault", "numpy",      "cpu",        "from_numpy",
                                              "next",       "max",        "min",        "transpose",
                                              "t",          "permute",    "swapaxes",   "moveaxis",
                                              NULL};
    if (!evaluation_is_observed(e) || result->kind != THING_ARRAY) return CODE_OK;
    struct array *of = count > 0 && things[0].kind == THING_ARRAY ? last_of(things[0].array) : NULL;
    if (of == NULL || of->size != result->array->size || of->size == 0 || !spelling_is_one_of(function, reshapes))
        return !spelling_is_one_of(function, same) && is_among(result->array, things, count, true)
                   ? own(e, &result->array)
                   : CODE_OK;
    if (result->array == of) return CODE_OK;
    bool columns = is_by_columns(things, count);
    struct array_view layout = layout_of(of), view = {.shape = result->array->shape};
    if (columns) turn_round(&layout);
    if (columns) turn_round(&view);
    if (!reshape_layout(&layout, &view)) {
        int code = own(e, &result->array);
        if (code == CODE_OK) result->array->whole = of->whole;
        return code;
    }
    if (columns) turn_round(&view);
    return attach_view(e, of, &view, &result->array);
}
