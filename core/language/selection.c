#include "core/language/selection.h"

#include <math.h>
#include <string.h>

#include "core/language/functions.h"
#include "core/language/known.h"

/* ---- indices and slices ---- */

/* Which of `count` an index means; negative ones count from the end. */
int selection_index(struct evaluation *e, const struct thing *thing, size_t count, size_t *index)
{
    double number;
    *index = 0;
    int code = function_whole(e, thing, "an index", &number);
    if (code != CODE_OK) return code;
    double i = number < 0 ? number + (double)count : number;
    if (!(i >= 0 && i < (double)count))
        return evaluation_fault(e, "the index %g is out of range: there are %zu", number, count);
    *index = (size_t)i;
    return CODE_OK;
}

/* A slice of `count`: where it begins, how it goes on, and how many it has; Python's rules. */
int selection_slice(struct evaluation *e, const struct thing *slice, size_t count, size_t *start, ptrdiff_t *step,
                    size_t *taken)
{
    *start = *taken = 0;
    *step = 1;
    double bounds[3] = {0, 0, 1}, n = (double)count;
    for (size_t i = 0; i < 3; i++)
        if (slice->bounds[i].kind != THING_NONE) {
            int code = function_whole(e, &slice->bounds[i], "a slice's bound", &bounds[i]);
            if (code != CODE_OK) return code;
        }
    double by = bounds[2], low = by > 0 ? 0 : -1, high = by > 0 ? n : n - 1;
    if (by == 0 || fabs(by) > 1e15) return evaluation_fault(e, "a slice's step is %g", by);
    for (size_t i = 0; i < 2; i++) {
        if (slice->bounds[i].kind == THING_NONE)
            bounds[i] = (i == 0) == (by > 0) ? low : high;
        else
            bounds[i] = fmin(fmax(bounds[i] < 0 ? bounds[i] + n : bounds[i], low), high);
    }
    double many = ceil((bounds[1] - bounds[0]) / by);
    *taken = many > 0 ? (size_t)many : 0;
    *start = *taken > 0 ? (size_t)bounds[0] : 0;
    *step = (ptrdiff_t)by;
    return CODE_OK;
}

/* ---- what of an array is meant ---- */

enum { AXES_MAX = 2 * LANGUAGE_RANK_MAX };

/* Whether it stands for an array that picks; *array is it then. */
static int as_pick(struct evaluation *e, const struct thing *subscript, struct array **array)
{
    *array = NULL;
    if (subscript->kind == THING_ARRAY &&
        (subscript->array->size > 1 || subscript->array->shape.rank > 0 || subscript->array->numbers == NULL))
        return array_of(e, subscript, array);
    if (subscript->kind == THING_LIST || subscript->kind == THING_RANGE) return array_of(e, subscript, array);
    return CODE_OK;
}

static size_t axes_taken(const struct thing *subscript, const struct array *pick)
{
    if (subscript->kind == THING_NONE || subscript->kind == THING_ELLIPSIS) return 0;
    return pick != NULL && pick->type == TYPE_BOOL ? pick->shape.rank : 1;
}

static void take_axis(struct selection *s, size_t dim, ptrdiff_t stride)
{
    s->view.shape.dim[s->view.shape.rank] = dim;
    s->view.stride[s->view.shape.rank++] = stride;
}

static int add_pick(struct evaluation *e, struct selection *s, struct array *pick)
{
    if (s->mask != NULL || (pick->type == TYPE_BOOL && s->count > 0))
        return evaluation_fault(e, "a mask stands alone among subscripts that are arrays");
    size_t n = pick->type == TYPE_BOOL ? pick->shape.rank : 1;
    for (size_t i = 0; i < n && s->axis_count < LANGUAGE_RANK_MAX; i++)
        s->axes[s->axis_count++] = s->view.shape.rank + i;
    if (pick->type == TYPE_BOOL)
        s->mask = pick;
    else
        s->picks[s->count++] = pick;
    return CODE_OK;
}

/* The axes that arrays pick from are put next to each other: where they stand; in front of all others where a slice or
 * a new axis stands between these arrays, integers among them, as NumPy has it. */
static void gather_axes(struct selection *s, bool apart)
{
    struct array_view old = s->view;
    size_t n = 0;
    s->first = s->axis_count > 0 ? s->axes[0] : 0;
    if (!apart || s->axis_count == 0) return;
    s->first = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < old.shape.rank; i++) {
            bool picked = false;
            for (size_t k = 0; k < s->axis_count; k++)
                picked = picked || s->axes[k] == i;
            if (picked != (pass == 0)) continue;
            s->view.shape.dim[n] = old.shape.dim[i];
            s->view.stride[n++] = old.stride[i];
        }
}

/* x[True] has one axis more in NumPy, and is hardly ever meant. */
static bool is_truth(const struct thing *subscript)
{
    if (subscript->kind == THING_NUMBER) return subscript->type == TYPE_BOOL;
    return subscript->kind == THING_ARRAY && subscript->array->type == TYPE_BOOL && subscript->array->shape.rank == 0;
}

