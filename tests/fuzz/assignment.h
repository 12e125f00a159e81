/* What a teacher would send with every submission: a network, its parameters, data, and how to grade. Made at random,
 * small, and such that a check of it succeeds. */
#ifndef TESTS_FUZZ_ASSIGNMENT_H
#define TESTS_FUZZ_ASSIGNMENT_H

#include "tests/fuzz/dice.h"
#include "tests/fuzz/writer.h"

enum {
    RANK_MAX = 3,
    BATCH_MAX = 4,
    LAYERS_MAX = 24,
    INPUTS_MAX = 4,   /* of a layer */
    NUMBERED_MAX = 7, /* layers that have parameters */
    FEEDS_ROLLED = 3, /* x and other members of data */
    FEEDS_MAX = FEEDS_ROLLED + 1,
    TENSORS_MAX = 2 * (NUMBERED_MAX + 1) + FEEDS_ROLLED,
    ELEMENTS_MAX = 256,
    SAMPLE_MAX = ELEMENTS_MAX / BATCH_MAX,
    NAME_MAX_HERE = 256,
};

enum naming { NAMING_NUMPY, NAMING_PYTORCH, NAMING_COLUMNS, NAMING_OUT_IN };

/* Inside there is one layout: samples in rows, weights [in, out], a bias as one row. */
struct matrix {
    size_t rows, columns;
    double at[ELEMENTS_MAX];
};

/* The shape of one sample. */
struct sample {
    size_t rank, dim[RANK_MAX];
};

/* What a layer takes: a member of data, or what an earlier layer makes. */
struct source_made {
    bool feed;
    size_t at;
};

struct layer_made {
    size_t kind;   /* of layer_kinds */
    double number; /* its attribute, where it has one and it is given */
    bool given;
    bool bias;       /* linear; layer_norm: affine */
    bool shares;     /* it has the parameters of the layer `owner`, */
    bool transposed; /* and its weight the other way round */
    size_t owner;
    struct source_made inputs[INPUTS_MAX];
    size_t input_count;
    bool said;                /* the inputs are; else there is one, the layer before */
    struct sample shape;      /* of what it makes */
    size_t tensors[2];        /* its weight or gain, and its bias: 1 + which of the parameters; 0 where it has none */
    char name[NAME_MAX_HERE]; /* "": none */
};

struct feed_made {
    const char *name;
    struct sample shape;
    struct matrix value; /* [batch, ...] */
};

/* What is graded: a parameter, or a member of data whose gradient may be handed in. */
struct parameter_made {
    char name[NAME_MAX_HERE];
    bool feed;
    bool weight;   /* of two axes; else a vector */
    bool second;   /* which of its layer's two: bias, beta */
    size_t number; /* k of W<k>: counts from 1 the layers that have parameters */
    size_t layer;  /* that has it; of a feed: which */
    struct matrix value;
};

struct assignment {
    enum naming naming;
    size_t batch;
    bool graph; /* not only layers in one line */
    struct layer_made layers[LAYERS_MAX];
    size_t layer_count;
    size_t loss, reduction; /* indices; reduction 0 is not said */
    double loss_number;
    bool loss_given;
    double l2;
    size_t classes;                    /* 0: targets like the output; else as indices */
    struct feed_made feeds[FEEDS_MAX]; /* x is the first */
    size_t feed_count;
    struct matrix y;                               /* [batch, ...] */
    struct parameter_made parameters[TENSORS_MAX]; /* feeds behind */
    size_t parameter_count, numbered;
    bool plain;         /* nothing but linear, each with at most one activation elementwise behind it */
    const char *scheme; /* the parameters are drawn by it, and not known here; NULL where they are given */
    unsigned seed;
    bool bias_as_matrix; /* biases as [1,n], in columns as [n,1] */
    double atol, rtol;   /* atol < 0: not said */
    unsigned worth;      /* 0: points are not said */
    bool float32, verify;
};

void assignment_roll(struct dice *dice, struct assignment *assignment);

size_t sample_size(const struct sample *sample);

/* What the network puts out. */
const struct sample *assignment_output(const struct assignment *assignment);

/* What a source makes. */
const struct sample *source_sample(const struct assignment *assignment, struct source_made source);

/* Whether the network takes that feed; data must have it then, and else, but for x, must not. */
bool assignment_takes(const struct assignment *assignment, size_t feed);

/* Numbers of one sort out of several. */
unsigned roll_sort(struct dice *dice);
void roll_matrix(struct dice *dice, size_t rows, size_t columns, unsigned sort, struct matrix *matrix);

/* Another layer, which takes what the last one makes, and makes what is of the same shape. */
struct layer_made *assignment_add(struct assignment *assignment, size_t kind);
void assignment_add_flatten(struct assignment *assignment);
void assignment_add_activation(struct dice *dice, struct assignment *assignment);
void assignment_add_linear(struct dice *dice, struct assignment *assignment, struct source_made source, unsigned sort);

/* One of the last layer's tensors. */
struct parameter_made *assignment_add_parameter(struct assignment *assignment, bool weight, bool second);

/* Numbers the layers that have parameters, and names these. */
void assignment_name(struct assignment *assignment);

/* ---- as JSON (assignment_json.c) ---- */

/* The members of a request but for gradients, intermediates, reveal and diagnose, into an open object. */
void assignment_write(struct text *text, const struct assignment *assignment);

/* A tensor like a parameter, as the request's convention lays it out; and like samples [batch, ...one]. */
void assignment_write_parameter(struct text *text, const struct assignment *assignment,
                                const struct parameter_made *parameter, const double *values);
void assignment_write_samples(struct text *text, const struct assignment *assignment, const struct sample *one,
                              const double *values);

#endif
