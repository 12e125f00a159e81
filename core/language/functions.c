/* How functions are found and called; the tables of them stand in the files *_functions.c. */
#include "core/language/functions.h"

#include <math.h>
#include <string.h>

#include "core/base/spelling.h"
#include "core/language/known.h"
#include "core/language/sharing.h"

const struct builtin_table builtin_tables[] = {{"Element by element", elementwise_builtins},
                                               {"Reductions", reduction_builtins},
                                               {"Shapes", shape_builtins},
                                               {"Joining and cutting", joining_builtins},
                                               {"Constants and random numbers", constant_builtins},
                                               {"Layers and losses under PyTorch's other names", layer_builtins},
                                               {"Python's", python_builtins},
                                               {"Decided by numbers", known_builtins},
                                               {"Put together from the others", library_builtins},
                                               {0}};

const struct builtin *functions_find(const char *name, bool method)
{
    for (const struct builtin_table *t = builtin_tables; t->title != NULL; t++)
        for (const struct builtin *b = t->functions; b->name != NULL; b++)
            if (b->name[0] == name[0] && (name[0] == '\0' || b->name[1] == name[1]) && strcmp(b->name, name) == 0 &&
                (b->use & (method ? METHOD : FREE)) != 0)
                return b;
    return NULL;
}

const struct builtin *functions_find_of(const char *room, const char *name)
{
    size_t n = strlen(room);
    for (const struct builtin_table *t = builtin_tables; t->title != NULL; t++)
        for (const struct builtin *b = t->functions; b->name != NULL; b++)
            if (strncmp(b->name, room, n) == 0 && b->name[n] == '.' && strcmp(b->name + n + 1, name) == 0) return b;
    return NULL;
}

const struct builtin *functions_find_python(const char *name)
{
    static const char before[] = "python.";
    for (const struct builtin *b = python_builtins; b->name != NULL; b++)
        if (b->name[0] == 'p' && strncmp(b->name, before, sizeof before - 1) == 0 &&
            strcmp(b->name + sizeof before - 1, name) == 0)
            return b;
    return functions_find(name, false);
}

const char *builtin_name(const struct builtin *builtin)
{
    return builtin->name;
}

/* Not for programs to call by that name. */
static bool is_hidden(const char *name)
{
    return name[0] == '_' || strchr(name, '.') != NULL;
}

const char *functions_nearest(struct arena *arena, const char *name)
{
    size_t count = 0;
    for (const struct builtin_table *t = builtin_tables; t->title != NULL; t++)
        for (const struct builtin *b = t->functions; b->name != NULL; b++)
            count++;
    const char **known = arena_array(arena, count, sizeof *known);
    if (known == NULL) return NULL;
    count = 0;
    for (const struct builtin_table *t = builtin_tables; t->title != NULL; t++)
        for (const struct builtin *b = t->functions; b->name != NULL; b++)
            if (!is_hidden(b->name) && (b->use & FREE) != 0 && strcmp(b->name, name) != 0) known[count++] = b->name;
    return spelling_nearest(name, known, count);
}

/* ---- arguments ---- */

static const char *skip_spaces(const char *at)
{
    while (*at == ' ' || *at == ',')
        at++;
    return at;
}

/* Whether a parameter of a signature, which begins there, goes by that name. */
static bool is_called(const char *parameter, const char *name)
{
    size_t length = strlen(name);
    for (;;) {
        size_t n = strcspn(parameter, "|=,*");
        if (n == length && memcmp(parameter, name, n) == 0) return true;
        if (parameter[n] != '|') return false;
        parameter += n + 1;
    }
}

static const char *next_parameter(const char *at)
{
    return skip_spaces(at + strcspn(at, ","));
}

static bool may_be_left_out(const char *parameter)
{
    size_t n = strcspn(parameter, "=,");
    return parameter[n] == '=' || parameter[0] == '*';
}

