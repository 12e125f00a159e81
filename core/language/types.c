#include "core/language/types.h"

#include <string.h>

#include "core/language/evaluation.h"

bool type_named(const char *name, enum number_type *type)
{
    static const char *const bools[] = {"bool", "bool_", "bool8", "BoolTensor", "?", NULL},
                             *const integers[] = {"int",  "int8",  "int16",  "int32",      "int64",     "int_", "intp",
                                                  "uint", "uint8", "uint16", "uint32",     "uint64",    "long", "short",
                                                  "i",    "i4",    "i8",     "LongTensor", "IntTensor", NULL},
                             *const floats[] = {"float", "float16", "float32",     "float64",      "float_", "double",
                                                "half",  "single",  "bfloat16",    "longdouble",   "f",      "d",
                                                "f4",    "f8",      "FloatTensor", "DoubleTensor", NULL};
    static const char *const *const lists[] = {[TYPE_BOOL] = bools, [TYPE_INT] = integers, [TYPE_FLOAT] = floats};
    for (enum number_type t = TYPE_BOOL; t <= TYPE_FLOAT; t++)
        for (size_t i = 0; lists[t][i] != NULL; i++)
            if (strcmp(lists[t][i], name) == 0) {
                *type = t;
                return true;
            }
    return false;
}

bool type_of_thing(const struct thing *thing, enum number_type *type)
{
    if (thing->kind == THING_TEXT) return type_named(thing->text, type);
    return thing->kind == THING_BUILTIN && thing->self == NULL && type_named(builtin_name(thing->builtin), type);
}

int type_asked(struct evaluation *e, const struct thing *thing, enum number_type fallback, enum number_type *type)
{
    char words[SHAPE_TEXT_MAX + 32];
    *type = fallback;
    if (thing->kind == THING_NONE || type_of_thing(thing, type)) return CODE_OK;
    if (thing->kind == THING_TEXT) return evaluation_fault(e, "\"%.40s\" is no type of numbers here", thing->text);
    return evaluation_fault(e, "a type of numbers is expected here, not %s", thing_words(thing, words));
}

/* The same numbers under another type. */
static int retype(struct evaluation *e, struct array *x, enum number_type type, struct array **y)
{
    struct array *retyped = arena_alloc(e->arena, sizeof *retyped);
    if (retyped == NULL) return evaluation_no_memory(e);
    if (array_settle(e, x) != CODE_OK) return evaluation_failed(e);
    *retyped = *x;
    retyped->type = type;
    *y = retyped;
    return CODE_OK;
}

int type_cast(struct evaluation *e, struct array *x, enum number_type type, struct array **y)
{
    const struct thing nothing = thing_number(0, TYPE_INT);
    struct array *zero = NULL;
    int code = CODE_OK;
    *y = x;
    if (type == TYPE_BOOL && x->type != TYPE_BOOL) {
        code = array_of(e, &nothing, &zero);
        struct array *inputs[2] = {x, zero};
        return code == CODE_OK ? array_op(e, "not_equal", NULL, 0, inputs, 2, TYPE_BOOL, y) : code;
    }
    if (type == TYPE_INT && x->type == TYPE_FLOAT) {
        code = array_op(e, "trunc", NULL, 0, &x, 1, TYPE_INT, y);
    } else if (type != x->type || (type == TYPE_INT && !x->whole) || (type == TYPE_FLOAT && x->whole)) {
        code = retype(e, x, type, y);
    }
    if (code == CODE_OK && type != TYPE_BOOL && *y != x) (*y)->whole = type == TYPE_INT;
    return code;
}
