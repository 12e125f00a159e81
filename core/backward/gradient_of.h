/* Which gradient a name in a student's code stands for. */
#ifndef CORE_BACKWARD_GRADIENT_OF_H
#define CORE_BACKWARD_GRADIENT_OF_H

#include "core/backward/state.h"

/* Whether what is in a list or dictionary of that name (NULL: it has none) is gradients: then W1 in it is that of W1.
 */
bool holds_gradients(const char *name);

/* The gradient that a name stands for, by the name alone; AIMED_NOT: none. keys as in struct written_place. */
enum aimed run_aim_of(const struct surroundings *s, const struct written_place *written, size_t *aim, const char **of);

/* Whether a name is one that gradients have, and derivatives, whatever they are of: dz, delta, grad_out. */
bool is_like_gradient(const char *name);

#endif
