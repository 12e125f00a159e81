/* What stands between two things, or before one: on numbers at once, on arrays by ops, on texts and lists as Python has
 * it. */
#include <math.h>
#include <string.h>

#include "core/language/equality.h"
#include "core/language/evaluation.h"
#include "core/language/known.h"
#include "core/language/sharing.h"
#include "core/language/texts.h"

int evaluation_truth(struct evaluation *e, const struct thing *thing, bool *truth)
{
    double number;
    switch (thing->kind) {
    case THING_NONE:
        *truth = false;
        return CODE_OK;
    case THING_NUMBER:
        *truth = thing->number != 0;
        return CODE_OK;
    case THING_TEXT:
        *truth = thing->text[0] != '\0';
        return CODE_OK;
    case THING_TUPLE:
    case THING_LIST:
    case THING_DICTIONARY:
        *truth = thing->sequence->count > 0;
        return CODE_OK;
    case THING_ARRAY:
        if (thing->array->size > 1)
            return evaluation_fault(e, "an array of several elements is neither true nor false");
        if (known_number(e, thing->array, &number) != CODE_OK) return evaluation_failed(e);
        *truth = number != 0;
        return CODE_OK;
    default:
        *truth = true;
        return CODE_OK;
    }
}

static double floor_modulo(double a, double b)
{
    double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* floor(a / b) as if a / b were exact: the quotient of a less the remainder is within half of it. */
static double floor_quotient(double a, double b)
{
    return rint((a - floor_modulo(a, b)) / b);
}

static int number_operation(struct evaluation *e, enum operation operation, const struct thing *a,
                            const struct thing *b, struct thing *result)
{
    double x = a->number, y = b->number, z = 0;
    enum number_type type = a->type > b->type ? a->type : b->type;
    bool logical = a->type == TYPE_BOOL && b->type == TYPE_BOOL;
    if (type == TYPE_BOOL) type = TYPE_INT;
    bool divides =
        operation == OPERATION_DIVIDE || operation == OPERATION_FLOOR_DIVIDE || operation == OPERATION_MODULO;
    if (divides && y == 0) return evaluation_fault(e, "division by zero");
    bool bits = operation == OPERATION_AND || operation == OPERATION_OR || operation == OPERATION_XOR;
    if (bits && (type == TYPE_FLOAT || !(fabs(x) <= 1e15 && fabs(y) <= 1e15)))
        return evaluation_fault(e, "this cannot be done with these numbers");
    switch (operation) {
    case OPERATION_ADD:
        z = x + y;
        break;
    case OPERATION_SUBTRACT:
        z = x - y;
        break;
    case OPERATION_MULTIPLY:
        z = x * y;
        break;
    case OPERATION_DIVIDE:
        z = x / y;
        type = TYPE_FLOAT;
        break;
    case OPERATION_FLOOR_DIVIDE:
        z = floor_quotient(x, y);
        break;
    case OPERATION_MODULO:
        z = floor_modulo(x, y);
        break;
    case OPERATION_POWER:
        z = pow(x, y);
        if (y < 0) type = TYPE_FLOAT;
        break;
    case OPERATION_AND:
        z = logical ? x != 0 && y != 0 : (double)((long long)x & (long long)y);
        break;
    case OPERATION_OR:
        z = logical ? x != 0 || y != 0 : (double)((long long)x | (long long)y);
        break;
    case OPERATION_XOR:
        z = logical ? (x != 0) != (y != 0) : (double)((long long)x ^ (long long)y);
        break;
    default:
        return evaluation_fault(e, "this cannot be done with two numbers");
    }
    *result = thing_number(z, bits && logical ? TYPE_BOOL : type);
    return CODE_OK;
}

/* a % b; where a gradient flows through it, a - floor(a / b) * b, where the floor is flat. */
static int array_modulo(struct evaluation *e, struct array **inputs, enum number_type type, struct array **array)
{
    struct array *product[2] = {NULL, inputs[1]}, *difference[2] = {inputs[0], NULL};
    bool one = false, other = false;
    int code = array_has_gradient(e, inputs[0], &one);
    if (code == CODE_OK) code = array_has_gradient(e, inputs[1], &other);
    if (code != CODE_OK) return code;
    if (!one && !other) return array_op(e, "mod", NULL, 0, inputs, 2, type, array);
    code = array_op(e, "floor_divide", NULL, 0, inputs, 2, TYPE_FLOAT, &product[0]);
    if (code == CODE_OK) code = array_op(e, "mul", NULL, 0, product, 2, TYPE_FLOAT, &difference[1]);
    return code == CODE_OK ? array_op(e, "sub", NULL, 0, difference, 2, TYPE_FLOAT, array) : code;
}

static int array_operation(struct evaluation *e, enum operation operation, const struct thing *a, const struct thing *b,
                           struct thing *result)
{
    static const char *const ops[] = {
        [OPERATION_ADD] = "add",
        [OPERATION_SUBTRACT] = "sub",
        [OPERATION_MULTIPLY] = "mul",
        [OPERATION_DIVIDE] = "div",
        [OPERATION_FLOOR_DIVIDE] = "floor_divide",
        [OPERATION_MODULO] = "mod",
        [OPERATION_POWER] = "pow",
        [OPERATION_AND] = "logical_and",
        [OPERATION_OR] = "logical_or",
        [OPERATION_XOR] = "not_equal",
        [OPERATION_LESS] = "less",
        [OPERATION_LESS_EQUAL] = "less_equal",
        [OPERATION_GREATER] = "greater",
        [OPERATION_GREATER_EQUAL] = "greater_equal",
        [OPERATION_EQUAL] = "equal",
        [OPERATION_NOT_EQUAL] = "not_equal",
    };
    struct array *inputs[2] = {NULL}, *array = NULL;
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    struct shape common;
    int code = array_of(e, a, &inputs[0]);
    if (code == CODE_OK) code = array_of(e, b, &inputs[1]);
    if (code != CODE_OK) return code;
    if (operation == OPERATION_MATMUL) return functions_matmul(e, inputs[0], inputs[1], result);
    if (!array_common_shape(&inputs[0]->shape, &inputs[1]->shape, &common))
        return evaluation_fault(e, "shapes %s and %s do not fit: they cannot be broadcast to each other",
                                shape_text(&inputs[0]->shape, one), shape_text(&inputs[1]->shape, other));
    enum number_type type = inputs[0]->type > inputs[1]->type ? inputs[0]->type : inputs[1]->type;
    if (operation == OPERATION_DIVIDE) type = TYPE_FLOAT;
    bool bits = operation == OPERATION_AND || operation == OPERATION_OR || operation == OPERATION_XOR;
    if (bits && type != TYPE_BOOL) return evaluation_fault(e, "this is for masks, as comparisons make them");
    bool masks = type == TYPE_BOOL && (operation == OPERATION_ADD || operation == OPERATION_MULTIPLY);
    if (masks && operation == OPERATION_ADD) operation = OPERATION_OR; /* the sum of masks is a mask, as the product */
    if (bits || masks || (operation >= OPERATION_LESS && operation <= OPERATION_NOT_EQUAL))
        type = TYPE_BOOL;
    else if (type == TYPE_BOOL)
        type = TYPE_INT;
    if (operation == OPERATION_POWER && b->kind == THING_NUMBER) {
        code = array_op(e, "power", &b->number, 1, inputs, 1, b->number < 0 ? TYPE_FLOAT : type, &array);
    } else if (operation == OPERATION_MODULO) {
        code = array_modulo(e, inputs, type, &array);
    } else {
        code = array_op(e, ops[operation], NULL, 0, inputs, 2, type, &array);
    }
    if (code == CODE_OK) *result = thing_array(array);
    return code;
}

static int compare(struct evaluation *e, enum operation operation, const struct thing *a, const struct thing *b,
                   struct thing *result)
{
    char one[SHAPE_TEXT_MAX + 32], other[SHAPE_TEXT_MAX + 32];
    bool holds = false;
    double x = a->number, y = b->number;
    bool many = b->kind == THING_TUPLE || b->kind == THING_LIST || b->kind == THING_DICTIONARY;
    if (many && evaluation_step(e, b->sequence->count) != CODE_OK) return evaluation_failed(e);
    if (operation == OPERATION_IN || operation == OPERATION_NOT_IN) {
        if (!many) return evaluation_fault(e, "nothing can be in %s", thing_words(b, other));
        for (size_t i = 0; i < b->sequence->count; i += b->kind == THING_DICTIONARY ? 2 : 1)
            if (!holds && equality_of(e, a, &b->sequence->items[i], &holds) != CODE_OK) return evaluation_failed(e);
        holds = holds == (operation == OPERATION_IN);
    } else if (operation == OPERATION_IS || operation == OPERATION_IS_NOT) {
        holds = equality_is(a, b) == (operation == OPERATION_IS);
    } else if (a->kind == THING_ARRAY || b->kind == THING_ARRAY) {
        if (a->kind == THING_NONE || b->kind == THING_NONE)
            holds = operation == OPERATION_NOT_EQUAL;
        else
            return array_operation(e, operation, a, b, result);
    } else if (operation == OPERATION_EQUAL || operation == OPERATION_NOT_EQUAL) {
        if (equality_of(e, a, b, &holds) != CODE_OK) return evaluation_failed(e);
        holds = holds == (operation == OPERATION_EQUAL);
    } else if (a->kind == THING_NUMBER && b->kind == THING_NUMBER) {
        holds = operation == OPERATION_LESS         ? x < y
                : operation == OPERATION_LESS_EQUAL ? x <= y
                : operation == OPERATION_GREATER    ? x > y
                                                    : x >= y;
    } else {
        return evaluation_fault(e, "%s and %s cannot be compared", thing_words(a, one), thing_words(b, other));
    }
    *result = thing_number(holds, TYPE_BOOL);
    return CODE_OK;
}

/* Text with text, tuple with tuple, list with list behind each other; a list or tuple so many times. */
static int join(struct evaluation *e, enum operation operation, const struct thing *a, const struct thing *b,
                struct thing *result)
{
    char one[SHAPE_TEXT_MAX + 32], other[SHAPE_TEXT_MAX + 32];
    if (operation == OPERATION_ADD && a->kind == THING_TEXT && b->kind == THING_TEXT)
        return texts_join(e, a->text, b->text, result);
    bool adds = operation == OPERATION_ADD && a->kind == b->kind,
         repeats = operation == OPERATION_MULTIPLY && b->kind == THING_NUMBER && b->type != TYPE_FLOAT;
    if ((a->kind != THING_LIST && a->kind != THING_TUPLE) || (!adds && !repeats))
        return evaluation_fault(e, "this cannot be done with %s and %s", thing_words(a, one), thing_words(b, other));
    struct sequence *sequence = sequence_new(e->arena);
    if (sequence == NULL) return evaluation_no_memory(e);
    size_t times = adds ? 1 : b->number > 0 ? (size_t)fmin(b->number, (double)e->left.steps + 1) : 0;
    for (size_t t = 0; t < times; t++) {
        if (evaluation_step(e, 1 + a->sequence->count) != CODE_OK) return evaluation_failed(e);
        for (size_t i = 0; i < a->sequence->count; i++)
            if (!sequence_add(e->arena, sequence, a->sequence->items[i])) return evaluation_no_memory(e);
    }
    for (size_t i = 0; adds && i < b->sequence->count; i++)
        if (evaluation_step(e, 1) != CODE_OK || !sequence_add(e->arena, sequence, b->sequence->items[i]))
            return e->reader->error->code != CODE_OK ? e->reader->error->code : evaluation_no_memory(e);
    *result = (struct thing){.kind = a->kind, .sequence = sequence};
    return CODE_OK;
}

int evaluation_binary(struct evaluation *e, enum operation operation, const struct thing *a, const struct thing *b,
                      struct thing *result)
{
    if (operation >= OPERATION_LESS && operation <= OPERATION_IS_NOT) return compare(e, operation, a, b, result);
    if (a->kind == THING_NUMBER && b->kind == THING_NUMBER) return number_operation(e, operation, a, b, result);
    if (operation == OPERATION_MODULO && a->kind == THING_TEXT) return texts_format(e, a->text, b, result);
    if (a->kind == THING_ARRAY || b->kind == THING_ARRAY) return array_operation(e, operation, a, b, result);
    return join(e, operation, a, b, result);
}

int evaluation_unary(struct evaluation *e, enum operation operation, const struct thing *a, struct thing *result)
{
    char words[SHAPE_TEXT_MAX + 32];
    bool truth = false;
    if (operation == OPERATION_NOT) {
        int code = evaluation_truth(e, a, &truth);
        *result = thing_number(!truth, TYPE_BOOL);
        return code;
    }
    if (a->kind == THING_NUMBER) {
        enum number_type type = a->type == TYPE_BOOL ? TYPE_INT : a->type;
        if (operation == OPERATION_INVERT && a->type == TYPE_FLOAT) return evaluation_fault(e, "~ is for masks");
        *result = operation == OPERATION_NEGATIVE   ? thing_number(-a->number, type)
                  : operation == OPERATION_POSITIVE ? thing_number(a->number, type)
                  : a->type == TYPE_BOOL            ? thing_number(a->number == 0, TYPE_BOOL)
                                                    : thing_number(-a->number - 1, TYPE_INT);
        return CODE_OK;
    }
    if (a->kind != THING_ARRAY) return evaluation_fault(e, "this cannot be done with %s", thing_words(a, words));
    if (operation == OPERATION_POSITIVE) {
        *result = *a;
        return sharing_result(e, "positive", a, 1, result);
    }
    struct array *array = a->array;
    if (operation == OPERATION_INVERT && array->type != TYPE_BOOL)
        return evaluation_fault(e, "~ is for masks, as comparisons make them");
    enum number_type type = array->type == TYPE_BOOL ? TYPE_INT : array->type;
    int code = operation == OPERATION_INVERT ? array_op(e, "logical_not", NULL, 0, &array, 1, TYPE_BOOL, &array)
                                             : array_op(e, "negative", NULL, 0, &array, 1, type, &array);
    if (code == CODE_OK) *result = thing_array(array);
    return code;
}
