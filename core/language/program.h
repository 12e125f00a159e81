/* A program: the forward pass as people write it, in NumPy's notation, as a network like any other. */
#ifndef CORE_LANGUAGE_PROGRAM_H
#define CORE_LANGUAGE_PROGRAM_H

#include "core/graph/network.h"
#include "core/language/evaluation.h"

/* A tensor that the program reads, by name. Everything belongs to the caller and must outlive the network. */
struct program_input {
    const char *name;
    const struct tensor *tensor;
    bool parameter; /* graded; else data, whose gradient is wanted or not */
    bool wanted;
    struct value *value; /* in the graph; set by program_build */
};

struct program_request {
    const char *text;
    size_t length;
    struct program_input *inputs; /* the parameters first */
    size_t input_count;
    struct allowance allowance; /* what its evaluation may do; program->evaluation.spent says that it was too little */
    const char *output;         /* the name of the loss; NULL: "loss" */
    const struct shape *upstream; /* of the gradient that arrives there; NULL without one: then it is a scalar */
    /* Whether the gradient of a value that the program computes is graded, which it calls `name`. */
    bool (*wanted)(void *context, const char *name);
    /* Whether that of data is, under a name that the program (`syntax`) has none of its own values called; NULL: what
     * says `wanted` is. */
    bool (*wanted_data)(void *context, const char *name, const struct syntax *syntax);
    bool indexed; /* whether such a name may have an index: h[2] */
    void *context;
};

struct program {
    struct text_reader reader; /* fault: where the program is at fault */
    struct syntax syntax;
    struct evaluation evaluation;
    struct definition definition; /* of the network: no layers, and a loss that hands on what arrives */
    const char **graded_names;    /* by graded */
    unsigned *graded_lines;       /* the line that made it; 0 of what is given */
    bool has_upstream;            /* the gradient that arrives at its output was given; else it is 1 */
};

/* What any program may do; and what one may that is not to take more than a moment. */
extern const struct allowance program_allowance, program_brief_allowance;

/* Reads and evaluates a program: fills in *network, whose loss is the sum of output times upstream, or the output
 * itself. Its graded values are the parameters, the data that is wanted, then the computed values that are, as they
 * come in the program. CODE_PROGRAM_ERROR with the place in program->reader.fault; CODE_OUT_OF_MEMORY. Memory from the
 * arena. */
int program_build(struct arena *arena, const struct program_request *request, struct program *program,
                  struct network *network, struct error *error);

/* A value by the name that the program has for it, "h", or "h[2]": what it was after its third assignment, counted from
 * 0. NULL where there is none, or it is a constant. */
struct value *program_find(const struct program *program, const char *name);

/* Numbers of what the graph was given besides the request's tensors, by value of the graph: the constants; and 1 at the
 * output where there is no upstream. */
void program_give(const struct program *program, const struct network *network, double **given);

#endif
