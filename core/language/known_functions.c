/* Functions whose results are constants, however they come about: what an array is like, where it is not 0, in which
 * order its elements are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/language/functions.h"
#include "core/language/known.h"

/* ---- sizes ---- */

static int call_shape(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    int code = argument_array(e, a, 0, &x);
    const struct thing thing = thing_array(x);
    if (code == CODE_OK) functions_attribute(e, &thing, "shape", result);
    return code == CODE_OK ? e->reader->error->code : code;
}

/* Of all axes, or of one. */
static int call_size(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    size_t axis = 0;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK && a->things[1].kind != THING_NONE)
        code = function_axis(e, &a->things[1], x->shape.rank, &axis);
    if (code != CODE_OK) return code;
    *result = thing_number((double)(a->things[1].kind != THING_NONE ? x->shape.dim[axis] : x->size), TYPE_INT);
    return CODE_OK;
}

static int call_ndim(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    size_t rank = 0;
    if (a->things[0].kind == THING_ARRAY || a->things[0].kind == THING_LIST || a->things[0].kind == THING_TUPLE) {
        if (argument_array(e, a, 0, &x) != CODE_OK) return evaluation_failed(e);
        rank = x->shape.rank;
    }
    *result = thing_number((double)rank, TYPE_INT);
    return CODE_OK;
}

/* ---- where something is ---- */

/* For each axis the indices of what is not 0, in the order of the elements. */
static int find_nonzero(struct evaluation *e, struct array *x, struct array **lists)
{
    const double *numbers;
    double *index[LANGUAGE_RANK_MAX];
    size_t count = 0, at[TENSOR_RANK_MAX];
    if (known_numbers(e, x, &numbers) != CODE_OK) return evaluation_failed(e);
    for (size_t i = 0; i < x->size; i++)
        count += numbers[i] != 0;
    const struct shape shape = {.rank = 1, .dim = {count}};
    for (size_t axis = 0; axis < x->shape.rank; axis++)
        if (array_known(e, &shape, TYPE_INT, &lists[axis], &index[axis]) != CODE_OK) return evaluation_failed(e);
    count = 0;
    for (size_t i = 0; i < x->size; i++) {
        if (numbers[i] == 0) continue;
        shape_index(&x->shape, i, at);
        for (size_t axis = 0; axis < x->shape.rank; axis++)
            index[axis][count] = (double)at[axis];
        count++;
    }
    return CODE_OK;
}

/* nonzero(x), where(x): a tuple of lists; argwhere(x): these beside each other; flatnonzero(x): of all axes as one */
static int call_nonzero(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *lists[LANGUAGE_RANK_MAX] = {NULL};
    int code = argument_array(e, a, 0, &x);
    const struct shape flat = {.rank = 1, .dim = {code == CODE_OK ? x->size : 0}};
    bool beside = strcmp(a->builtin->op, "beside") == 0, all = strcmp(a->builtin->op, "flat") == 0;
    if (code == CODE_OK && (all || x->shape.rank == 0)) code = array_reshape(e, x, &flat, &x);
    if (code == CODE_OK) code = find_nonzero(e, x, lists);
    struct sequence *sequence = sequence_new(e->arena);
    if (code == CODE_OK && sequence == NULL) return evaluation_no_memory(e);
    for (size_t axis = 0; code == CODE_OK && axis < x->shape.rank; axis++)
        if (!sequence_add(e->arena, sequence, thing_array(lists[axis]))) code = evaluation_no_memory(e);
    if (code != CODE_OK) return code;
    struct thing tuple = {.kind = THING_TUPLE, .sequence = sequence};
    *result = all ? thing_array(lists[0]) : tuple;
    return beside ? function_by_name(e, "column_stack", &tuple, 1, result) : CODE_OK;
}

/* ---- orders ---- */

struct ranked {
    double number;
    size_t place;
};

/* NaN behind all numbers; what is equal stays in its order. */
static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int nan = isnan(x->number) - isnan(y->number);
    if (nan != 0) return nan;
    if (x->number != y->number && !isnan(x->number)) return x->number < y->number ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* Of so many, in operations of a product. */
