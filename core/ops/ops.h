/* The table of all ops. */
#ifndef CORE_OPS_OPS_H
#define CORE_OPS_OPS_H

#include "core/ops/op.h"

extern const struct op *const ops[]; /* layers, activations, losses; ends with NULL */

/* The term that l2 adds to the loss for one parameter, with l2 for its attribute. No request names it. */
extern const struct op *const ops_penalty;

/* The op of that name, a loss or not; NULL where there is none. */
const struct op *ops_find(const char *name, bool loss);

#endif
