/* Functions that work element by element. */
#include <math.h>
#include <string.h>

#include "core/language/functions.h"
#include "core/ops/ops.h"

static enum number_type type_of_result(const char *op, enum number_type type)
{
    static const char *const same[] = {"abs", "maximum", "minimum", NULL};
    static const char *const whole[] = {"square", "negative", "sign", "clip", NULL};
    static const char *const masks[] = {"less",      "less_equal",  "greater",    "greater_equal", "equal",
                                        "not_equal", "logical_and", "logical_or", "logical_not",   NULL};
    for (size_t i = 0; same[i] != NULL; i++)
        if (strcmp(op, same[i]) == 0) return type;
    for (size_t i = 0; masks[i] != NULL; i++)
        if (strcmp(op, masks[i]) == 0) return TYPE_BOOL;
    for (size_t i = 0; whole[i] != NULL; i++)
        if (strcmp(op, whole[i]) == 0) return type == TYPE_BOOL ? TYPE_INT : type;
    return TYPE_FLOAT;
}

/* One number in, one out: constants stay numbers. */
static int to_thing(struct evaluation *e, const struct arguments *a, struct array *array, struct thing *result)
{
    bool number = true;
    for (size_t i = 0; i < ARGUMENTS_MAX; i++)
        number = number && a->things[i].kind != THING_ARRAY && a->things[i].kind != THING_LIST &&
                 a->things[i].kind != THING_TUPLE;
    if (array_settle(e, array) != CODE_OK) return evaluation_failed(e);
    *result = number && array->size == 1 && array->numbers != NULL ? thing_number(array->numbers[0], array->type)
                                                                   : thing_array(array);
    return CODE_OK;
}

static int unary(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK)
        code = array_op(e, a->builtin->op, NULL, 0, &x, 1, type_of_result(a->builtin->op, x->type), &y);
    return code == CODE_OK ? to_thing(e, a, y, result) : code;
}

/* An op of two that are broadcast to each other. */
static int broadcast_op(struct evaluation *e, const struct arguments *a, const char *op, struct array *const *inputs,
                        enum number_type type, struct array **y)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    struct shape common;
    if (!array_common_shape(&inputs[0]->shape, &inputs[1]->shape, &common))
        return evaluation_fault(e, "%s takes shapes that can be broadcast to each other, not %s and %s",
                                a->builtin->name, shape_text(&inputs[0]->shape, one),
                                shape_text(&inputs[1]->shape, other));
    return array_op(e, op, NULL, 0, inputs, 2, type, y);
}

static int binary(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *inputs[2] = {NULL}, *y = NULL;
    int code = argument_array(e, a, 0, &inputs[0]);
    if (code == CODE_OK) code = argument_array(e, a, 1, &inputs[1]);
    if (code != CODE_OK) return code;
    enum number_type type = inputs[0]->type > inputs[1]->type ? inputs[0]->type : inputs[1]->type;
    code = broadcast_op(e, a, a->builtin->op, inputs, type_of_result(a->builtin->op, type), &y);
    return code == CODE_OK ? to_thing(e, a, y, result) : code;
}

static int by_operator(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    static const struct {
        const char *op;
        enum operation operation;
    } operators[] = {{"add", OPERATION_ADD},
                     {"sub", OPERATION_SUBTRACT},
                     {"mul", OPERATION_MULTIPLY},
                     {"div", OPERATION_DIVIDE},
                     {"pow", OPERATION_POWER}};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].op, a->builtin->op) == 0)
            return evaluation_binary(e, operators[i].operation, &a->things[0], &a->things[1], result);
    return function_fault(e, a, "is not there yet");
}

static int call_negative(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    return evaluation_unary(e, OPERATION_NEGATIVE, &a->things[0], result);
}

static int call_clip(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    static const char *const sides[2] = {"maximum", "minimum"};
    double numbers[2];
    struct array *x = NULL, *bounds[2] = {NULL};
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_operand(e, a, 1, -HUGE_VAL, &bounds[0], &numbers[0]);
    if (code == CODE_OK) code = argument_operand(e, a, 2, HUGE_VAL, &bounds[1], &numbers[1]);
    if (code != CODE_OK) return code;
    enum number_type type = x->type;
    for (size_t i = 1; i <= 2; i++)
        type = argument_type(a, i) > type ? argument_type(a, i) : type;
    if (bounds[0] == NULL && bounds[1] == NULL)
        code = array_op(e, "clip", numbers, 2, &x, 1, type_of_result("clip", type), &x);
    /* Bounds that have gradients, or are arrays: one side after the other. */
    for (size_t i = 0; code == CODE_OK && (bounds[0] != NULL || bounds[1] != NULL) && i < 2; i++) {
        if (bounds[i] == NULL && a->things[1 + i].kind == THING_NONE) continue;
        if (bounds[i] == NULL) code = argument_array(e, a, 1 + i, &bounds[i]);
        struct array *inputs[2] = {x, bounds[i]};
        if (code == CODE_OK) code = broadcast_op(e, a, sides[i], inputs, type_of_result(sides[i], type), &x);
    }
    return code == CODE_OK ? to_thing(e, a, x, result) : code;
}

