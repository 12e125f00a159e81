/* What a teacher would send with every submission: a network, its parameters, data, and how to grade. Made at random,
 * small, and such that a check of it succeeds. */
#ifndef TESTS_FUZZ_ASSIGNMENT_H
#define TESTS_FUZZ_ASSIGNMENT_H

#include "tests/fuzz/dice.h"
#include "tests/fuzz/writer.h"

enum {
    RANK_MAX = 3,
    BATCH_MAX = 4,
    LAYERS_MAX = 16, /* of three blocks of four, what is before and what the loss asks for */
    LINEARS_MAX = 3,
    TENSORS_MAX = 2 * LINEARS_MAX,
    ELEMENTS_MAX = 256,
    NAME_MAX_HERE = 256,
};

enum naming { NAMING_NUMPY, NAMING_PYTORCH, NAMING_COLUMNS };

/* Inside there is one layout: samples in rows, weights [in, out], a bias as one row. */
struct matrix {
    size_t rows, columns;
    double at[ELEMENTS_MAX];
};

struct layer_made {
    size_t kind;   /* of layer_kinds */
    double number; /* its attribute, where it has one and it is given */
    bool given;
    bool bias;                /* linear */
    size_t out;               /* linear: out_features */
    char name[NAME_MAX_HERE]; /* "": none */
};

struct parameter_made {
    char name[NAME_MAX_HERE];
    bool weight;
    size_t number; /* k of W<k>: counts from 1 the layers that have parameters */
    size_t layer;
    struct matrix value;
};

struct assignment {
    enum naming naming;
    size_t rank, dim[RANK_MAX], batch;
    struct layer_made layers[LAYERS_MAX];
    size_t layer_count;
    size_t loss, reduction; /* indices; reduction 0 is not said */
    double loss_number;
    bool loss_given;
    double l2;
    size_t classes;                 /* 0: targets like the output; else as indices */
    size_t out_rank, out[RANK_MAX]; /* of one sample of the output */
    struct matrix x, y;             /* [batch, ...] */
    struct parameter_made parameters[TENSORS_MAX];
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

/* The members of a request but for gradients, intermediates, reveal and diagnose, into an open object. */
void assignment_write(struct text *text, const struct assignment *assignment);

/* A tensor like a parameter, as the request's convention lays it out; and like samples [batch, ...one]. */
void assignment_write_parameter(struct text *text, const struct assignment *assignment,
                                const struct parameter_made *parameter, const double *values);
void assignment_write_samples(struct text *text, const struct assignment *assignment, size_t rank, const size_t *one,
                              const double *values);

/* Whether the kind of a layer is one that `plain` allows behind linear; whether it is linear. */
bool layer_is_linear(const struct layer_made *layer);

/* What the reduction divides by: 1 for sum. */
double assignment_divisor(const struct assignment *assignment);

/* Another loss, reduction or l2, or an activation less: what a student may have differentiated instead. */
void assignment_vary(struct dice *dice, struct assignment *assignment);

#endif
