/* The primitives that ops are written on. A backend fills them in for one device and one arithmetic.
 *
 * Every primitive returns a status (enum code): 0, or CODE_DEVICE / CODE_OUT_OF_MEMORY / CODE_CANCELLED.
 * Pointers are to the backend's own memory unless marked host. Matrices are row-major and packed. Outputs do
 * not overlap inputs unless a line says that they may. Primitives are deterministic: the same input gives the
 * same bits. */
#ifndef CORE_BACKEND_BACKEND_H
#define CORE_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/backend/formulas.h"
#include "core/backend/layouts.h"
#include "core/backend/updates.h"

enum dtype { DTYPE_FLOAT64, DTYPE_FLOAT32 };

struct fused;

/* A tensor as part of a larger one that it is repeated in: by axis of the larger, its length, and how many elements on
 * one step goes in the smaller: 0 along the axes where it is repeated. */
enum { SPREAD_RANK_MAX = 16 };
struct spread {
    size_t rank;
    size_t dim[SPREAD_RANK_MAX], stride[SPREAD_RANK_MAX];
};

/* Up to three tensors, each of them repeated to one shape, the output's: by axis of that its length, and for each
 * tensor how many elements on one step goes in it, 0 along the axes where it is repeated. At least one axis, and the
 * last one's steps are 0 or 1. Axes that lie together in all of the tensors are best given as one: the loops run along
 * the last. */
enum { BROADCAST_TENSORS = 3 };
struct broadcast {
    size_t rank;
    size_t dim[SPREAD_RANK_MAX], stride[BROADCAST_TENSORS][SPREAD_RANK_MAX];
};

struct backend {
    const char *device; /* "cpu", "cuda" */
    enum dtype dtype;
    size_t element_size; /* bytes */
    double smallest;     /* smallest normal number of the arithmetic */

    /* One piece of uninitialised memory for `elements`; arena is there for backends that compute in host
     * memory. Given back by release, which an arena's needs not do anything for.
     *
     * The thread that allocated it works on it, and no other: a device does the work of one thread in order, that of
     * two in any order. Any thread may release it, once the calls that work on it have returned; the device may still
     * be at work then. */
    int (*allocate)(struct arena *arena, size_t elements, void **memory);
    void (*release)(void *memory);
    int (*upload)(size_t n, const double *host, void *to); /* rounds to the arithmetic */
    int (*download)(size_t n, const void *from, double *host);