static int call_where(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *inputs[3] = {NULL}, *y = NULL;
    int code = CODE_OK;
    if (!a->given[1] && !a->given[2]) { /* where it holds */
        struct thing condition = a->things[0];
        return function_by_name(e, "nonzero", &condition, 1, result);
    }
    if (!a->given[2]) return function_fault(e, a, "takes a condition, and two that are chosen from or none");
    for (size_t i = 0; code == CODE_OK && i < 3; i++)
        code = argument_array(e, a, i, &inputs[i]);
    if (code != CODE_OK) return code;
    enum number_type type = inputs[1]->type > inputs[2]->type ? inputs[1]->type : inputs[2]->type;
    code = array_op(e, "where", NULL, 0, inputs, 3, type, &y);
    return code == CODE_OK ? to_thing(e, a, y, result) : code;
}

/* x, type=: x itself, its numbers as others of a type where one is asked for, or the function stands for one. */
/* Whether a list has nothing in it but integers as Python has them: what it becomes has no place for others. Numbers of
 * data may be whole, and mean others. */
static bool is_of_integers(const struct thing *thing, size_t depth)
{
    if (thing->kind == THING_NUMBER) return depth > 0 && thing->type == TYPE_INT;
    bool list = (thing->kind == THING_LIST || thing->kind == THING_TUPLE) && depth <= LANGUAGE_RANK_MAX;
    for (size_t i = 0; list && i < thing->sequence->count; i++)
        list = is_of_integers(&thing->sequence->items[i], depth + 1);
    return list;
}

static int call_cast(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    enum number_type type = TYPE_FLOAT;
    bool asked = a->builtin->op != NULL && type_named(a->builtin->op, &type);
    int code = type_asked(e, &a->things[1], type, &type);
    asked = asked || a->things[1].kind != THING_NONE;
    if (code == CODE_OK && a->things[0].kind == THING_NUMBER && a->things[1].kind == THING_NONE) {
        *result = a->things[0];
        if (asked) result->type = type;
        if (asked && type == TYPE_INT) result->number = trunc(result->number);
        if (asked && type == TYPE_BOOL) result->number = result->number != 0;
        return CODE_OK;
    }
    if (code == CODE_OK) code = argument_array(e, a, 0, &x);
    if (!asked && is_of_integers(&a->things[0], 0)) type = TYPE_INT;
    if (code == CODE_OK && (asked || type == TYPE_INT)) code = type_cast(e, x, type, &x);
    if (code == CODE_OK) *result = thing_array(x);
    return code;
}

/* x.copy(): of a list or dictionary, one with the same items. */
static int call_copy(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    const struct thing *x = &a->things[0];
    if (x->kind != THING_LIST && x->kind != THING_DICTIONARY) return call_cast(e, a, result);
    struct thing copy = *x;
    copy.sequence = sequence_new(e->arena);
    if (copy.sequence == NULL) return evaluation_no_memory(e);
    int code = evaluation_step(e, x->sequence->count);
    for (size_t i = 0; code == CODE_OK && i < x->sequence->count; i++)
        if (!sequence_add(e->arena, copy.sequence, x->sequence->items[i])) code = evaluation_no_memory(e);
    *result = copy;
    return code;
}

/* x.to(type), x.to(device), x.to(device, dtype=type) */
static int call_to(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    enum number_type type;
    int code = argument_array(e, a, 0, &x);
    for (size_t i = 0; code == CODE_OK && i < a->rest.count; i++)
        if (type_of_thing(&a->rest.items[i], &type)) code = type_cast(e, x, type, &x);
    if (code == CODE_OK && a->given[2]) code = type_asked(e, &a->things[2], TYPE_FLOAT, &type);
    if (code == CODE_OK && a->given[2]) code = type_cast(e, x, type, &x);
    if (code == CODE_OK) *result = thing_array(x);
    return code;
}

/* x itself, wherever it is put. */
static int call_same(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) *result = thing_array(x);
    return code;
}

