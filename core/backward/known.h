/* What a student's code may read, the forward values by name; and what it has to come to, the gradients. All of it in
 * the request's layout. */
#ifndef CORE_BACKWARD_KNOWN_H
#define CORE_BACKWARD_KNOWN_H

#include "core/check/report.h"
#include "core/language/program.h"

#define GRADIENT_NONE ((size_t)-1)

/* The gradient of a value. */
struct aim {
    const char *name; /* of the value, as the request has it; NULL where it has none */
    struct shape shape;
    size_t size;
    const double *numbers;
    double largest;
    struct tolerance tolerance; /* what is near enough */
    size_t graded;              /* which of what is graded; GRADIENT_NONE of a value on the way */
    size_t next_of_size;        /* the next one with as many elements; GRADIENT_NONE behind the last */
    const struct value *value;
};

/* A forward value by its name. */
struct known {
    const char *name;
    struct shape shape;
    size_t size;
    const double *numbers;
    enum number_type type;
    size_t aim;               /* its gradient; GRADIENT_NONE where none is made */
    size_t version, versions; /* which of how many a name of a program has stood for */
    bool doubtful;            /* another one is called so but for what people change in names */
};

/* A tensor of the request that the code may read besides: the data of a network. */
struct known_data {
    const char *name;
    const struct tensor *tensor;
};

/* What a name of the code stands for, because the request says so: the gradient of a value. */
struct known_name {
    const char *name, *of;
};

/* A student's code, and what the request says about it. */
struct known_code {
    const char *text;
    size_t length;
    const struct known_data *data;
    size_t data_count;
    const struct known_name *names;
    size_t name_count;
};

struct surroundings {
    struct arena *arena;
    const struct known_code *code;
    const struct check *check;
    const struct program *program; /* NULL of a list of layers */
    struct known *known;
    size_t known_count, known_room;
    struct aim *aims; /* what is graded first, in its order */
    size_t aim_count;
    size_t *aim_of;         /* by value of the graph: its gradient, or GRADIENT_NONE */
    const double **values;  /* by value of the graph: its numbers; NULL where they are not on the host */
    const double *upstream; /* what arrives at a program's output; NULL where that is one number */
    const struct value *output;
    double largest; /* of all gradients that are graded */
    /* Hash tables of `known`, of the last versions: by name, and by name without what people change in it. Empty slots
     * are GRADIENT_NONE. */
    size_t *by_name, *by_stripped, slot_count;
    size_t *by_size; /* of aims, by the number of elements */
};

/* Fills it in from a check and a pass of its problem, in float64 on the CPU. CODE_OUT_OF_MEMORY. */
int surroundings_find(struct arena *arena, const struct check *check, const struct pass *pass,
                      const struct known_code *code, struct surroundings *to, struct error *error);

/* The forward value of that name, the last of a name's versions: as written; else in another case, or as it is often
 * called (A1 for h1, X for x), where that leaves no doubt. NULL where there is none. */
const struct known *known_find(const struct surroundings *s, const char *name);

/* The value whose gradient a name stands for: dX, dL_dX, grad_X, dloss_dX, ...; with `own` also X itself. NULL where it
 * stands for none. */
const struct known *known_of_gradient(const struct surroundings *s, const char *name, bool own);

/* The first gradient with so many elements, from which next_of_size leads on; GRADIENT_NONE. */
size_t surroundings_first_aim(const struct surroundings *s, size_t size);

/* Whether it is a parameter's: then it has to come out as it is, while others may all be one multiple of it. */
bool aim_is_parameter(const struct surroundings *s, size_t aim);

/* Whether numbers of some shape are `scale` times the gradient, as near as the check's tolerance has it. */
bool aim_is(const struct aim *aim, const struct shape *shape, const double *numbers, double scale);

/* Whether they are it for certain: but for the order of sums. */
bool aim_is_exactly(const struct aim *aim, const struct shape *shape, const double *numbers, double scale);

/* The one number that they are the gradient times of, to nine digits; 0 where there is none. */
double aim_ratio(const struct aim *aim, const struct shape *shape, const double *numbers);

/* Whether a shape is the gradient's but for axes of length 1. */
bool aim_fits(const struct aim *aim, const struct shape *shape);

#endif
