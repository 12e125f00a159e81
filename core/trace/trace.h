/* The trace of a program: its values one after the other, forward and backward, each with its line, its gradient, and
 * the formula of what comes back to it. So a reader can follow the chain rule step by step.
 *
 * Each formula was evaluated on the values and gradients that it names, and gives the gradient that the pass has made:
 * one that does not, or that could not be evaluated, is left out. */
#ifndef CORE_TRACE_TRACE_H
#define CORE_TRACE_TRACE_H

#include "core/pass/problem.h"

/* Tensors of more elements are not shown; nor are more values than so many. */
enum { TRACE_ELEMENTS_MAX = 256, TRACE_VALUES_MAX = 1000, TRACE_MADE_MAX = 4 };

struct trace_value {
    const char *name;          /* "h"; "h[2]" of a name that is assigned several times, its third value */
    const char *gradient_name; /* what formulas call its gradient: "dh[2]"; NULL where none is made */
    const struct value *value;
    unsigned line;    /* of the program, that made it, from 1; 0 of what is given */
    const char *text; /* of that line, without the spaces around it, text_length bytes; NULL of what is given */
    size_t text_length;
    size_t *uses; /* lines that read it, in order, each once */
    size_t use_count;
    const double *numbers;  /* host; NULL where there are too many */
    const double *gradient; /* NULL where there are too many, or none is made: of data that nobody asked for */
    const char *backward;   /* "dz = dh * (1 - h**2)"; NULL where there is no formula */
    /* Of a number of which only numbers are made, those made directly, and their derivatives with respect to it: the
     * factors of the chain rule. */
    const char *made[TRACE_MADE_MAX];
    double derivatives[TRACE_MADE_MAX];
    size_t made_count;
};

struct trace {
    struct trace_value *values; /* what is given, parameters first; then what the program computes, in its order */
    size_t count;
    size_t left_out; /* values beyond TRACE_VALUES_MAX */
};

/* Of the program that the problem's network was made of; with the CPU's float64, whatever the problem's backend is.
 * All from the arena. Errors are the pass's. */
int trace_run(struct arena *arena, const struct problem *problem, struct trace *trace, struct error *error);

/* Floating-point operations that it takes, roughly, and bytes of arena. */
double trace_work(const struct network *network);
double trace_bytes(const struct network *network);

#endif