bool function_same_keyword(size_t i, const char *keyword, const char **name)
{
    static const char *const same[][2] = {
        {"dim", "axis"},        {"keepdim", "keepdims"}, {"dims", "axis"},
        {"axes", "axis"},       {"input", "x"},          {"a", "x"},
        {"arr", "x"},           {"tensor", "x"},         {"target", "y"},
        {"weight", "gamma"},    {"bias", "beta"},        {"input1", "x"},
        {"input2", "other"},    {"shifts", "shift"},     {"split_size_or_sections", "size"},
        {"ddof", "correction"}, {"indices", "index"}};
    *name = NULL;
    if (i >= sizeof same / sizeof *same) return false;
    if (strcmp(same[i][0], keyword) == 0) *name = same[i][1];
    return true;
}

/* Which parameter of a signature goes by that name; ARGUMENTS_MAX where there is none. */
static size_t find_called(const char *signature, const char *name)
{
    size_t i = 0;
    for (const char *at = skip_spaces(signature); *at != '\0'; at = next_parameter(at), i++)
        if (*at != '*' && is_called(at, name)) return i;
    return ARGUMENTS_MAX;
}

/* Which parameter a keyword means: the one of that name, else of another word for it. */
static size_t find_parameter(const char *signature, const char *name)
{
    const char *other;
    size_t found = find_called(signature, name);
    for (size_t i = 0; found == ARGUMENTS_MAX && function_same_keyword(i, name, &other); i++)
        if (other != NULL) found = find_called(signature, other);
    return found;
}

/* Keywords that say nothing here: arithmetic and memory are the daemon's. */
bool function_passes_over(const char *keyword)
{
    static const char *const words[] = {"dtype",         "out",     "copy",          "order", "device",
                                        "requires_grad", "inplace", "memory_format", NULL};
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], keyword) == 0) return true;
    return false;
}

static int enter_argument(struct evaluation *e, struct arguments *a, size_t i, const struct thing *thing)
{
    if (a->named[i]) return function_fault(e, a, "gets an argument twice");
    a->things[i] = *thing;
    a->given[i] = thing->kind != THING_NONE;
    a->named[i] = true;
    return CODE_OK;
}

static int keep_keyword(struct evaluation *e, struct arguments *a, const char *keyword, const struct thing *thing,
                        size_t room)
{
    if (a->keywords == NULL) {
        a->keywords = arena_array(e->arena, room, sizeof *a->keywords);
        a->keyword_things = arena_array(e->arena, room, sizeof *a->keyword_things);
        if (a->keywords == NULL || a->keyword_things == NULL) return evaluation_no_memory(e);
    }
    a->keywords[a->keyword_count] = keyword;
    a->keyword_things[a->keyword_count++] = *thing;
    return CODE_OK;
}

static int read_arguments(struct evaluation *e, struct arguments *a, const struct thing *arguments,
                          const char *const *keywords, size_t count)
{
    const char *signature = a->builtin->signature, *at = skip_spaces(signature);
    size_t position = 0;
    for (size_t i = 0; i < count; i++) {
        int code;
        if (keywords[i] != NULL && signature[0] == '*') {
            code = keep_keyword(e, a, keywords[i], &arguments[i], count);
        } else if (keywords[i] != NULL) {
            size_t which = find_parameter(signature, keywords[i]);
            if (which == ARGUMENTS_MAX && function_passes_over(keywords[i])) continue;
            if (which == ARGUMENTS_MAX)
                return evaluation_fault(e, "%s has no argument \"%.40s\" (it takes: %s)", a->builtin->name, keywords[i],
                                        signature);
            code = enter_argument(e, a, which, &arguments[i]);
        } else if (*at == '*') {
            code = sequence_add(e->arena, &a->rest, arguments[i]) ? CODE_OK : evaluation_no_memory(e);
        } else if (*at == '\0') {
            return evaluation_fault(e, "%s takes fewer arguments (it takes: %s)", a->builtin->name, signature);
        } else {
            code = enter_argument(e, a, position++, &arguments[i]);
            at = next_parameter(at);
        }
        if (code != CODE_OK) return code;
    }
    size_t i = 0;
    for (at = skip_spaces(signature); *at != '\0'; at = next_parameter(at), i++)
        if (!may_be_left_out(at) && !a->named[i])
            return evaluation_fault(e, "%s needs more arguments (it takes: %s)", a->builtin->name, signature);
    return CODE_OK;
}

