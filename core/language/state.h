/* What an evaluation of a program is at: its names, its graph, what it has done so far. Every function that can fail
 * returns a code, and leaves the fault in the reader's error. */
#ifndef CORE_LANGUAGE_STATE_H
#define CORE_LANGUAGE_STATE_H

#include "core/base/numpy_random.h"
#include "core/language/thing.h"

enum { LANGUAGE_NODES_MAX = 100000, LANGUAGE_RANK_MAX = 8 };

/* What an evaluation may do: steps; elements of all arrays that are computed on the way, and operations that take. */
struct allowance {
    size_t steps, elements;
    double work;
};

/* Functions of the library that have been read. */
struct library_function {
    struct library_function *next;
    const struct builtin *builtin;
    const struct statement *definition;
};

struct evaluation;

/* Where a thing is put: under a name; or into the list or dictionary of that name, NULL where it has none. */
enum { WRITTEN_KEYS_MAX = 3 };
struct written_place {
    const char *name;                    /* NULL: nobody has one for it but what it is a view of */
    struct thing keys[WRITTEN_KEYS_MAX]; /* the outermost first; an index counts from the list's begin */
    size_t key_count;
    size_t count;          /* of a list: its items */
    bool updates;          /* what was there is in it: x += ..., x[i] = ... of an array */
    struct array *changed; /* the array that is written into, where it is one: all that share it have what is put */
};

/* Somebody who looks on while a program is evaluated. */
struct observer {
    void *context;
    bool brief; /* nobody reads what is wrong with it: no nearest name is looked for */
    /* A statement begins; it has ended. */
    int (*begins)(void *context, struct evaluation *e, const struct statement *statement);
    void (*ends)(void *context, struct evaluation *e, const struct statement *statement);
    /* An array has been read from a name, a list or a dictionary. */
    void (*reads)(void *context, struct evaluation *e, const struct array *array);
    /* Whether what is written into an array is in all that share it. */
    bool (*shares)(void *context, const struct array *array);
    /* An array has become another one: what was written into a view of it is in it, or it is one and that was written
     * into. */
    int (*becomes)(void *context, struct evaluation *e, struct array *before, struct array *after);
    /* Something is put somewhere: may put something else in its place. */
    int (*writes)(void *context, struct evaluation *e, const struct written_place *written, struct thing *thing);
    /* What a name stands for that the program has not given any meaning; false where that is nothing. */
    bool (*unknown)(void *context, struct evaluation *e, const char *name, struct thing *thing);
    /* A statement is at fault: true to forget the error and go on behind it. */
    bool (*fails)(void *context, struct evaluation *e, const struct statement *statement);
};

/* The names of a call of a def, or of a comprehension. */
struct frame {
    struct frame *outer; /* where names are looked for that this one has not; NULL: on the outermost level */
    bool library;        /* of a function that is written in the language, but not in the program */
    size_t number;       /* of the call, from 1; a comprehension has that of the call around it, 0 without one */
    struct local {
        size_t symbol;
        struct thing thing;
    } * locals;
    size_t count, room;
    bool returned;
    struct thing result;
};

/* What a function has of the place where it was defined. */
struct closure {
    struct frame *frame;     /* NULL: the outermost level */
    struct thing **defaults; /* by parameter; NULL where there is none, or it could not be evaluated */
};

/* What a name of the program stood for, one after the other. */
struct version {
    struct thing thing;
    unsigned line; /* 0 of what the program was given */
    size_t order;  /* counts all versions of all names, in the order in which they were assigned */
};
struct versions {
    struct version *list;
    size_t count, room;
};

struct evaluation {
    struct text_reader *reader;
    struct arena *arena;
    const struct syntax *syntax;
    struct graph *graph;
    struct versions *names; /* by symbol: what it stands for on the outermost level, the last being what holds */
    size_t bound;           /* versions of all names */
    struct frame *frame;    /* NULL there */
    struct library_function *library;
    size_t levels;         /* of calls within each other */
    size_t evaluated;      /* expressions, so far */
    size_t depth;          /* of expressions that are being evaluated within each other, through calls, too */
    size_t calls;          /* of defs, so far */
    struct allowance left; /* of what it may do */
    bool spent;            /* it would have needed more */
    struct spot spot;      /* of what is being evaluated */
    struct spot decided;   /* of the first thing that parameters' numbers have decided; line 0 where none has */
    enum { LEAVING_NOT, LEAVING_TURN, LEAVING_LOOP } leaving; /* after a continue, a break */
    struct numpy_random *random;                              /* NULL before a seed */
    /* Numbers of constants that the graph was given, by value: one behind the other. */
    struct constant {
        struct value *value;
        const double *numbers;
    } * constants;
    size_t constant_count, constant_room;
    const double *
        *known; /* numbers of values of the graph, by index: of what is given, and of what somebody asked for */
    size_t known_room;
    bool (*wanted)(void *context, const char *name); /* whether a value's gradient was asked for by this name */
    void *context;
    const struct observer *observer; /* NULL without one */
    const char **unused;             /* names of what the program was given and does not mention */
    size_t unused_count;
};

/* Where in the program the evaluation is. In the library's functions it is where they are called. */
static inline void evaluation_at(struct evaluation *e, struct spot spot)
{
    if (e->frame == NULL || !e->frame->library) e->spot = spot;
}

/* The number of the call that is being evaluated; 0 on the outermost level. */
static inline size_t evaluation_call_number(const struct evaluation *e)
{
    return e->frame != NULL ? e->frame->number : 0;
}

/* Whether somebody looks on: not at functions of the library, which are nobody's code. */
static inline bool evaluation_is_observed(const struct evaluation *e)
{
    return e->observer != NULL && (e->frame == NULL || !e->frame->library);
}

/* Counts so many steps, or elements, of what may be done. */
int evaluation_step(struct evaluation *e, size_t count);

/* What was lost is read: a fault, as of a name that nothing is called. */
int evaluation_lost(struct evaluation *e, const struct thing *lost);

/* CODE_PROGRAM_ERROR at the place that is being evaluated. */
int evaluation_fault(struct evaluation *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline int evaluation_no_memory(struct evaluation *e)
{
    return text_no_memory(e->reader);
}

/* The code of the fault that was met: never CODE_OK. */
static inline int evaluation_failed(const struct evaluation *e)
{
    return e->reader->error->code != CODE_OK ? e->reader->error->code : CODE_PROGRAM_ERROR;
}

#endif
