/* What the values of a graph are, and what comes back to them, as people write it: one formula a value, put together of
 * the ops' own (op->written, op->sent). Values that have a name stand for themselves; those without are written out
 * where they are used. So "loss = np.mean((p - y)**2)" gives "dp = 2 * (p - y) / 4", and "h = np.tanh(x @ W + b)", of
 * which only h has a name, "dW = x.T @ (dh * (1 - h**2))".
 *
 * What comes back is linear in what arrives, so numbers that it is multiplied by or divided by are gathered on the way
 * and written once. Of an array that is the same number everywhere, or along an axis, the number is written alone as
 * long as NumPy repeats it.
 *
 * Where no formula is known, or it would be too long to be read, there is none. What there is holds for numbers at
 * which nothing is divided by zero, and for ties that no two elements have: whoever shows it to somebody has evaluated
 * it first (core/trace/trace.h). */
#ifndef CORE_GRAPH_FORMULAS_H
#define CORE_GRAPH_FORMULAS_H

#include "core/graph/graph.h"
#include "core/graph/written.h"

/* The most bytes of a line, its end included: several statements may stand in one. */
enum { FORMULA_LINE_MAX = 500 };

struct formulas;

/* By value of the graph; all must outlive the formulas. */
struct formulas_names {
    const char *const *values;    /* what it is called; NULL: it has no name */
    const char *const *gradients; /* what its gradient is called; NULL where the value has no name, or no gradient */
    double *const *given;         /* numbers of values that are given, of which constants are written out; NULL else */
};

/* Of a finished graph, from the arena. NULL when memory is short. Takes a time and memory proportional to the nodes. */
struct formulas *formulas_new(struct arena *arena, const struct graph *graph, const struct formulas_names *names);

/* Bytes of arena that they take, at most. */
double formulas_bytes(const struct graph *graph);

/* The value: its name, or what makes it. NULL where there is no formula. */
const char *formulas_value(const struct formulas *formulas, const struct value *value);

/* The statements that make the gradient of a value which has a name for it: "dz = dh * (1 - h**2)"; what its consumers
 * send, added up. Where one takes a part of it: "dz = np.zeros((2, 4)); dz[:, :2] += di; dz[:, 2:] += df". NULL where
 * there is no formula. */
const char *formulas_gradient(const struct formulas *formulas, const struct value *value);

/* What one consumer sends to its input alone, summed to the input's shape: "dz @ W.T"; a statement where it is a part
 * of it. NULL where there is no formula, or memory is short. */
const char *formulas_sent(const struct formulas *formulas, const struct node *node, size_t input);

#endif
