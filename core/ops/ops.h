/* The table of all ops. */
#ifndef CORE_OPS_OPS_H
#define CORE_OPS_OPS_H

#include "core/ops/op.h"

extern const struct op *const ops[]; /* layers, activations, losses; ends with NULL */

/* What programs are made of besides; ends with NULL. */
extern const struct op *const elementary_ops[];

/* The terms that l2 and l1 add to the loss for one parameter, with that for their attribute. No request names them. */
extern const struct op *const ops_l2_penalty, *const ops_l1_penalty;

/* The op of that name, a loss or not; NULL where there is none. */
const struct op *ops_find(const char *name, bool loss);
const struct op *ops_find_elementary(const char *name);

#endif
