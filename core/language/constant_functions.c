/* Functions that make constants: zeros, ranges, NumPy's random numbers. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/language/functions.h"
#include "core/language/known.h"

static int filled(struct evaluation *e, const struct shape *shape, double number, enum number_type type,
                  struct thing *result)
{
    struct array *array = NULL;
    double *numbers;
    int code = array_known(e, shape, type, &array, &numbers);
    for (size_t i = 0; code == CODE_OK && i < array->size; i++)
        numbers[i] = number;
    if (code == CODE_OK) *result = thing_array(array);
    return code;
}

/* As numbers of the type that is asked for at i; where none is, as they are. */
static int of_type(struct evaluation *e, const struct thing *asked, struct thing *result)
{
    enum number_type type;
    struct array *array = NULL;
    if (asked->kind == THING_NONE) return CODE_OK;
    int code = type_asked(e, asked, TYPE_FLOAT, &type);
    if (code == CODE_OK) code = type_cast(e, result->array, type, &array);
    if (code == CODE_OK) *result = thing_array(array);
    return code;
}

/* shape, *, dtype=: zeros, ones, empty (which is zeros here). The type may stand behind the shape. */
static int call_filled(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct shape shape;
    enum number_type type;
    struct sequence rest = a->rest;
    const struct thing *asked = &a->things[2];
    if (rest.count > 0 && type_of_thing(&rest.items[rest.count - 1], &type)) asked = &rest.items[--rest.count];
    int code = argument_shape(e, &a->things[0], &rest, &shape);
    if (code == CODE_OK) code = filled(e, &shape, strcmp(a->builtin->op, "ones") == 0, TYPE_FLOAT, result);
    return code == CODE_OK ? of_type(e, asked, result) : code;
}

/* The second argument everywhere, which may be an array, and have a gradient. */
static int filled_with(struct evaluation *e, const struct arguments *a, const struct shape *shape,
                       enum number_type type, struct thing *result)
{
    struct array *array = NULL;
    double number;
    int code = argument_operand(e, a, 1, 0, &array, &number);
    if (code == CODE_OK && array == NULL) return filled(e, shape, number, type, result);
    if (code == CODE_OK) code = array_broadcast(e, array, shape, &array);
    if (code == CODE_OK) *result = thing_array(array);
    return code;
}

static int call_full(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct shape shape;
    int code = argument_shape(e, &a->things[0], NULL, &shape);
    if (code == CODE_OK) code = filled_with(e, a, &shape, argument_type(a, 1), result);
    bool integers = a->things[1].kind == THING_NUMBER && a->things[1].type == TYPE_INT;
    if (code == CODE_OK && integers) code = type_cast(e, result->array, TYPE_INT, &result->array);
    return code == CODE_OK ? of_type(e, &a->things[2], result) : code;
}

static int call_like(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code != CODE_OK) return code;
    bool full = strcmp(a->builtin->op, "full") == 0;
    /* Of masks they are masks; numbers of data may be whole, and mean others. */
    enum number_type type = x->type == TYPE_BOOL ? TYPE_BOOL : TYPE_FLOAT;
    code = full ? filled_with(e, a, &x->shape, type, result)
                : filled(e, &x->shape, strcmp(a->builtin->op, "ones") == 0, type, result);
    if (code == CODE_OK && (x->whole || (full && type == TYPE_BOOL)))
        code = type_cast(e, result->array, x->type, &result->array);
    return code == CODE_OK ? of_type(e, &a->things[full ? 2 : 1], result) : code;
}

static int call_eye(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    size_t n = 0, m = 0;
    int code = argument_size(e, a, 0, 0, &n);
    if (code == CODE_OK) code = argument_size(e, a, 1, (double)n, &m);
    const struct shape shape = {.rank = 2, .dim = {n, m}};
    if (code == CODE_OK) code = filled(e, &shape, 0, TYPE_FLOAT, result);
    for (size_t i = 0; code == CODE_OK && i < n && i < m; i++)
        ((double *)(uintptr_t)result->array->numbers)[i * m + i] = 1;
    return code == CODE_OK ? of_type(e, &a->things[2], result) : code;
}

/* NumPy's matrix of a size; of an array, PyTorch's layer that does nothing. */
static int call_identity(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    if (a->things[0].kind != THING_ARRAY || a->things[0].array->shape.rank == 0) return call_eye(e, a, result);
    *result = a->things[0];
    return CODE_OK;
}

static int call_arange(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    double start = 0, stop = 0, step = 1;
    struct array *array = NULL;
    double *numbers;
    /* Where it ends says how many there are, no more. */
    int code = a->given[1] ? argument_number(e, a, 0, 0, &start) : argument_flat(e, a, 0, 0, &start);
    if (code == CODE_OK) code = argument_flat(e, a, 1, 0, &stop);
    if (code == CODE_OK) code = argument_number(e, a, 2, 1, &step);
    if (code != CODE_OK) return code;
    if (!a->given[1]) {
        stop = start;
        start = 0;
    }
    double many = ceil((stop - start) / step);
    if (step == 0 || !(many <= 1e12)) return function_fault(e, a, "makes too large an array");
    enum number_type type =
        start == floor(start) && step == floor(step) && a->things[0].type != TYPE_FLOAT ? TYPE_INT : TYPE_FLOAT;
    const struct shape shape = {.rank = 1, .dim = {many > 0 ? (size_t)many : 0}};
    code = array_known(e, &shape, type, &array, &numbers);
    for (size_t i = 0; code == CODE_OK && i < array->size; i++)
        numbers[i] = start + (double)i * step;
    if (code == CODE_OK) *result = thing_array(array);
    return code == CODE_OK ? of_type(e, &a->things[3], result) : code;
}