    /* C [m,n] = alpha op(A) op(B) + beta C; op(A) is [m,k], op(B) [k,n]; A is stored [k,m] where transpose_a.
     * beta = 0 does not read C. */
    int (*gemm)(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const void *A,
                const void *B, double beta, void *C);
    /* y = f(x; a), elementwise; y may be x */
    int (*map)(enum map f, double a, size_t n, const void *x, void *y);
    /* dx = dy * f'(x; a), y being f(x; a); dx may be x, y or dy */
    int (*map_gradient)(enum map f, double a, size_t n, const void *x, const void *y, const void *dy, void *dx);
    /* X [rows,columns]: X[i,:] += v */
    int (*add_row)(size_t rows, size_t columns, const void *v, void *X);
    /* v [columns] = sum over i of X[i,:] */
    int (*sum_rows)(size_t rows, size_t columns, const void *X, void *v);
    /* Y = softmax of each row of X, or its logarithm; stable: the row's maximum is taken off first */
    int (*softmax)(bool logarithm, size_t rows, size_t columns, const void *X, void *Y);
    /* dX from dY and the result Y: y*(dy - sum(dy*y)), or dy - e^y sum(dy) for the logarithm */
    int (*softmax_gradient)(bool logarithm, size_t rows, size_t columns, const void *Y, const void *dY, void *dX);
    /* Y = each row of X less its mean, over its deviation sqrt(variance + eps), the variance being the mean of squares;
     * inverse [rows] = 1 / deviation. dX from dY and these: inverse * (dY - mean(dY) - Y * mean(dY * Y)), by rows; dX
     * may be dY */
    int (*normalize)(double eps, size_t rows, size_t columns, const void *X, void *Y, void *inverse);
    int (*normalize_gradient)(size_t rows, size_t columns, const void *Y, const void *inverse, const void *dY,
                              void *dX);
    /* z = x * y, elementwise; z may be x or y */
    int (*multiply)(size_t n, const void *x, const void *y, void *z);
    /* Y [rows,columns]: Y[i,:] = X[i,:] * v; Y may be X */
    int (*multiply_row)(size_t rows, size_t columns, const void *v, const void *X, void *Y);
    /* The larger tensor out of the smaller; and back: the smaller as the sum of all that it is repeated in */
    int (*spread)(const struct spread *s, const void *from, void *to);
    int (*sum_spread)(const struct spread *s, const void *from, void *to);
    /* y = f(a, b), element by element of the tensors 0 and 1 of the broadcast, at the output's shape */
    int (*binary)(enum binary f, const struct broadcast *s, const void *a, const void *b, void *y);
    /* What dy sends to a, or (second) to b, y being f(a, b): dx, of that one's shape, the sum over all that it is
     * repeated to. CODE_DEVICE for an f that is flat. */
    int (*binary_gradient)(enum binary f, bool second, const struct broadcast *s, const void *a, const void *b,
                           const void *y, const void *dy, void *dx);
    /* y = a where c is not 0, else b: the tensors 1, 2 and 0 of the broadcast. What goes back is a binary's,
     * BINARY_kept_where's and BINARY_kept_unless's of c and a, c and b. */
    int (*choose)(const struct broadcast *s, const void *c, const void *a, const void *b, void *y);
    /* Part of a matrix: to[i * to_stride + j] = from[i * from_stride + j] for i < rows, j < columns */
    int (*copy_rows)(size_t rows, size_t columns, size_t from_stride, const void *from, size_t to_stride, void *to);
    /* y = alpha x + beta y; beta = 0 does not read y */
    int (*axpby)(size_t n, double alpha, const void *x, double beta, void *y);
    /* sum of x*y, into host memory */
    int (*dot)(size_t n, const void *x, const void *y, double *host);
    /* The offset of the first element that is not within [low, high] (NaN never is); n where all are. Into
     * host memory. */
    int (*first_outside)(size_t n, const void *x, double low, double high, size_t *host);

    /* Losses of predictions P and targets T: the sum (not scaled) into host memory, and dP = scale * dsum/dP.
     */
    int (*loss)(enum elementwise_loss l, double a, size_t n, const void *P, const void *T, double *host);
    int (*loss_gradient)(enum elementwise_loss l, double a, double scale, size_t n, const void *P, const void *T,
                         void *dP);
    /* -sum T log softmax(P), by rows, on logits: through log-sum-exp. dP = scale (softmax(P) sum(T) - T). */
    int (*softmax_cross_entropy)(size_t rows, size_t columns, const void *P, const void *T, double *host);
    int (*softmax_cross_entropy_gradient)(double scale, size_t rows, size_t columns, const void *P, const void *T,
                                          void *dP);
    /* sum over j != c of max(0, P_j - P_c + 1), T being 1 at the class c and 0 elsewhere (CS231n's SVM loss)
     */
    int (*hinge)(size_t rows, size_t columns, const void *P, const void *T, double *host);
    int (*hinge_gradient)(double scale, size_t rows, size_t columns, const void *P, const void *T, void *dP);

    /* Adds to host[j], for every column, the number of rows in which X[i,j] is within [low, high]. */
    int (*count_within)(size_t rows, size_t columns, const void *X, double low, double high, size_t *host);

    /* One step of an optimizer: n parameters w and their state (core/backend/updates.h) from their gradients g. State
     * that a rule does not use may be anything but NULL. */
    int (*update)(const struct update *u, size_t n, const void *g, void *w, void *first, void *second);

    /* What follows up to cumsum is optional, all of it or none: NULL where there is none. To be called through
     * core/backend/generic.h, which does it on the host then. */

