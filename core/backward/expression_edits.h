/* The edits of an expression, and of all that it is made of. */
#ifndef CORE_BACKWARD_EXPRESSION_EDITS_H
#define CORE_BACKWARD_EXPRESSION_EDITS_H

#include "core/backward/edit_texts.h"

void expression_edits(struct lister *l, const struct expression *x);

#endif
