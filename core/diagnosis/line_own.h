/* What was done to single tensors of a program after they were right: they were handed in transposed, not summed, under
 * another one's name. And what only follows from mistakes made elsewhere. */
#ifndef CORE_DIAGNOSIS_LINE_OWN_H
#define CORE_DIAGNOSIS_LINE_OWN_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/line_flow.h"

/* What mistakes spoil first, by graded: that is where they were made. */
struct line_carry {
    bool *own;
    bool *reached; /* by value: room */
};
bool line_carry_new(const struct search *s, struct line_carry *carry);

/* A guess that explains these was made. */
void line_carry_take(struct line_carry *carry, const struct line_flow *flow, const bool *explained,
                     const struct guess *guess);

/* diagnosis->inherited: all that is wrong and was not spoilt first by anything. */
void line_carry_finish(struct line_carry *carry, const struct line_flow *flow, struct diagnosis *diagnosis);

/* Finds them, and takes what they explain off `left` (by graded). False when memory is short. */
bool line_own_find(const struct line_flow *flow, const struct report *report, bool *left, struct line_carry *carry,
                   struct diagnosis *diagnosis);

#endif
