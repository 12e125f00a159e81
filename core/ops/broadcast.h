/* What ops share that take any number of inputs element by element: where an input has an axis of length 1, it is
 * repeated along it, as in NumPy. Layers want the same number of axes of all of their inputs; programs do not. */
#ifndef CORE_OPS_BROADCAST_H
#define CORE_OPS_BROADCAST_H

#include "core/ops/mistake.h"

/* Room for one input at the output's shape, and for what goes back to one: empty where all have one shape. */
enum { BROADCAST_ROOM, BROADCAST_GRADIENT };

extern const struct slot broadcast_slots[];

int broadcast_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error);

/* Whether an input has to be repeated. */
bool broadcast_needed(const struct op_call *call, size_t input);

/* An input at the output's shape, into *x: itself, or repeated in the call's room for that. */
int broadcast_input(const struct op_call *call, size_t input, const void **x);

/* Where a gradient of an input is to be made at the output's shape; and what brings it home from there: nothing, where
 * that is its place already. */
void *broadcast_place(const struct op_call *call, size_t input);
int broadcast_home(const struct op_call *call, size_t input);

/* The same for a rule: into its own room instead of the pass's gradients. */
bool broadcast_make(const struct step_call *step, struct alternative *made,
                    void (*fill)(const struct step_call *step, const struct alternative *made, double *dx));

/* ---- any ranks ---- */

/* What programs do element by element: as NumPy repeats arrays, whose shapes are aligned at their last axes. The work
 * is so many operations an element. */
int broadcast_aligned_plan(const struct op_shape *shape, double work, struct op_plan *plan, struct error *error);

/* How these inputs of a call lie in its output, for a backend's binary and choose. */
void broadcast_of(const struct op_call *call, size_t count, const size_t *inputs, struct broadcast *s);

#endif