/* x.max(dim=1) is PyTorch's, x.max(axis=1) NumPy's. */
static const struct builtin *dialect(const struct builtin *builtin, const char *const *keywords, size_t count)
{
    const struct builtin *torch = NULL;
    for (size_t i = 0; torch == NULL && i < count; i++)
        if (keywords[i] != NULL && (strcmp(keywords[i], "dim") == 0 || strcmp(keywords[i], "keepdim") == 0))
            torch = functions_find_of("torch", builtin->name);
    return torch != NULL ? torch : builtin;
}

int functions_call(struct evaluation *e, const struct thing *callee, struct thing *arguments,
                   const char *const *keywords, size_t count, struct thing *result)
{
    struct arguments a = {.builtin = dialect(callee->builtin, keywords, count)};
    struct thing *all = arguments;
    const char *const *words = keywords;
    if (callee->self != NULL) {
        all = arena_array(e->arena, count + 1, sizeof *all);
        const char **longer = arena_zeroed(e->arena, count + 1, sizeof *longer);
        if (all == NULL || longer == NULL) return evaluation_no_memory(e);
        all[0] = *callee->self;
        if (count > 0) memcpy(all + 1, arguments, count * sizeof *all);
        if (count > 0) memcpy(longer + 1, keywords, count * sizeof *longer);
        words = longer;
        count++;
    }
    if (read_arguments(e, &a, all, words, count) != CODE_OK) return evaluation_failed(e);
    int code = a.builtin->call(e, &a, result);
    return code == CODE_OK ? sharing_result(e, a.builtin->name, all, count, result) : code;
}

int function_by_name(struct evaluation *e, const char *name, struct thing *arguments, size_t count,
                     struct thing *result)
{
    const struct thing callee = {.kind = THING_BUILTIN, .builtin = functions_find(name, false)};
    const char *const none[ARGUMENTS_MAX] = {NULL};
    return functions_call(e, &callee, arguments, none, count, result);
}

int function_fault(struct evaluation *e, const struct arguments *a, const char *what)
{
    return evaluation_fault(e, "%s %s", a->builtin->name, what);
}

int argument_array(struct evaluation *e, const struct arguments *a, size_t i, struct array **array)
{
    return array_of(e, &a->things[i], array);
}

int function_whole(struct evaluation *e, const struct thing *thing, const char *what, double *number)
{
    char words[SHAPE_TEXT_MAX + 32];
    *number = thing->number;
    if (thing->kind == THING_ARRAY && thing->array->size == 1) {
        if (known_number(e, thing->array, number) != CODE_OK) return evaluation_failed(e);
    } else if (thing->kind != THING_NUMBER) {
        return evaluation_fault(e, "%s must be a whole number, not %s", what, thing_words(thing, words));
    }
    return *number == floor(*number) ? CODE_OK : evaluation_fault(e, "%s is %g, no whole number", what, *number);
}

int function_refuse_gradient(struct evaluation *e, const struct arguments *a, const struct array *array)
{
    bool has;
    int code = array_has_gradient(e, array, &has);
    if (code != CODE_OK || !has) return code;
    return evaluation_fault(e,
                            "%s takes a constant here, and the gradient of this would be lost: detach() it, if it "
                            "should be, or write out what is computed",
                            a->builtin->name);
}

int argument_number(struct evaluation *e, const struct arguments *a, size_t i, double fallback, double *number)
{
    *number = fallback;
    if (a->things[i].kind == THING_ARRAY && function_refuse_gradient(e, a, a->things[i].array) != CODE_OK)
        return evaluation_failed(e);
    return argument_flat(e, a, i, fallback, number);
}

int argument_operand(struct evaluation *e, const struct arguments *a, size_t i, double fallback, struct array **array,
                     double *number)
{
    const struct thing *thing = &a->things[i];
    bool list = thing->kind == THING_LIST || thing->kind == THING_TUPLE, has = false;
    *array = NULL;
    *number = fallback;
    if (thing->kind == THING_ARRAY && array_has_gradient(e, thing->array, &has) != CODE_OK) return evaluation_failed(e);
    if (list || has || (thing->kind == THING_ARRAY && thing->array->size > 1)) return array_of(e, thing, array);
    return argument_flat(e, a, i, fallback, number);
}

