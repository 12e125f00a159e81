/* What a name of a program stands for while the program is evaluated: a number, a tuple, a function, an array. */
#ifndef CORE_LANGUAGE_THING_H
#define CORE_LANGUAGE_THING_H

#include "core/graph/graph.h"
#include "core/language/syntax.h"

enum number_type { TYPE_BOOL, TYPE_INT, TYPE_FLOAT };

enum thing_kind {
    THING_NONE,
    THING_NUMBER,
    THING_TEXT,
    THING_TUPLE,
    THING_LIST,
    THING_DICTIONARY,
    THING_RANGE,
    THING_SLICE,
    THING_ELLIPSIS,
    THING_ARRAY,
    THING_FUNCTION, /* a def or lambda of the program */
    THING_BUILTIN,  /* one of the language, perhaps a method of a thing */
    THING_MODULE,   /* np, torch, self: what stands behind its dot is the name itself */
    THING_LOST,     /* what could not be evaluated; its text is the name that it would have had, or was a part of */
};

struct thing {
    enum thing_kind kind;
    enum number_type type; /* of a number */
    double number;
    union {
        const char *text;
        struct sequence *sequence; /* of a tuple or list, or of a dictionary keys and values in turn */
        const struct range *range;
        struct thing *bounds; /* of a slice: three, THING_NONE where they are left out */
        struct array *array;
        const struct statement *function;
        const struct builtin *builtin;
    };
    union {
        struct thing *self;            /* of a builtin that is a method: whose; of the number x.size: x; else NULL */
        const struct closure *closure; /* of a function: what it has of the place where it was defined */
    };
};

struct sequence {
    struct thing *items;
    size_t count, room;
};

struct range {
    double start, step;
    size_t count;
};

struct array_view;

/* Part of an array that was written to: a view of it, and what stands there now or is added to what stands there. */
struct write {
    const struct write *before;
    struct array *what;
    const double *view; /* as the numbers of the op "view" have it */
    bool adds;
    struct spot spot;
};

/* An array never changes: what is written into one makes another, which it has become (sharing.h). Its numbers are
 * known where they follow from constants alone; else it is a value of the graph; or, until it is asked for, another
 * array with something written into it. */
struct array {
    struct shape shape;
    size_t size;
    enum number_type type;
    bool whole;            /* made with a type of integers: what is written into it becomes one */
    bool named;            /* the program has had a name for it on the outermost level */
    struct value *value;   /* in the graph; NULL until that needs it */
    const double *numbers; /* NULL where they are not known */
    const struct array *under;
    const struct write *writes; /* the last one; over `under` */
    size_t write_count;
    struct array *became;          /* what it is since something was written into it; NULL: it is what it was */
    struct array *base;            /* what it is a view of, as that was when it was read; NULL: of nothing */
    const struct array_view *view; /* where it lies in that, which is no view itself */
    struct array *part;            /* a view of this one that was written into, and is not written back yet */
    const char *lost;              /* the name under which it was lost; NULL: it was not */
};

/* "a number", "an array of shape [3,4]": for error messages. Returns text, of SHAPE_TEXT_MAX + 32 bytes. */
const char *thing_words(const struct thing *thing, char *text);

struct thing thing_number(double number, enum number_type type);
struct thing thing_array(struct array *array);

/* The i-th number of a range. */
struct thing range_item(const struct range *range, size_t i);

/* An empty tuple or list, from the arena; NULL where memory is short. */
struct sequence *sequence_new(struct arena *arena);

/* Appends to one; false where memory is short. */
bool sequence_add(struct arena *arena, struct sequence *sequence, struct thing item);

#endif
