/* A text as a student's code: the backward pass to a forward pass that is always the same. */
#ifndef TESTS_FUZZ_CODE_H
#define TESTS_FUZZ_CODE_H

#include "core/language/program.h"

/* What there is to be read: parameters W [2,3], b [3], s, and data x [4,2], y [4]. */
enum { CODE_INPUTS = 5 };
void code_inputs(struct program_input inputs[CODE_INPUTS]);

/* Evaluates the text, finds who is to blame and what is said of its lines. Whatever it is, it ends, and what is wrong
 * with it is where it says. CODE_OK or CODE_OUT_OF_MEMORY. */
int code_run(struct arena *arena, const char *text, size_t length);

#endif