static int call_linspace(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    double start = 0, stop = 0;
    size_t count = 0;
    struct array *array = NULL;
    double *numbers;
    int code = argument_number(e, a, 0, 0, &start);
    if (code == CODE_OK) code = argument_number(e, a, 1, 0, &stop);
    if (code == CODE_OK) code = argument_size(e, a, 2, 50, &count);
    const struct shape shape = {.rank = 1, .dim = {count}};
    if (code == CODE_OK) code = array_known(e, &shape, TYPE_FLOAT, &array, &numbers);
    for (size_t i = 0; code == CODE_OK && i < count; i++)
        numbers[i] = i + 1 == count && count > 1
                         ? stop
                         : start + (double)i * ((stop - start) / (double)(count > 1 ? count - 1 : 1));
    if (code == CODE_OK) *result = thing_array(array);
    return code;
}

/* One more than the largest index. */
static int count_classes(struct evaluation *e, struct array *index, size_t *count)
{
    const double *numbers;
    double most = 0;
    if (known_numbers(e, index, &numbers) != CODE_OK) return evaluation_failed(e);
    for (size_t i = 0; i < index->size; i++)
        most = numbers[i] > most ? numbers[i] : most;
    if (!(most < 1e12)) return evaluation_fault(e, "an index is %g", most);
    *count = (size_t)most + 1;
    return CODE_OK;
}

/* NumPy's negative indices count from the end; classes do not. What is graded is not looked at. */
static int check_classes(struct evaluation *e, struct array *index)
{
    const double *numbers;
    bool has;
    if (array_has_gradient(e, index, &has) != CODE_OK) return evaluation_failed(e);
    if (has) return CODE_OK;
    if (known_numbers(e, index, &numbers) != CODE_OK) return evaluation_failed(e);
    for (size_t i = 0; i < index->size; i++)
        if (numbers[i] < 0) return evaluation_fault(e, "a class is %g: classes are counted from 0", numbers[i]);
    return CODE_OK;
}

