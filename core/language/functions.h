/* What the functions of programs share: their arguments, read by a signature. */
#ifndef CORE_LANGUAGE_FUNCTIONS_H
#define CORE_LANGUAGE_FUNCTIONS_H

#include "core/language/evaluation.h"
#include "core/language/types.h"

enum { ARGUMENTS_MAX = 12 };

/* The arguments of a call, by the signature's parameters. */
struct arguments {
    const struct builtin *builtin;
    struct thing things[ARGUMENTS_MAX]; /* THING_NONE where it is not given */
    bool given[ARGUMENTS_MAX];          /* and is not None; */
    bool named[ARGUMENTS_MAX];          /* or is, which somebody has written */
    struct sequence rest;               /* behind the last one, of a signature that ends with "*"; */
    const char **keywords;              /* and, where that is all of it, those by name */
    struct thing *keyword_things;
    size_t keyword_count;
};

/* How a builtin is called: by its name, as a method of its first argument, or either way. */
enum builtin_use { FREE = 1, METHOD = 2, BOTH = FREE | METHOD };

struct builtin {
    const char *name;
    /* Parameters with commas between them, "x, axis=, keepdims="; those with "=" may be left out, and "*" takes any
     * number of others. One may have other names behind "|": "axis|dim=". */
    const char *signature;
    int (*call)(struct evaluation *e, const struct arguments *a, struct thing *result);
    const char *op; /* of functions that are one op, or a kind of one */
    enum builtin_use use;
};

/* ---- arguments; every function leaves the fault in the reader ---- */

/* The i-th as an array: a number, or nested lists of numbers and arrays, are one, too. */
int argument_array(struct evaluation *e, const struct arguments *a, size_t i, struct array **array);

/* The i-th as a number; the fallback where it is not given. It may be an array of one element, whose number is looked
 * up: what depends on that has no gradient of it, so one that is graded, or depends on what is, is a fault. */
int argument_number(struct evaluation *e, const struct arguments *a, size_t i, double fallback, double *number);
/* The same where the result has no slope along it: int(x), a number of elements. */
int argument_flat(struct evaluation *e, const struct arguments *a, size_t i, double fallback, double *number);
/* The same where it may be either: *array is NULL where the number will do, else what to compute with. */
int argument_operand(struct evaluation *e, const struct arguments *a, size_t i, double fallback, struct array **array,
                     double *number);

/* The i-th as a whole number that is not negative; as what holds or does not. The fallback where it is not given. */
int argument_size(struct evaluation *e, const struct arguments *a, size_t i, double fallback, size_t *size);
int argument_truth(struct evaluation *e, const struct arguments *a, size_t i, bool fallback, bool *truth);

/* The type of the i-th's numbers; the least one where it is not given. */
enum number_type argument_type(const struct arguments *a, size_t i);

/* A shape: a number, or a tuple or list of them, at i; or, in place of it, several arguments from there on. */
int argument_shape(struct evaluation *e, const struct thing *thing, const struct sequence *rest, struct shape *shape);

/* An axis of so many, negative ones counting from the end. */
int function_axis(struct evaluation *e, const struct thing *thing, size_t rank, size_t *axis);
/* A set of axes: none given means all. Which they are, by axis. */
int function_axes(struct evaluation *e, const struct thing *thing, size_t rank, bool *chosen);

/* An array as the result, if the code says that it is there. Returns the code. */
static inline int function_give(struct thing *result, int code, struct array *array)
{
    if (code == CODE_OK) *result = thing_array(array);
    return code;
}

/* CODE_PROGRAM_ERROR: the function's name and what is wrong with its call, as a sentence. */
int function_fault(struct evaluation *e, const struct arguments *a, const char *what);

/* A fault where an array is graded, or depends on what is: its gradient would be lost in this function. */
int function_refuse_gradient(struct evaluation *e, const struct arguments *a, const struct array *array);

/* Other words for parameters, PyTorch's for NumPy's mostly: whether there is an i-th entry; *name is what it says
 * instead of the keyword, NULL where it says nothing of that. */
bool function_same_keyword(size_t i, const char *keyword, const char **name);

/* Whether a keyword says nothing here: dtype=, out=, device=, ... */
bool function_passes_over(const char *keyword);

/* A whole number that is known now. */
int function_whole(struct evaluation *e, const struct thing *thing, const char *what, double *number);

/* The tables, by what the functions are about; each ends with a NULL name. */
extern const struct builtin elementwise_builtins[], reduction_builtins[], shape_builtins[], joining_builtins[],
    constant_builtins[], layer_builtins[], python_builtins[], known_builtins[], library_builtins[];

/* All of them, in the order in which a name is looked for; ends with a NULL title. */
struct builtin_table {
    const char *title; /* for people */
    const struct builtin *functions;
};
extern const struct builtin_table builtin_tables[];

#endif
