/* Subscripts: x[i], x[:, 1:3], x[..., None], x[rows, y], x[mask]; reading, and writing as another array. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/language/equality.h"
#include "core/language/functions.h"
#include "core/language/known.h"

/* ---- what is no array ---- */

/* Which of `count` an index means; negative ones count from the end. */
static int find_index(struct evaluation *e, const struct thing *thing, size_t count, size_t *index)
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
static int find_slice(struct evaluation *e, const struct thing *slice, size_t count, size_t *start, ptrdiff_t *step,
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

static int read_sequence(struct evaluation *e, const struct thing *of, const struct thing *subscript,
                         struct thing *result)
{
    const struct sequence *sequence = of->sequence;
    size_t index = 0, start, taken;
    ptrdiff_t step;
    if (subscript->kind != THING_SLICE) {
        int code = find_index(e, subscript, sequence->count, &index);
        if (code == CODE_OK) *result = sequence->items[index];
        return code;
    }
    struct sequence *part = sequence_new(e->arena);
    if (part == NULL) return evaluation_no_memory(e);
    int code = find_slice(e, subscript, sequence->count, &start, &step, &taken);
    if (code == CODE_OK) code = evaluation_step(e, taken);
    for (size_t i = 0; code == CODE_OK && i < taken; i++)
        if (!sequence_add(e->arena, part, sequence->items[(ptrdiff_t)start + (ptrdiff_t)i * step]))
            code = evaluation_no_memory(e);
    *result = (struct thing){.kind = of->kind, .sequence = part};
    return code;
}

static int read_dictionary(struct evaluation *e, const struct thing *of, const struct thing *subscript,
                           struct thing *result)
{
    struct thing key, *value = NULL;
    int code = equality_key(e, subscript, &key);
    if (code == CODE_OK) code = equality_find(e, of, &key, &value);
    if (code != CODE_OK) return code;
    if (value == NULL && key.kind == THING_TEXT)
        return evaluation_fault(e, "the dictionary has no \"%.80s\"", key.text);
    if (value == NULL) return evaluation_fault(e, "the dictionary has no such key");
    *result = *value;
    return CODE_OK;
}

static int read_range(struct evaluation *e, const struct thing *of, const struct thing *subscript, struct thing *result)
{
    size_t index;
    int code = find_index(e, subscript, of->range->count, &index);
    if (code == CODE_OK) *result = range_item(of->range, index);
    return code;
}

/* ---- what of an array is meant ---- */

enum { AXES_MAX = 2 * LANGUAGE_RANK_MAX };

/* The subscripts of an array: a view of it by its integers, slices and new axes; and, of that view, axes next to each
 * other that integer arrays pick from, or a mask over some. */
struct selection {
    struct array_view view;
    size_t first, count;                        /* of the view's axes that arrays pick from; 0 where there are none */
    size_t axes[LANGUAGE_RANK_MAX], axis_count; /* all of these, while they may stand apart */
    struct array *picks[LANGUAGE_RANK_MAX];
    struct array *mask; /* over the view's axes from `first` on; NULL without */
};

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

static int select_axes(struct evaluation *e, const struct array *array, const struct thing *subscripts, size_t count,
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
            if (find_slice(e, subscript, array->shape.dim[axis], &start, &step, &n) != CODE_OK)
                return evaluation_failed(e);
            s->view.offset += start * (size_t)whole.stride[axis];
            take_axis(s, n, step * whole.stride[axis]);
            axis++;
        } else if (picks[i] != NULL) {
            if (add_pick(e, s, picks[i]) != CODE_OK) return evaluation_failed(e);
            for (size_t a = axes_taken(subscript, picks[i]); a > 0; a--, axis++)
                take_axis(s, array->shape.dim[axis], whole.stride[axis]);
        } else {
            if (find_index(e, subscript, array->shape.dim[axis], &index) != CODE_OK) return evaluation_failed(e);
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
static int align_picks(struct evaluation *e, struct selection *s)
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
static int mask_as_pick(struct evaluation *e, struct selection *s)
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

static int check_mask(struct evaluation *e, const struct selection *s)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    struct shape covered = {.rank = s->mask->shape.rank};
    memcpy(covered.dim, s->view.shape.dim + s->first, covered.rank * sizeof *covered.dim);
    if (shape_equal(&covered, &s->mask->shape)) return CODE_OK;
    return evaluation_fault(e, "a mask of shape %s for axes of shape %s", shape_text(&s->mask->shape, one),
                            shape_text(&covered, other));
}

/* The view with the axes that the mask covers put into one. */
static struct shape fold_axes(const struct selection *s)
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

/* ---- reading ---- */

static int read_array(struct evaluation *e, struct array *array, const struct thing *subscripts, size_t count,
                      struct thing *result)
{
    struct selection s;
    struct array *part = NULL;
    int code = select_axes(e, array, subscripts, count, &s);
    if (code == CODE_OK) code = array_read_view(e, array, &s.view, &part);
    if (code == CODE_OK && s.mask != NULL) {
        if (check_mask(e, &s) != CODE_OK || mask_as_pick(e, &s) != CODE_OK) return evaluation_failed(e);
        const struct shape folded = fold_axes(&s);
        code = array_reshape(e, part, &folded, &part);
    }
    if (code == CODE_OK && s.count > 0) {
        struct array *inputs[1 + LANGUAGE_RANK_MAX] = {part};
        const double numbers[2] = {(double)s.first, (double)s.count};
        code = align_picks(e, &s);
        memcpy(inputs + 1, s.picks, s.count * sizeof *inputs);
        if (code == CODE_OK) code = array_op(e, "index", numbers, 2, inputs, 1 + s.count, array->type, &part);
    }
    if (code == CODE_OK) *result = thing_array(part);
    return code;
}

int subscript_read(struct evaluation *e, const struct thing *of, const struct thing *subscripts, size_t count,
                   struct thing *result)
{
    char words[SHAPE_TEXT_MAX + 32];
    if (of->kind == THING_ARRAY) return read_array(e, of->array, subscripts, count, result);
    if (count == 1 && (of->kind == THING_LIST || of->kind == THING_TUPLE))
        return read_sequence(e, of, subscripts, result);
    if (count == 1 && of->kind == THING_DICTIONARY) return read_dictionary(e, of, subscripts, result);
    if (count == 1 && of->kind == THING_RANGE) return read_range(e, of, subscripts, result);
    if (of->kind == THING_BUILTIN && (strcmp(of->builtin->name, "c_") == 0 || strcmp(of->builtin->name, "r_") == 0)) {
        struct sequence parts = {0};
        for (size_t i = 0; i < count; i++)
            if (!sequence_add(e->arena, &parts, subscripts[i])) return evaluation_no_memory(e);
        struct thing tuple = {.kind = THING_TUPLE, .sequence = &parts};
        return function_by_name(e, of->builtin->name, &tuple, 1, result);
    }
    return evaluation_fault(e, "%s has no elements that can be picked so", thing_words(of, words));
}

/* ---- writing ---- */

/* One more write over what is there; what was written before stays a list until somebody reads it. */
static int write_view(struct evaluation *e, struct array *array, const struct array_view *view, bool adds,
                      struct array *what, struct array **result)
{
    double numbers[ARRAY_VIEW_NUMBERS];
    size_t n = array_view_numbers(view, numbers);
    struct array *made = arena_zeroed(e->arena, 1, sizeof *made);
    struct write *write = arena_alloc(e->arena, sizeof *write);
    double *kept = arena_doubles(e->arena, n);
    if (made == NULL || write == NULL || kept == NULL) return evaluation_no_memory(e);
    memcpy(kept, numbers, n * sizeof *kept);
    if (array_settle(e, what) != CODE_OK) return evaluation_failed(e);
    bool settled = array->value != NULL || array->numbers != NULL;
    *write = (struct write){
        .before = settled ? NULL : array->writes, .what = what, .view = kept, .adds = adds, .spot = e->spot};
    made->shape = array->shape;
    made->size = array->size;
    made->type = array->type > what->type ? array->type : what->type;
    made->under = settled ? array : array->under;
    made->writes = write;
    made->write_count = settled ? 1 : array->write_count + 1;
    *result = made;
    return CODE_OK;
}

/* Whether a mask of numbers that are not known yet may stay so: what is written goes to every element alike that the
 * mask does not cover, and the mask is over the first axes of all that is there. */
static bool mask_chooses(const struct array *array, const struct selection *s, const struct array *what)
{
    const struct array_view whole = array_whole(&array->shape);
    bool all = s->mask != NULL && s->mask->numbers == NULL && s->first == 0 && s->view.offset == 0 &&
               shape_equal(&s->view.shape, &array->shape);
    for (size_t i = 0; all && i < array->shape.rank; i++)
        all = array->shape.dim[i] == 1 || s->view.stride[i] == whole.stride[i];
    return all && (what->size == 1 || what->shape.rank + s->mask->shape.rank <= array->shape.rank);
}

/* dz[mask] = what, the mask being computed: elements that are there, or `what`. */
static int write_mask(struct evaluation *e, struct array *array, const struct selection *s, struct array *what,
                      struct array **result)
{
    struct array *mask = s->mask;
    struct shape longer = mask->shape;
    while (longer.rank < array->shape.rank)
        longer.dim[longer.rank++] = 1;
    if (array_reshape(e, mask, &longer, &mask) != CODE_OK) return evaluation_failed(e);
    struct array *inputs[3] = {mask, what, array};
    return array_op(e, "where", NULL, 0, inputs, 3, array->type > what->type ? array->type : what->type, result);
}

enum { PUT_SETS, PUT_ADDS, PUT_ADDS_LAST };

/* Where arrays pick what is written. */
static int write_picks(struct evaluation *e, struct array *array, struct selection *s, int puts, struct array *what,
                       struct array **result)
{
    struct array *part = NULL, *inputs[2 + LANGUAGE_RANK_MAX] = {NULL}, *put = NULL;
    int code = align_picks(e, s);
    if (code == CODE_OK) code = array_read_view(e, array, &s->view, &part);
    if (code != CODE_OK) return code;
    struct shape shape = {0};
    const struct shape *picked = &s->picks[0]->shape;
    for (size_t i = 0; i < s->first; i++)
        shape.dim[shape.rank++] = part->shape.dim[i];
    for (size_t i = 0; i < picked->rank; i++)
        shape.dim[shape.rank++] = picked->dim[i];
    for (size_t i = s->first + s->count; i < part->shape.rank; i++)
        shape.dim[shape.rank++] = part->shape.dim[i];
    code = array_broadcast(e, what, &shape, &what);
    inputs[0] = part;
    inputs[1] = what;
    memcpy(inputs + 2, s->picks, s->count * sizeof *inputs);
    const double numbers[3] = {(double)s->first, (double)s->count, puts};
    enum number_type type = array->type > what->type ? array->type : what->type;
    if (code == CODE_OK) code = array_op(e, "index_put", numbers, 3, inputs, 2 + s->count, type, &put);
    if (code != CODE_OK) return code;
    return write_view(e, array, &s->view, false, put, result);
}

/* Whether a mask whose numbers are known holds nowhere. */
static bool takes_none(const double *mask, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (mask[i] != 0) return false;
    return true;
}

/* Where a mask whose numbers are looked up holds: the axes that it covers are one, from which it picks. */
static int write_known_mask(struct evaluation *e, struct array *array, struct selection *s, struct array *what,
                            struct array **made)
{
    const double *known = NULL;
    struct array *folded = NULL;
    if (known_numbers(e, s->mask, &known) != CODE_OK || check_mask(e, s) != CODE_OK) return evaluation_failed(e);
    *made = array;
    if (takes_none(known, s->mask->size)) return CODE_OK;
    const struct shape shape = fold_axes(s);
    int code = mask_as_pick(e, s);
    if (code == CODE_OK) code = array_read_view(e, array, &s->view, &folded);
    if (code == CODE_OK) code = array_reshape(e, folded, &shape, &folded);
    struct selection inner = {.view = array_whole(&shape), .first = s->first, .count = 1, .picks = {s->picks[0]}};
    if (code == CODE_OK) code = write_picks(e, folded, &inner, PUT_SETS, what, made);
    if (code == CODE_OK) code = array_reshape(e, *made, &s->view.shape, made);
    return code == CODE_OK ? write_view(e, array, &s->view, false, *made, made) : code;
}

/* Whether what is written into an array becomes of its type: it is a mask, or was made with a type of integers. */
static bool keeps_type(const struct array *array)
{
    return array->whole || array->type == TYPE_BOOL;
}

/* How something is written: where; at each index as often as it is there; added to what is there, which nobody reads;
 * everywhere, by what a mask is that nobody looks at. */
struct writing {
    struct selection s;
    bool each, adds, chosen;
};

/* What will be there: what is written; with an operation, what that makes of what is there. */
static int make_written(struct evaluation *e, struct array *array, const struct thing *subscripts, size_t count,
                        const struct writing *w, enum operation operation, const struct thing *what,
                        struct array **written)
{
    struct thing there = thing_array(array), after = {0};
    int code = CODE_OK;
    if (operation != OPERATION_NONE && !w->adds) {
        if (!w->chosen) code = read_array(e, array, subscripts, count, &there);
        if (code == CODE_OK) code = evaluation_binary(e, operation, &there, what, &after);
        if (code == CODE_OK) code = array_of(e, &after, written);
    }
    return code == CODE_OK && keeps_type(array) ? type_cast(e, *written, array->type, written) : code;
}

static int put_written(struct evaluation *e, struct array *array, struct writing *w, struct array *what,
                       struct array **made)
{
    if (w->chosen)
        return check_mask(e, &w->s) == CODE_OK ? write_mask(e, array, &w->s, what, made) : evaluation_failed(e);
    if (w->s.mask != NULL) return write_known_mask(e, array, &w->s, what, made);
    if (w->s.count > 0) return write_picks(e, array, &w->s, w->each ? PUT_ADDS : PUT_SETS, what, made);
    int code = array_broadcast(e, what, &w->s.view.shape, &what);
    return code == CODE_OK ? write_view(e, array, &w->s.view, w->adds, what, made) : code;
}

static int write_array(struct evaluation *e, struct array *array, const struct thing *subscripts, size_t count,
                       enum operation operation, const struct thing *what, struct thing *result)
{
    struct writing w = {.each = operation == OPERATION_ADD_EACH};
    struct array *written = NULL, *made = NULL;
    int code = array_of(e, what, &written);
    if (code == CODE_OK) code = select_axes(e, array, subscripts, count, &w.s);
    if (code != CODE_OK) return code;
    if (w.each) operation = OPERATION_ADD;
    w.each = w.each && w.s.mask == NULL && array->type != TYPE_BOOL;
    w.adds = w.each || (operation == OPERATION_ADD && w.s.count == 0 && w.s.mask == NULL && !keeps_type(array));
    w.chosen = mask_chooses(array, &w.s, written);
    code = make_written(e, array, subscripts, count, &w, operation, what, &written);
    if (code == CODE_OK) code = put_written(e, array, &w, written, &made);
    if (code != CODE_OK) return code;
    if (made != array) made->whole = array->whole;
    *result = thing_array(made);
    return CODE_OK;
}

int subscript_write(struct evaluation *e, const struct thing *of, const struct thing *subscripts, size_t count,
                    enum operation operation, const struct thing *what, struct thing *result)
{
    char words[SHAPE_TEXT_MAX + 32];
    struct thing before = {0}, after = *what;
    size_t index;
    if (of->kind == THING_ARRAY) return write_array(e, of->array, subscripts, count, operation, what, result);
    if (count != 1 || (of->kind != THING_LIST && of->kind != THING_DICTIONARY))
        return evaluation_fault(e, "nothing can be written into %s so", thing_words(of, words));
    int code = CODE_OK;
    if (operation != OPERATION_NONE) {
        code = subscript_read(e, of, subscripts, 1, &before);
        if (code == CODE_OK) code = evaluation_update(e, operation, &before, what, &after);
        if (code != CODE_OK) return code;
    }
    if (of->kind == THING_LIST) {
        code = find_index(e, subscripts, of->sequence->count, &index);
        if (code == CODE_OK) of->sequence->items[index] = after;
        return code;
    }
    struct thing key, *place = NULL;
    code = equality_key(e, subscripts, &key);
    if (code == CODE_OK) code = equality_find(e, of, &key, &place);
    if (code != CODE_OK) return code;
    if (place != NULL)
        *place = after;
    else if (!sequence_add(e->arena, of->sequence, key) || !sequence_add(e->arena, of->sequence, after))
        return evaluation_no_memory(e);
    return CODE_OK;
}