/* 1 where an index is the number along a new last axis. */
static int call_one_hot(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *index = NULL, *classes = NULL, *y = NULL;
    size_t count = 0;
    double *numbers;
    int code = argument_array(e, a, 0, &index);
    if (code == CODE_OK) code = check_classes(e, index);
    if (code == CODE_OK && a->given[1])
        code = argument_size(e, a, 1, 0, &count);
    else if (code == CODE_OK)
        code = count_classes(e, index, &count);
    if (code != CODE_OK) return code;
    struct shape column = index->shape;
    const struct shape row = {.rank = 1, .dim = {count}};
    if (column.rank == LANGUAGE_RANK_MAX) return function_fault(e, a, "makes too many axes");
    column.dim[column.rank++] = 1;
    code = array_reshape(e, index, &column, &index);
    if (code == CODE_OK) code = array_known(e, &row, TYPE_INT, &classes, &numbers);
    for (size_t i = 0; code == CODE_OK && i < count; i++)
        numbers[i] = (double)i;
    /* Picked from all classes first: one that there is not would become a row of zeros. */
    struct array *inputs[2] = {classes, index};
    const double axis[2] = {0, 1};
    if (code == CODE_OK) code = array_op(e, "index", axis, 2, inputs, 2, TYPE_INT, &inputs[0]);
    inputs[1] = classes;
    if (code == CODE_OK) code = array_op(e, "equal", NULL, 0, inputs, 2, TYPE_INT, &y);
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

/* ---- random numbers ---- */

/* What they take, in steps of an evaluation. */
enum { STEPS_OF_A_SEED = 50, NUMBERS_DRAWN_IN_A_STEP = 8 };

static int call_seed(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    double seed;
    int code = function_whole(e, &a->things[0], "a seed", &seed);
    if (code != CODE_OK) return code;
    if (!(seed >= 0 && seed <= UINT32_MAX)) return function_fault(e, a, "takes a number from 0 to 4294967295");
    if (evaluation_step(e, STEPS_OF_A_SEED) != CODE_OK) return evaluation_failed(e);
    if (e->random == NULL) e->random = arena_alloc(e->arena, sizeof *e->random);
    if (e->random == NULL) return evaluation_no_memory(e);
    numpy_random_seed(e->random, (uint32_t)seed);
    *result = (struct thing){.kind = THING_NONE};
    return CODE_OK;
}

/* In C's order, as NumPy draws them: u from 0 to 1, or z of mean 0 and deviation 1. */
static int draw(struct evaluation *e, const struct arguments *a, bool normal, const struct shape *shape,
                struct thing *result)
{
    if (e->random == NULL)
        return function_fault(e, a, "draws other numbers each time: np.random.seed(...) comes first");
    int code = filled(e, shape, 0, TYPE_FLOAT, result);
    if (code == CODE_OK) code = evaluation_step(e, result->array->size / NUMBERS_DRAWN_IN_A_STEP);
    if (code != CODE_OK) return code;
    double *numbers = (double *)(uintptr_t)result->array->numbers;
    for (size_t i = 0; i < result->array->size; i++)
        numbers[i] = normal ? numpy_random_normal(e->random) : numpy_random_uniform(e->random);
    return CODE_OK;
}

/* rand(2, 3), randn(2, 3), random((2, 3)) */
static int call_random(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct shape shape;
    int code = argument_shape(e, &a->things[0], &a->rest, &shape);
    return code == CODE_OK ? draw(e, a, strcmp(a->builtin->op, "normal") == 0, &shape, result) : code;
}

/* The shape of what is drawn: the one that is asked for, or that of the first two arguments. */
static int shape_of_draw(struct evaluation *e, const struct arguments *a, const struct array *first,
                         const struct array *second, struct shape *shape)
{
    const struct shape scalar = {0};
    if (a->things[2].kind != THING_NONE) return argument_shape(e, &a->things[2], NULL, shape);
    if (array_common_shape(first != NULL ? &first->shape : &scalar, second != NULL ? &second->shape : &scalar, shape))
        return CODE_OK;
    return function_fault(e, a, "takes shapes that can be broadcast to each other");
}

/* uniform(low, high, size): low + (high - low) u; normal(mean, deviation, size): mean + deviation z. */
static int call_distribution(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct shape shape;
    struct array *arrays[2] = {NULL};
    double numbers[2];
    bool normal = strcmp(a->builtin->op, "normal") == 0;
    int code = argument_operand(e, a, 0, 0, &arrays[0], &numbers[0]);
    if (code == CODE_OK) code = argument_operand(e, a, 1, 1, &arrays[1], &numbers[1]);
    if (code == CODE_OK) code = shape_of_draw(e, a, arrays[0], arrays[1], &shape);
    if (code == CODE_OK) code = draw(e, a, normal, &shape, result);
    if (code != CODE_OK) return code;
    if (arrays[0] == NULL && arrays[1] == NULL) {
        double *drawn = (double *)(uintptr_t)result->array->numbers;
        for (size_t i = 0; i < result->array->size; i++)
            drawn[i] = numbers[0] + (normal ? numbers[1] : numbers[1] - numbers[0]) * drawn[i];
        return CODE_OK;
    }
    const struct thing at = arrays[0] != NULL ? thing_array(arrays[0]) : thing_number(numbers[0], TYPE_FLOAT);
    struct thing scale = arrays[1] != NULL ? thing_array(arrays[1]) : thing_number(numbers[1], TYPE_FLOAT), drawn;
    if (!normal) {
        const struct thing high = scale;
        code = evaluation_binary(e, OPERATION_SUBTRACT, &high, &at, &scale);
    }
    if (code == CODE_OK) code = evaluation_binary(e, OPERATION_MULTIPLY, &scale, result, &drawn);
    return code == CODE_OK ? evaluation_binary(e, OPERATION_ADD, &at, &drawn, result) : code;
}

const struct builtin constant_builtins[] = {
    {"zeros", "shape, *, dtype=", call_filled, "zeros", FREE},
    {"ones", "shape, *, dtype=", call_filled, "ones", FREE},
    {"empty", "shape, *, dtype=", call_filled, "zeros", FREE},
    {"full", "shape, fill_value, dtype=", call_full, NULL, FREE},
    {"zeros_like", "x, dtype=", call_like, "zeros", FREE},
    {"ones_like", "x, dtype=", call_like, "ones", FREE},
    {"empty_like", "x, dtype=", call_like, "zeros", FREE},
    {"full_like", "x, fill_value, dtype=", call_like, "full", FREE},
    {"eye", "n|N, m|M=, dtype=", call_eye, NULL, FREE},
    {"identity", "n, m=, dtype=", call_identity, NULL, FREE},
    {"arange", "start, stop=, step=, dtype=", call_arange, NULL, FREE},
    {"linspace", "start, stop, num|steps=", call_linspace, NULL, FREE},
    {"one_hot", "x, num_classes=", call_one_hot, NULL, FREE},
    {"seed", "seed", call_seed, NULL, FREE},
    {"manual_seed", "seed", call_seed, NULL, FREE},
    {"rand", "shape=, *", call_random, "uniform", FREE},
    {"randn", "shape=, *", call_random, "normal", FREE},
    {"random_sample", "shape|size=", call_random, "uniform", FREE},
    {"random", "shape|size=", call_random, "uniform", FREE},
    {"uniform", "low=, high=, size=", call_distribution, "uniform", FREE},
    {"normal", "loc=, scale=, size=", call_distribution, "normal", FREE},
    {.name = NULL},
};