int selection_find(struct evaluation *e, const struct array *array, const struct thing *subscripts, size_t count,
                   struct selection *s)
{
    char shape[SHAPE_TEXT_MAX];
    struct array *picks[AXES_MAX] = {NULL};
    size_t taken = 0, axis = 0, ellipses = 0;
    bool picking = false, ended = false, apart = false; /* a row of integers and arrays has begun, has ended */
    const struct array_view whole = array_whole(&array->shape);
    *s = (struct selection){0};
    for (size_t i = 0; i < count; i++) {
        if (is_truth(&subscripts[i])) return evaluation_fault(e, "True and False are no subscripts of an array");
        if (as_pick(e, &subscripts[i], &picks[i]) != CODE_OK) return evaluation_failed(e);
        taken += axes_taken(&subscripts[i], picks[i]);
        ellipses += subscripts[i].kind == THING_ELLIPSIS;
    }
    if (taken > array->shape.rank || ellipses > 1)
        return evaluation_fault(e, "%zu subscripts for an array of shape %s", taken, shape_text(&array->shape, shape));
    for (size_t i = 0; i <= count; i++) {
        const struct thing *subscript = &subscripts[i];
        bool rest = i == count ? ellipses == 0 : subscript->kind == THING_ELLIPSIS;
        size_t index, start, n;
        ptrdiff_t step;
        for (size_t left = array->shape.rank - taken; rest && left > 0; left--, axis++)
            take_axis(s, array->shape.dim[axis], whole.stride[axis]);
        if (i == count) break;
        bool picks_here =
            subscript->kind != THING_ELLIPSIS && subscript->kind != THING_NONE && subscript->kind != THING_SLICE;
        apart = apart || (picks_here && ended);
        ended = ended || (picking && !picks_here);
        picking = picking || picks_here;
        if (subscript->kind == THING_ELLIPSIS) continue;
        if (subscript->kind == THING_NONE) {
            take_axis(s, 1, 0);
        } else if (subscript->kind == THING_SLICE) {
            if (selection_slice(e, subscript, array->shape.dim[axis], &start, &step, &n) != CODE_OK)
                return evaluation_failed(e);
            s->view.offset += start * (size_t)whole.stride[axis];
            take_axis(s, n, step * whole.stride[axis]);
            axis++;
        } else if (picks[i] != NULL) {
            if (add_pick(e, s, picks[i]) != CODE_OK) return evaluation_failed(e);
            for (size_t a = axes_taken(subscript, picks[i]); a > 0; a--, axis++)
                take_axis(s, array->shape.dim[axis], whole.stride[axis]);
        } else {
            if (selection_index(e, subscript, array->shape.dim[axis], &index) != CODE_OK) return evaluation_failed(e);
            s->view.offset += index * (size_t)whole.stride[axis];
            axis++;
        }
        if (s->view.shape.rank > AXES_MAX - LANGUAGE_RANK_MAX)
            return evaluation_fault(e, "more than %d axes", LANGUAGE_RANK_MAX);
    }
    gather_axes(s, apart);
    return CODE_OK;
}

/* Indices that are known now are checked now: those that are data are when the program is run. */
static int check_pick(struct evaluation *e, const struct array *pick, size_t dim)
{
    for (size_t i = 0; pick->numbers != NULL && i < pick->size; i++) {
        double index = pick->numbers[i];
        if (index != floor(index)) return evaluation_fault(e, "an index is %g, no whole number", index);
        if (!(index >= -(double)dim && index < (double)dim))
            return evaluation_fault(e, "the index %g is out of range: there are %zu", index, dim);
    }
    return CODE_OK;
}

/* All that pick, broadcast to one shape. */
int selection_align(struct evaluation *e, struct selection *s)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    struct shape common = s->picks[0]->shape;
    for (size_t k = 1; k < s->count; k++) {
        struct shape both;
        if (!array_common_shape(&common, &s->picks[k]->shape, &both))
            return evaluation_fault(e, "subscripts of shapes %s and %s do not fit", shape_text(&common, one),
                                    shape_text(&s->picks[k]->shape, other));
        common = both;
    }
    for (size_t k = 0; k < s->count && s->mask == NULL; k++)
        if (array_settle(e, s->picks[k]) != CODE_OK ||
            check_pick(e, s->picks[k], s->view.shape.dim[s->first + k]) != CODE_OK)
            return evaluation_failed(e);
    for (size_t k = 0; k < s->count; k++)
        if (array_broadcast(e, s->picks[k], &common, &s->picks[k]) != CODE_OK) return evaluation_failed(e);
    return CODE_OK;
}

/* ---- masks ---- */

/* A mask whose numbers are known, as one index into the axes that it covers, put into one; what they had is *shape. */
int selection_pick_mask(struct evaluation *e, struct selection *s)
{
    size_t n = 0, at = 0;
    struct array *pick = NULL;
    const double *mask;
    double *numbers;
    if (known_numbers(e, s->mask, &mask) != CODE_OK) return evaluation_failed(e);
    for (size_t i = 0; i < s->mask->size; i++)
        n += mask[i] != 0;
    const struct shape shape = {.rank = 1, .dim = {n}};
    int code = array_known(e, &shape, TYPE_INT, &pick, &numbers);
    for (size_t i = 0; code == CODE_OK && i < s->mask->size; i++)
        if (mask[i] != 0) numbers[at++] = (double)i;
    s->picks[0] = pick;
    s->count = 1;
    return code;
}

int selection_check_mask(struct evaluation *e, const struct selection *s)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    struct shape covered = {.rank = s->mask->shape.rank};
    memcpy(covered.dim, s->view.shape.dim + s->first, covered.rank * sizeof *covered.dim);
    if (shape_equal(&covered, &s->mask->shape)) return CODE_OK;
    return evaluation_fault(e, "a mask of shape %s for axes of shape %s", shape_text(&s->mask->shape, one),
                            shape_text(&covered, other));
}

/* The view with the axes that the mask covers put into one. */
struct shape selection_fold(const struct selection *s)
{
    struct shape folded = {0};
    size_t covered = s->mask->shape.rank;
    for (size_t i = 0; i < s->view.shape.rank; i++) {
        if (i > s->first && i < s->first + covered)
            folded.dim[folded.rank - 1] *= s->view.shape.dim[i];
        else
            folded.dim[folded.rank++] = s->view.shape.dim[i];
    }
    return folded;
}