enum number_type argument_type(const struct arguments *a, size_t i)
{
    const struct thing *thing = &a->things[i];
    return thing->kind == THING_ARRAY ? thing->array->type : thing->kind == THING_NUMBER ? thing->type : TYPE_BOOL;
}

int argument_flat(struct evaluation *e, const struct arguments *a, size_t i, double fallback, double *number)
{
    char words[SHAPE_TEXT_MAX + 32];
    *number = fallback;
    const struct thing *thing = &a->things[i];
    if (thing->kind == THING_NONE) return CODE_OK;
    if (thing->kind == THING_ARRAY && thing->array->size == 1) return known_number(e, thing->array, number);
    if (thing->kind != THING_NUMBER)
        return evaluation_fault(e, "%s takes a number here, not %s", a->builtin->name, thing_words(thing, words));
    *number = thing->number;
    return CODE_OK;
}

int argument_size(struct evaluation *e, const struct arguments *a, size_t i, double fallback, size_t *size)
{
    double number = fallback;
    *size = 0;
    if (a->things[i].kind != THING_NONE) {
        int code = function_whole(e, &a->things[i], "a size", &number);
        if (code != CODE_OK) return code;
    }
    if (!(number >= 0 && number <= 1e15)) return evaluation_fault(e, "a size is %g", number);
    *size = (size_t)number;
    return CODE_OK;
}

int argument_truth(struct evaluation *e, const struct arguments *a, size_t i, bool fallback, bool *truth)
{
    *truth = fallback;
    return a->things[i].kind == THING_NONE ? CODE_OK : evaluation_truth(e, &a->things[i], truth);
}

static int add_dimension(struct evaluation *e, const struct thing *thing, struct shape *shape)
{
    double number;
    int code = function_whole(e, thing, "a dimension", &number);
    if (code != CODE_OK) return code;
    if (!(number >= -1 && number <= 1e12)) return evaluation_fault(e, "a dimension is %g", number);
    if (shape->rank == LANGUAGE_RANK_MAX) return evaluation_fault(e, "more than %d axes", LANGUAGE_RANK_MAX);
    shape->dim[shape->rank++] = number < 0 ? (size_t)-1 : (size_t)number;
    return CODE_OK;
}

int argument_shape(struct evaluation *e, const struct thing *thing, const struct sequence *rest, struct shape *shape)
{
    *shape = (struct shape){0};
    int code = CODE_OK;
    if (thing->kind == THING_TUPLE || thing->kind == THING_LIST) {
        for (size_t i = 0; code == CODE_OK && i < thing->sequence->count; i++)
            code = add_dimension(e, &thing->sequence->items[i], shape);
        return code;
    }
    if (thing->kind != THING_NONE) code = add_dimension(e, thing, shape);
    for (size_t i = 0; code == CODE_OK && rest != NULL && i < rest->count; i++)
        code = add_dimension(e, &rest->items[i], shape);
    return code;
}

int function_axis(struct evaluation *e, const struct thing *thing, size_t rank, size_t *axis)
{
    double number;
    *axis = 0;
    int code = function_whole(e, thing, "an axis", &number);
    if (code != CODE_OK) return code;
    double i = number < 0 ? number + (double)rank : number;
    if (!(i >= 0 && i < (double)rank))
        return evaluation_fault(e, "the axis %g is out of range: there are %zu", number, rank);
    *axis = (size_t)i;
    return CODE_OK;
}

int function_axes(struct evaluation *e, const struct thing *thing, size_t rank, bool *chosen)
{
    size_t axis;
    int code = CODE_OK;
    for (size_t i = 0; i < rank; i++)
        chosen[i] = thing->kind == THING_NONE;
    if (thing->kind == THING_NONE) return CODE_OK;
    if (thing->kind != THING_TUPLE && thing->kind != THING_LIST) {
        code = function_axis(e, thing, rank, &axis);
        if (code == CODE_OK) chosen[axis] = true;
        return code;
    }
    for (size_t i = 0; code == CODE_OK && i < thing->sequence->count; i++) {
        code = function_axis(e, &thing->sequence->items[i], rank, &axis);
        if (code == CODE_OK && chosen[axis]) code = evaluation_fault(e, "an axis stands there twice");
        if (code == CODE_OK) chosen[axis] = true;
    }
    return code;
}

