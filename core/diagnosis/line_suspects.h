/* Where nothing reproduces the numbers: the lines of a program that can account for what is wrong, given what is right.
 */
#ifndef CORE_DIAGNOSIS_LINE_SUSPECTS_H
#define CORE_DIAGNOSIS_LINE_SUSPECTS_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/line_flow.h"

/* Lists them into diagnosis->suspects: between the last gradient that is right on the way back, or was handed in, and
 * the first of those that are `left` (by graded). False when memory is short. */
bool line_suspects_find(const struct line_flow *flow, const bool *left, struct diagnosis *diagnosis);

#endif
