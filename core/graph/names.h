/* How users name values and lay tensors out. Inside there is one layout: batch first, weights [in,out] as x @ W + b; a
 * convention is a view on it. */
#ifndef CORE_GRAPH_NAMES_H
#define CORE_GRAPH_NAMES_H

#include "core/graph/network.h"

enum convention { CONVENTION_NUMPY, CONVENTION_PYTORCH, CONVENTION_COLUMNS, CONVENTION_NUMPY_OUT_IN };

extern const char *const convention_names[]; /* ends with NULL */

/* The name of what is graded ("W1", "fc1.weight", "x"), from the arena; NULL when memory is short. */
const char *convention_name(enum convention convention, const struct network *network, size_t graded,
                            struct arena *arena);

/* A tensor of a request may have its axes in another order than inside: a weight in all conventions but numpy; in
 * columns also the samples, whose batch axis is the last one. A view says so. */
struct view {
    struct shape shape;                  /* in the request */
    const struct shape *inside;          /* here */
    unsigned char axes[TENSOR_RANK_MAX]; /* by axis of the request: which it is inside */
    bool same;                           /* the order is the same */
    size_t size;                         /* elements */
    bool vector;                         /* of a parameter: also [1,n] and [n,1] */
};

struct view convention_graded(enum convention convention, const struct graded *graded);

/* Of values whose first axis is the batch. */
struct view convention_samples(enum convention convention, const struct shape *whole);

/* Whether a tensor of that shape is one that the view stands for; of one element a bare number (a rank of 0) is, too.
 * Where loose, axes of length 1 may be missing or too many, as MATLAB, Octave and R write tensors. Which element is
 * which does not depend on them. */
bool view_accepts(const struct view *view, bool loose, const struct shape *shape);

/* Copies a tensor of the request into the layout inside, or back; the two do not overlap. */
void view_import(const struct view *view, const double *from, double *to);
void view_export(const struct view *view, const double *from, double *to);

/* Where an element of the tensor inside stands in the request's: offsets in row-major order. */
size_t view_offset(const struct view *view, size_t inside);

#endif