static double work_of_sorting(size_t n)
{
    return 15 * (double)n * log2((double)n + 1);
}

/* The indices that sort an array along an axis. */
static int call_argsort(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    const double *numbers;
    double *order;
    size_t axis = 0, stride = 1;
    bool falling;
    int code = argument_array(e, a, 0, &x);
    const struct shape flat = {.rank = 1, .dim = {code == CODE_OK ? x->size : 0}};
    if (code == CODE_OK && a->named[1] && !a->given[1]) code = array_reshape(e, x, &flat, &x); /* axis=None */
    if (code != CODE_OK) return code;
    if (x->shape.rank == 0) return function_fault(e, a, "takes an array, not a number");
    axis = x->shape.rank - 1;
    if (a->things[1].kind != THING_NONE) code = function_axis(e, &a->things[1], x->shape.rank, &axis);
    if (code == CODE_OK) code = argument_truth(e, a, 2, false, &falling);
    if (code == CODE_OK) code = compute_charge(e, work_of_sorting(x->size));
    if (code == CODE_OK) code = known_numbers(e, x, &numbers);
    if (code == CODE_OK) code = array_known(e, &x->shape, TYPE_INT, &y, &order);
    if (code != CODE_OK) return code;
    *result = thing_array(y);
    if (x->size == 0) return CODE_OK;
    const size_t n = x->shape.dim[axis];
    for (size_t i = axis + 1; i < x->shape.rank; i++)
        stride *= x->shape.dim[i];
    struct ranked *ranked = arena_array(e->arena, n, sizeof *ranked);
    if (ranked == NULL) return evaluation_no_memory(e);
    for (size_t row = 0; row < x->size / n; row++) {
        const size_t first = row / stride * stride * n + row % stride;
        for (size_t i = 0; i < n; i++)
            ranked[i] = (struct ranked){falling ? -numbers[first + i * stride] : numbers[first + i * stride], i};
        qsort(ranked, n, sizeof *ranked, compare_ranked);
        for (size_t i = 0; i < n; i++)
            order[first + i * stride] = (double)ranked[i].place;
    }
    return CODE_OK;
}

/* The different numbers of an array, the least first. */
static int call_unique(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    const double *numbers;
    double *kept;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = function_refuse_gradient(e, a, x);
    if (code == CODE_OK) code = compute_charge(e, work_of_sorting(x->size));
    if (code == CODE_OK) code = known_numbers(e, x, &numbers);
    struct ranked *ranked = code == CODE_OK ? arena_array(e->arena, x->size, sizeof *ranked) : NULL;
    if (code == CODE_OK && ranked == NULL) return evaluation_no_memory(e);
    if (code != CODE_OK) return code;
    size_t count = 0;
    for (size_t i = 0; i < x->size; i++)
        ranked[i] = (struct ranked){numbers[i], i};
    qsort(ranked, x->size, sizeof *ranked, compare_ranked);
    for (size_t i = 0; i < x->size; i++)
        if (i == 0 || ranked[i].number != ranked[count - 1].number) ranked[count++] = ranked[i];
    const struct shape shape = {.rank = 1, .dim = {count}};
    code = array_known(e, &shape, x->type, &y, &kept);
    for (size_t i = 0; code == CODE_OK && i < count; i++)
        kept[i] = ranked[i].number;
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

const struct builtin known_builtins[] = {
    {"shape", "x", call_shape, NULL, FREE},
    {"size", "x, axis=", call_size, NULL, FREE},
    {"numel", "x", call_size, NULL, BOTH},
    {"ndim", "x", call_ndim, NULL, FREE},
    {"dim", "x", call_ndim, NULL, METHOD},
    {"nonzero", "x", call_nonzero, "tuple", BOTH},
    {"torch.nonzero", "x", call_nonzero, "beside", FREE},
    {"argwhere", "x", call_nonzero, "beside", FREE},
    {"flatnonzero", "x", call_nonzero, "flat", FREE},
    {"argsort", "x, axis=, descending=", call_argsort, NULL, BOTH},
    {"unique", "x", call_unique, NULL, BOTH},
    {.name = NULL},
};