/* ---- attributes ---- */

static int shape_thing(struct evaluation *e, const struct shape *shape, struct thing *result)
{
    struct sequence *sequence = sequence_new(e->arena);
    for (size_t i = 0; sequence != NULL && i < shape->rank; i++)
        if (!sequence_add(e->arena, sequence, thing_number((double)shape->dim[i], TYPE_INT))) sequence = NULL;
    if (sequence == NULL) return evaluation_no_memory(e);
    *result = (struct thing){.kind = THING_TUPLE, .sequence = sequence};
    return CODE_OK;
}

/* With numbers that modules have. */
static bool module_attribute(const char *name, struct thing *result)
{
    enum number_type type;
    if (strcmp(name, "pi") == 0)
        *result = thing_number(3.14159265358979323846, TYPE_FLOAT);
    else if (strcmp(name, "e") == 0)
        *result = thing_number(2.71828182845904523536, TYPE_FLOAT);
    else if (strcmp(name, "inf") == 0)
        *result = thing_number(HUGE_VAL, TYPE_FLOAT);
    else if (strcmp(name, "nan") == 0)
        *result = thing_number(NAN, TYPE_FLOAT);
    else if (strcmp(name, "newaxis") == 0)
        *result = (struct thing){.kind = THING_NONE};
    else if (type_named(name, &type))
        *result = (struct thing){.kind = THING_TEXT, .text = name};
    else
        return false;
    return true;
}

bool functions_attribute(struct evaluation *e, const struct thing *of, const char *name, struct thing *result)
{
    if (of->kind == THING_MODULE) return module_attribute(name, result);
    struct array *array = of->array;
    if (of->kind == THING_NUMBER) { /* of NumPy's functions, that is: they give arrays without axes for numbers */
        if (array_of(e, of, &array) != CODE_OK) return true;
        const struct thing scalar = thing_array(array);
        return functions_attribute(e, &scalar, name, result);
    }
    if (of->kind == THING_TUPLE && of->sequence->count == 2 &&
        (strcmp(name, "values") == 0 || strcmp(name, "indices") == 0)) { /* of PyTorch's max and min */
        *result = of->sequence->items[name[0] == 'i'];
        return true;
    }
    if (of->kind != THING_ARRAY) return false;
    const size_t rank = array->shape.rank;
    if (strcmp(name, "T") == 0) {
        if (array_turn(e, array, &array) == CODE_OK) *result = thing_array(array);
    } else if (strcmp(name, "mT") == 0) {
        if (rank < 2) return evaluation_fault(e, ".mT is of matrices, not of %zu axes", rank) != CODE_OK;
        if (array_swap_axes(e, array, rank - 2, rank - 1, &array) == CODE_OK) *result = thing_array(array);
    } else if (strcmp(name, "shape") == 0) {
        shape_thing(e, &array->shape, result);
    } else if (strcmp(name, "ndim") == 0) {
        *result = thing_number((double)array->shape.rank, TYPE_INT);
    } else if (strcmp(name, "size") == 0) {
        struct thing *self = arena_alloc(e->arena, sizeof *self);
        if (self == NULL) return evaluation_no_memory(e) == CODE_OK;
        *self = *of;
        *result = thing_number((double)array->size, TYPE_INT);
        result->self = self; /* of PyTorch's x.size(0) */
    } else if (strcmp(name, "data") == 0) {
        if (array_detach(e, array, &array) == CODE_OK) *result = thing_array(array);
    } else if (strcmp(name, "dtype") == 0) {
        *result = (struct thing){.kind = THING_TEXT,
                                 .text = array->type == TYPE_FLOAT ? "float64"
                                         : array->type == TYPE_INT ? "int64"
                                                                   : "bool"};
    } else {
        return false;
    }
    return true;
}