/* The value, through which no gradient flows. */
static int call_detach(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = array_detach(e, x, &y);
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

const struct builtin elementwise_builtins[] = {
    {"exp", "x", unary, "exp", BOTH},
    {"log", "x", unary, "log", BOTH},
    {"log1p", "x", unary, "log1p", BOTH},
    {"expm1", "x", unary, "expm1", BOTH},
    {"sqrt", "x", unary, "sqrt", BOTH},
    {"square", "x", unary, "square", BOTH},
    {"abs", "x", unary, "abs", BOTH},
    {"absolute", "x", unary, "abs", FREE},
    {"fabs", "x", unary, "abs", FREE},
    {"sign", "x", unary, "sign", BOTH},
    {"sin", "x", unary, "sin", BOTH},
    {"cos", "x", unary, "cos", BOTH},
    {"reciprocal", "x", unary, "reciprocal", BOTH},
    {"floor", "x", unary, "floor", BOTH},
    {"ceil", "x", unary, "ceil", BOTH},
    {"rint", "x", unary, "round", FREE},
    {"trunc", "x", unary, "trunc", BOTH},
    {"fix", "x", unary, "trunc", FREE},
    {"erf", "x", unary, "erf", BOTH},
    {"arctan", "x", unary, "arctan", BOTH},
    {"atan", "x", unary, "arctan", BOTH},
    {"logical_not", "x", unary, "logical_not", FREE},
    {"negative", "x", call_negative, NULL, FREE},
    {"neg", "x", call_negative, NULL, METHOD},
    {"maximum", "x, y", binary, "maximum", FREE},
    {"minimum", "x, y", binary, "minimum", FREE},
    {"less", "x, y", binary, "less", FREE},
    {"less_equal", "x, y", binary, "less_equal", FREE},
    {"greater", "x, y", binary, "greater", FREE},
    {"greater_equal", "x, y", binary, "greater_equal", FREE},
    {"equal", "x, y", binary, "equal", FREE},
    {"not_equal", "x, y", binary, "not_equal", FREE},
    {"logical_and", "x, y", binary, "logical_and", FREE},
    {"logical_or", "x, y", binary, "logical_or", FREE},
    {"add", "x, y", by_operator, "add", BOTH},
    {"subtract", "x, y", by_operator, "sub", FREE},
    {"sub", "x, y", by_operator, "sub", BOTH},
    {"multiply", "x, y", by_operator, "mul", FREE},
    {"mul", "x, y", by_operator, "mul", BOTH},
    {"divide", "x, y", by_operator, "div", FREE},
    {"true_divide", "x, y", by_operator, "div", FREE},
    {"div", "x, y", by_operator, "div", BOTH},
    {"power", "x, y", by_operator, "pow", FREE},
    {"pow", "x, y", by_operator, "pow", BOTH},
    {"clip", "x, low|a_min|min=, high|a_max|max=", call_clip, NULL, BOTH},
    {"clamp", "x, low|min=, high|max=", call_clip, NULL, BOTH},
    {"where", "c|condition, x=, y=", call_where, NULL, FREE},
    {"astype", "x, type|dtype=", call_cast, "float", BOTH},
    {"float", "x", call_cast, "float", BOTH},
    {"double", "x", call_cast, "float", BOTH},
    {"copy", "x", call_cast, NULL, FREE},
    {"copy", "x", call_copy, NULL, METHOD},
    {"clone", "x", call_cast, NULL, BOTH},
    {"numpy", "x", call_cast, NULL, METHOD},
    {"cpu", "x", call_cast, NULL, METHOD},
    {"contiguous", "x", call_cast, NULL, METHOD},
    {"requires_grad_", "x, flag=", call_same, NULL, METHOD},
    {"tolist", "x", call_cast, NULL, METHOD},
    {"to", "x, *, dtype=", call_to, NULL, METHOD},
    {"tensor", "x, type|dtype=", call_cast, NULL, FREE},
    {"from_numpy", "x", call_cast, NULL, FREE},
    {"ascontiguousarray", "x, type|dtype=", call_cast, NULL, FREE},
    {"float64", "x", call_cast, "float", FREE},
    {"float32", "x", call_cast, "float", FREE},
    {"long", "x", call_cast, "int", METHOD},
    {"int", "x", call_cast, "int", METHOD},
    {"bool", "x", call_cast, "bool", METHOD},
    {"item", "x", call_cast, NULL, METHOD},
    {"asarray", "x, type|dtype=", call_cast, NULL, FREE},
    {"asanyarray", "x, type|dtype=", call_cast, NULL, FREE},
    {"array", "x, type|dtype=", call_cast, NULL, FREE},
    {"as_tensor", "x, type|dtype=", call_cast, NULL, FREE},
    {"detach", "x", call_detach, NULL, BOTH},
    {"stop_gradient", "x", call_detach, NULL, FREE},
    {.name = NULL},
};