    /* `to`, packed, from the elements of a view of `from`; a view of `to` from `from`, packed: set to it, where the
     * view names no element twice; or added up, what comes along axes of stride 0 in float64; a view of `to` set to a
     * value */
    int (*view_read)(const struct strided *view, const void *from, void *to);
    int (*view_write)(const struct strided *view, const void *from, void *to);
    int (*view_add)(const struct strided *view, const void *from, void *to);
    int (*view_fill)(const struct strided *view, double value, void *to);
    /* The same for what lists of indices name, `to` or `from` being [outer, count, inner]. Indices are those that
     * first_no_index lets pass. index_take reads from the last to the first and leaves 0 in their place: what is named
     * more than once goes to the last that names it. */
    int (*index_read)(const struct indexed *indexed, const void *const *index, const void *from, void *to);
    int (*index_write)(const struct indexed *indexed, const void *const *index, const void *from, void *to);
    int (*index_add)(const struct indexed *indexed, const void *const *index, const void *from, void *to);
    int (*index_take)(const struct indexed *indexed, const void *const *index, void *from, void *to);
    /* The offset of the first element that is no whole number within [-dim, dim - 1]; n where all are. Into host
     * memory. */
    int (*first_no_index)(size_t n, const void *x, size_t dim, size_t *host);
    /* y = the fold of x; dx from x, y and the gradient there, each element's share */
    int (*fold)(enum fold f, double a, const struct rows_of_fold *rows, const void *x, void *y);
    int (*fold_gradient)(enum fold f, double a, const struct rows_of_fold *rows, const void *x, const void *y,
                         const void *dy, void *dx);
    /* y[:,i,:] = the sum of x[:,:i+1,:]; or backwards, of x[:,i:,:] */
    int (*cumsum)(bool backwards, const struct rows_of_fold *rows, const void *x, void *y);

    /* Optional, NULL where there is none: many evaluations of one small network (core/pass/fused.h) at once. All
     * pointers are to host memory, parameters [fused->parameters], data [batch, input], targets [batch, output].
     *
     * Any thread may call them, several at once, and between calls of a pass, which they leave alone. They take device
     * memory of their own, some 256 MiB at most, and give it back. CODE_OUT_OF_MEMORY where it is not to be had,
     * CODE_DEVICE; results are then incomplete. Any count may be asked for; a call with much work (fused->work)
     * cannot be cancelled on the way.
     *
     * Always in float64: losses[v] with the parameter at[v] set to value[v], for `count` variants v; none is changed
     * where at[v] is no parameter's offset, as FUSED_NONE. edge[v] says that this is no neighbour of the network
     * unchanged: on the way lies a kink (an element on another side of it, or on it in one of the two), a loss that is
     * not finite, or a prediction out of a loss's range. */
    int (*losses_of_many)(const struct fused *fused, const double *parameters, const double *x, const double *target,
                          size_t count, const unsigned *at, const double *value, double *losses, bool *edge);
    /* In the backend's arithmetic: forward and backward with each of `count` sets of parameters [count, parameters].
     * Gradients [count, parameters] go to `gradients` where it is not NULL; where `submitted` is not NULL, they are
     * compared with what stands there: the largest difference of set v into largest[v] (infinite where one is NaN), its
     * first offset into worst[v]; without `submitted` these two are not looked at and may be NULL. A loss that is not
     * finite or out of its range is NaN, as all gradients of it. */
    int (*passes_of_many)(const struct fused *fused, size_t count, const double *parameters, const double *x,
                          const double *target, double *losses, double *gradients, const double *submitted,
                          double *largest, unsigned *worst);
};

/* The CPU's, in float64 and float32. */
const struct backend *backend_cpu(enum dtype dtype);

extern const char *const dtype_names[]; /* by dtype: "float64", "float32"; ends with NULL */

/* What a request is told where one of the backend's functions gave that code. Returns it. */
struct error;
int backend_error(const struct backend *backend, int code, struct error *error);

#endif
