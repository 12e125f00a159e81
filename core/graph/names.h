/* How users name parameters and lay tensors out. Inside there is one layout: batch first, weights [in,out] as
 * x @ W + b; a convention is a view on it. */
#ifndef CORE_GRAPH_NAMES_H
#define CORE_GRAPH_NAMES_H

#include "core/graph/network.h"

enum convention { CONVENTION_NUMPY, CONVENTION_PYTORCH, CONVENTION_COLUMNS };

extern const char *const convention_names[]; /* ends with NULL */

/* The name of a parameter ("W1", "fc1.weight"), from the arena; NULL when memory is short. */
const char *convention_name(enum convention convention, const struct network *network, size_t parameter,
                            struct arena *arena);

enum { GRADIENT_NAMES_MAX = 3 };

/* The names by which the gradient of the parameter `name` may be called: dW1, dL_dW1, W1; fc1.weight.grad, fc1.weight.
 * The parameter's own comes last: who hands in parameters and gradients together means the other. Their number; 0 when
 * memory is short. */
size_t convention_gradient_names(enum convention convention, const char *name, struct arena *arena,
                                 const char *names[GRADIENT_NAMES_MAX]);

/* Some tensors of a request are the transpose of the matrix inside: a weight in pytorch and columns; in
 * columns also the samples, whose batch axis is the last one. A view says so. */
struct view {
    struct shape shape;   /* in the request */
    size_t rows, columns; /* of the matrix inside */
    bool transposed;
    bool bias; /* also [1,n], and in columns [n,1] */
};

struct view convention_parameter(enum convention convention, const struct parameter *parameter);

/* Of [batch, ...sample] inside. */
struct view convention_samples(enum convention convention, size_t batch, const struct shape *sample);

/* Whether a tensor of that shape is one that the view stands for. */
bool view_accepts(const struct view *view, enum convention convention, const struct shape *shape);

/* Copies a tensor of the request into the layout inside, or back; both have rows * columns elements and do
 * not overlap. */
void view_import(const struct view *view, const double *from, double *to);
void view_export(const struct view *view, const double *from, double *to);

#endif
