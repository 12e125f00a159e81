#include "core/language/sharing.h"

#include <string.h>

/* So many views of views are followed. */
enum { VIEWS_MAX = 16 };

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
    copy->views = 0;
    *array = copy;
    return CODE_OK;
}

static void attach(struct array *array, struct array *base, const struct array_view *view)
{
    array->base = base;
    array->view = view;
    array->views = base->views + 1;
}

/* Writes back what was written into its part, whose parts come first. */
static int write_back(struct evaluation *e, struct array **array)
{
    struct array *whole = *array, *part = last_of(whole->part), *made = NULL;
    if (part->part != NULL && write_back(e, &part) != CODE_OK) return evaluation_failed(e);
    if (array_write_view(e, whole, part->view, false, part, &made) != CODE_OK) return evaluation_failed(e);
    made->whole = whole->whole;
    if (whole->base != NULL) {
        attach(made, whole->base, whole->view);
        made->base->part = made;
    }
    part->base = made;
    *array = made;
    return become(e, whole, made);
}

/* `written`: a part of it that need not be written back, as it is that which is asked for. */
static int bring(struct evaluation *e, struct array **array, const struct array *written)
{
    struct array *now = last_of(*array), *part = NULL;
    if (now->base != NULL) {
        struct array *base = now->base;
        if (bring(e, &base, now) != CODE_OK) return evaluation_failed(e);
        if (base != now->base) {
            int code = array_read_view(e, base, now->view, &part);
            if (code == CODE_OK) code = own(e, &part);
            if (code != CODE_OK) return code;
            attach(part, base, now->view);
            part->whole = now->whole;
            if (become(e, now, part) != CODE_OK) return evaluation_failed(e);
            now = part;
        }
    }
    *array = now;
    return now->part != NULL && last_of(now->part) != written ? write_back(e, array) : CODE_OK;
}

int sharing_now(struct evaluation *e, struct array **array)
{
    const struct array *a = *array;
    if (a->became == NULL && a->base == NULL && a->part == NULL && a->lost == NULL) return CODE_OK;
    int code = bring(e, array, NULL);
    if (code != CODE_OK || (*array)->lost == NULL) return code;
    const struct thing lost = {.kind = THING_LOST, .text = (*array)->lost};
    return evaluation_lost(e, &lost);
}

int sharing_thing_now(struct evaluation *e, struct thing *thing)
{
    return thing->kind == THING_ARRAY ? sharing_now(e, &thing->array) : CODE_OK;
}

void sharing_change(struct evaluation *e, struct array *before, struct array *after)
{
    struct array *now = last_of(before);
    if (!evaluation_is_observed(e) || now == after || now->shape.rank == 0) return;
    if (now->base != NULL) attach(after, now->base, now->view);
    now->became = after;
    for (struct array *part = after; part->base != NULL; part = part->base)
        part->base->part = part;
}

void sharing_lose(struct array *array, const char *name)
{
    for (array = last_of(array); array != NULL; array = array->base)
        array->lost = name;
}

bool sharing_is_lost(const struct array *array)
{
    while (array->became != NULL)
        array = array->became;
    return array->lost != NULL;
}

int sharing_view(struct evaluation *e, struct array *base, const struct array_view *view, struct array **part)
{
    if (!evaluation_is_observed(e) || *part == base) return CODE_OK;
    struct array_view *kept = arena_alloc(e->arena, sizeof *kept);
    if (kept == NULL) return evaluation_no_memory(e);
    int code = own(e, part);
    *kept = *view;
    bool written = (*part)->shape.rank > 0 && (*part)->size > 0;
    if (code == CODE_OK && written && base->views < VIEWS_MAX) attach(*part, base, kept);
    return code;
}

/* ---- what functions give ---- */

static bool is_one_of(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* Whether its elements lie one behind the other where it is a view, so that other axes for them are a view, too. */
static bool is_contiguous(const struct array *array)
{
    if (array->view == NULL) return true;
    const struct array_view whole = array_whole(&array->shape);
    for (size_t i = 0; i < array->shape.rank; i++)
        if (array->shape.dim[i] > 1 && array->view->stride[i] != whole.stride[i]) return false;
    return true;
}

static bool is_among(const struct array *array, const struct thing *things, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (things[i].kind == THING_ARRAY && last_of(things[i].array) == array) return true;
        if ((things[i].kind == THING_LIST || things[i].kind == THING_TUPLE) && things[i].sequence->count > 0 &&
            is_among(array, things[i].sequence->items, 1))
            return true;
    }
    return false;
}

int sharing_turned(struct evaluation *e, struct array *base, struct thing *result)
{
    const struct array_view whole = array_whole(&base->shape);
    struct array_view view = {.shape.rank = base->shape.rank};
    for (size_t i = 0; i < base->shape.rank; i++) {
        view.shape.dim[i] = base->shape.dim[base->shape.rank - 1 - i];
        view.stride[i] = whole.stride[base->shape.rank - 1 - i];
    }
    return sharing_view(e, base, &view, &result->array);
}

int sharing_result(struct evaluation *e, const char *function, const struct thing *things, size_t count,
                   struct thing *result)
{
    static const char *const reshapes[] = {"reshape",     "view",       "ravel",      "squeeze",    "unsqueeze",
                                           "expand_dims", "atleast_1d", "atleast_2d", "atleast_3d", NULL},
                             *const turns[] = {"transpose", "t", "swapaxes", NULL},
                             *const same[] = {"asarray",    "contiguous", "detach", "data", "get", "pop",
                                              "setdefault", "next",       "max",    "min",  NULL};
    if (!evaluation_is_observed(e) || result->kind != THING_ARRAY) return CODE_OK;
    struct array *of = count > 0 && things[0].kind == THING_ARRAY ? last_of(things[0].array) : NULL;
    bool reshaped = of != NULL && is_one_of(function, reshapes) && of->size == result->array->size;
    if (reshaped && is_contiguous(of)) {
        const struct array_view view = array_whole(&result->array->shape);
        return sharing_view(e, of, &view, &result->array);
    }
    bool turned = of != NULL && count == 1 + 2 * (size_t)(strcmp(function, "swapaxes") == 0) && of->shape.rank == 2 &&
                  is_one_of(function, turns);
    if (turned) return sharing_turned(e, of, result);
    return !is_one_of(function, same) && is_among(result->array, things, count) ? own(e, &result->array) : CODE_OK;
}
