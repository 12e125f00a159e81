/* The many ways in which people write the name of a gradient: that of W1 is dW1, dL_dW1, grad_W1, W1.grad, or W1 where
 * it stands among gradients. */
#ifndef CORE_GRAPH_GRADIENT_NAMES_H
#define CORE_GRAPH_GRADIENT_NAMES_H

#include "core/graph/names.h"

/* Ways to write one name, at most: the two of A0 and the name itself included. */
enum { GRADIENT_NAMES_MAX = 12 };

/* The names by which the gradient of what is called `name` may be called, of several the one that is taken first, from
 * the arena. Its own comes last: who hands in parameters and gradients together means the other. What is called x is
 * also A0 where parameters are not PyTorch's, what comes before A1: dA0. Their number; 0 when memory is short. */
size_t gradient_names(enum convention convention, const char *name, struct arena *arena,
                      const char *names[GRADIENT_NAMES_MAX]);

/* How `written` says that it is the gradient of `name`: 0 is what is taken first, GRADIENT_NAMES_MAX - 1 the name
 * itself; GRADIENT_NAMES_MAX where it does not. With `fold` upper and lower case are the same. */
size_t gradient_name_rank(enum convention convention, const char *written, const char *name, bool fold);

/* What is left of a name without the rank-th way to say "the gradient of", as the part [*from, *from + length) of it;
 * false where it is not written so. */
bool gradient_name_base(enum convention convention, const char *written, size_t rank, bool fold, const char **from,
                        size_t *length);

/* Whether a name is that of what is compared with a target, y_hat with y: then dy is its gradient, as nobody computes
 * what comes back to a target. */
bool gradient_name_is_prediction(const char *name, const char *target);

/* Compares so many bytes, with `fold` as if all were lower case: less than, equal to or greater than 0. */
int gradient_name_compare(const char *a, size_t a_length, const char *b, size_t b_length, bool fold);

#endif
